"""State machines of Step Functions: whether they start, log, trace, and may call what their definition calls.

Sources: Step Functions developer guide, "How AWS Step Functions works with IAM", "Logging using CloudWatch Logs",
"IAM policies for integrated services" and "Cross-service confused deputy prevention".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backbone.aws.arn import Place
from backbone.system.access import may_assume, policies_of, service_of
from backbone.system.iam import event_source
from backbone.system.model import Resource, Role
from backbone.system.obstacle import Obstacle
from backbone.system.onward.requests import denied
from backbone.system.values import Values

__all__ = ["STATES", "read"]

STATES = "states.amazonaws.com"
LOGGING = (
    *(f"logs:{word}LogDelivery" for word in ("Create", "Delete", "Get", "Update")),
    *("logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
)
TRACING = ("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments")
OPTIMIZED = ":states:::"
"""In the ARN of what a task does by an integration of Step Functions."""

Find = Callable[[Mapping[str, Any], Place], str | None]


def read(resources: Mapping[str, Resource], values: Values) -> Iterator[Obstacle]:
    """What is in the way of a block `aws_sfn_state_machine`."""
    address, arn, role_arn = values.block.id, values.text("arn"), values.optional_text("role_arn")
    if role_arn is None:
        return  # its arguments are refused
    place, role = values.block.place, resources.get(role_arn)
    if not isinstance(role, Role):
        words = f"role_arn: {role_arn} is not in any stack: what it may do is not known here"
        yield Obstacle(rule="BB190", address=address, words=words)
        return
    if not may_assume(STATES, role, event_source(arn, place.account_id)):
        words = f"{role.name} does not trust {STATES} for it: AWS refuses the state machine"
        yield Obstacle(rule="BB211", address=address, words=words, behind=(arn,))
    here = {"aws:RequestedRegion": place.region}
    logs = values.part("logging_configuration").text("level", "OFF") != "OFF"
    if missing := denied(role, LOGGING, "*", context=here) if logs else []:
        words = f"logging_configuration: {role.name} may not {' and '.join(missing)}: AWS refuses the state machine"
        yield Obstacle(rule="BB211", address=address, words=words, behind=(arn,))
    traces = values.part("tracing_configuration").flag("enabled", default=False)
    if missing := denied(role, TRACING, "*", context=here) if traces else []:
        words = f"tracing_configuration: {role.name} may not {' and '.join(missing)}: traces are lost"
        yield Obstacle(rule="BB604", address=address, words=words)
    for name, action, called in _calls(values):
        plain = ":".join(called.split(":")[:7])  # of a function, without its alias or version
        if service_of(called) in MADE and plain not in resources and not _is_elsewhere(resources, called):
            words = f"the state {name} calls {called}, which no stack makes"
            yield Obstacle(rule="BB211", address=address, words=words)
        elif denied(role, [action], called, policies=policies_of(resources.get(plain)), ahead=True):
            words = f"{role.name} may not {action} on {called}: executions fail at the state {name}"
            yield Obstacle(rule="BB211", address=address, words=words)


MADE = frozenset({"dynamodb", "events", "lambda", "sns", "sqs"})
"""Services whose resources are in the system when the stacks make them."""


def _is_elsewhere(resources: Mapping[str, Resource], arn: str) -> bool:
    """Whether an ARN is of an account and region that the stacks make nothing in."""
    region, account = arn.split(":")[3:5]
    return not any((each.place.region, each.account_id) == (region, account) for each in resources.values())


def _calls(values: Values) -> Iterator[tuple[str, str, str]]:
    """The states that call something that is known before there is an event: the action, and the ARN it is done to."""
    try:
        machine = json.loads(values.text("definition", "null"))
    except ValueError:
        return  # it has a finding of its own
    for name, task in _tasks(machine):
        resource = str(task.get("Resource"))
        given = task.get("Arguments", task.get("Parameters"))
        if service_of(resource) == "lambda":
            yield name, "lambda:InvokeFunction", resource
        elif OPTIMIZED in resource and isinstance(given, dict):
            action, find = CALLS.get(resource.partition(OPTIMIZED)[2].split(".")[0], (None, None))
            called = find(given, values.block.place) if find else None
            if action and called:
                yield name, action, called


def _tasks(machine: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    states = machine.get("States") if isinstance(machine, dict) else None
    for name, state in (states if isinstance(states, dict) else {}).items():
        if isinstance(state, dict):
            if state.get("Type") == "Task":
                yield name, state
            branches = state.get("Branches")
            for inner in (
                *(branches if isinstance(branches, list) else []),
                state.get("ItemProcessor"),
                state.get("Iterator"),
            ):
                yield from _tasks(inner)


def _named(argument: str, service: str, prefix: str = "") -> Find:
    """What an argument names, by its ARN or in the machine's own account; None where it comes from the input."""

    def find(given: Mapping[str, Any], place: Place) -> str | None:
        name = given.get(argument)
        if not isinstance(name, str) or name.startswith(("$", "{%")):
            return None
        return name if name.startswith("arn:") else place.arn(service, prefix + name)

    return find


def _queue(given: Mapping[str, Any], place: Place) -> str | None:
    parts = str(given.get("QueueUrl")).split("/")
    return place.arn("sqs", parts[-1]) if len(parts) == 5 and parts[3] == place.account_id else None


def _bus(given: Mapping[str, Any], place: Place) -> str | None:
    """The bus of the first entry; the default bus where none is named."""
    entries = given.get("Entries")
    first = entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else None
    if first is None or "EventBusName.$" in first:
        return None
    return _named("EventBusName", "events", "event-bus/")({"EventBusName": "default", **first}, place)


CALLS: Mapping[str, tuple[str, Find]] = {
    "dynamodb:deleteItem": ("dynamodb:DeleteItem", _named("TableName", "dynamodb", "table/")),
    "dynamodb:getItem": ("dynamodb:GetItem", _named("TableName", "dynamodb", "table/")),
    "dynamodb:putItem": ("dynamodb:PutItem", _named("TableName", "dynamodb", "table/")),
    "dynamodb:updateItem": ("dynamodb:UpdateItem", _named("TableName", "dynamodb", "table/")),
    "ecs:runTask": ("ecs:RunTask", _named("TaskDefinition", "ecs", "task-definition/")),
    "events:putEvents": ("events:PutEvents", _bus),
    "lambda:invoke": ("lambda:InvokeFunction", _named("FunctionName", "lambda", "function:")),
    "sns:publish": ("sns:Publish", _named("TopicArn", "sns")),
    "sqs:sendMessage": ("sqs:SendMessage", _queue),
    "states:startExecution": ("states:StartExecution", _named("StateMachineArn", "states", "stateMachine:")),
}
"""What a task does by an integration: the action that the role is asked for, and what it is done to."""
