"""What EventBridge Pipes may do with the role of a pipe.

Source: EventBridge user guide, "Amazon EventBridge Pipes permissions" and "Amazon EventBridge Pipes targets".
"""

from __future__ import annotations

from collections.abc import Collection

from backbone.system.access import READING, Refusal, may_assume, policies_of, service_of
from backbone.system.iam import Policy, authorize, event_source
from backbone.system.model import (
    ApiDestination,
    EventBus,
    Function,
    LogGroup,
    Queue,
    Resource,
    Role,
    Stream,
    System,
    Table,
    Topic,
)
from backbone.system.pipes import SYNCHRONOUS, Pipe

__all__ = [
    "enrichment_of",
    "enrichment_refusal",
    "read_refusal",
    "role_of",
    "send_refusal",
    "source_of",
    "source_refusal",
    "target_of",
]

PIPES = "pipes.amazonaws.com"
DENIED = "AccessDeniedException"

ACTIONS = {
    "events": "events:PutEvents",
    "firehose": "firehose:PutRecordBatch",
    "kinesis": "kinesis:PutRecords",
    "lambda": "lambda:InvokeFunction",
    "logs": "logs:PutLogEvents",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}
"""What the role must be allowed, by the service of the target; of others nothing is judged."""

RUN = (ApiDestination, EventBus, Function, LogGroup, Queue, Stream, Topic)
"""Targets of which it is simulated what they do."""

MADE = frozenset({"events", "kinesis", "lambda", "logs", "sns", "sqs"})
"""The services of those."""


def target_of(system: System, pipe: Pipe) -> Resource | None:
    """What a pipe sends to, where the stacks make it; a function's version or alias is the function."""
    arn = pipe.target.arn
    found = system.target_of(":".join(arn.split(":")[:7]) if service_of(arn) == "lambda" else arn)
    return found if isinstance(found, RUN) else None


def enrichment_of(system: System, pipe: Pipe) -> Function | None:
    """The function that enriches, where it is a function that the stacks make."""
    return system.get(Function, ":".join((pipe.enrichment_arn or "").split(":")[:7]))


def source_of(system: System, pipe: Pipe) -> Queue | Stream | Table | None:
    """What a pipe reads, where the stacks make it; a table by its stream."""
    arn, _, stream = pipe.mapping.source_arn.partition("/stream/")
    found = system.resources.get(arn)
    if isinstance(found, Table):
        return found if stream and found.stream_arn == pipe.mapping.source_arn else None
    return found if isinstance(found, Queue | Stream) else None


def role_of(system: System, pipe: Pipe) -> Role | Refusal:
    """The role of a pipe, or why EventBridge Pipes cannot assume it."""
    role = system.get(Role, pipe.role_arn)
    if role is None:
        return Refusal(DENIED, f"the role {pipe.role_arn} is not in any stack")
    if not may_assume(PIPES, role, event_source(pipe.arn, pipe.account_id)):
        return Refusal(DENIED, f"{role.name} does not trust {PIPES} for the pipe {pipe.name}")
    return role


def read_refusal(
    system: System, pipe: Pipe, actions: Collection[str], arn: str, owner: str, policy: Policy | None = None
) -> str | None:
    """Why a pipe may not do something to its source; None when it may."""
    role = role_of(system, pipe)
    if isinstance(role, Refusal):
        return role.why
    for action in actions:
        decision = authorize(role.identity, action, arn, owner=owner, policies=filter(None, [policy]), context={})
        if not decision:
            return f"{action}: {decision.why}"
    return None


def source_refusal(system: System, pipe: Pipe) -> str | None:
    """Why a pipe gets nothing of its source; None when it does, or when nothing is known of sources of its kind."""
    arn, source = pipe.mapping.source_arn, source_of(system, pipe)
    actions = READING.get(pipe.mapping.service)
    if actions is None:
        return None
    if source is None:
        return f"the source {arn} is not in any stack, or tells no changes"
    policy = source.policy if isinstance(source, Queue) else None
    return read_refusal(system, pipe, actions, arn, source.account_id, policy)


def send_refusal(system: System, pipe: Pipe) -> Refusal | None:
    """Why what a pipe sends is not taken; None when it is, or when nothing is known of targets of its kind."""
    arn, to = pipe.target.arn, target_of(system, pipe)
    service = service_of(arn)
    if service in MADE and to is None:
        return Refusal("ResourceNotFoundException", f"the target {arn} is not in any stack")
    action = ACTIONS.get(service)
    if isinstance(to, ApiDestination):
        action = "events:InvokeApiDestination"
    elif service == "states" and pipe.invocation == SYNCHRONOUS:
        action = "states:StartSyncExecution"
    return None if action is None else _refusal(system, pipe, action, arn, to)


def enrichment_refusal(system: System, pipe: Pipe) -> Refusal | None:
    """Why a pipe's enrichment is not called; None when it is, when there is none, or when it is no function."""
    arn = pipe.enrichment_arn or ""
    if service_of(arn) != "lambda":
        return None
    to = enrichment_of(system, pipe)
    if to is None:
        return Refusal("ResourceNotFoundException", f"the enrichment {arn} is not in any stack")
    return _refusal(system, pipe, ACTIONS["lambda"], arn, to)


def _refusal(system: System, pipe: Pipe, action: str, arn: str, to: Resource | None) -> Refusal | None:
    role = role_of(system, pipe)
    if isinstance(role, Refusal):
        return role
    policies = policies_of(to)
    context: dict[str, str] = {}
    if pipe.event_source and pipe.event_type:
        context = {"events:source": pipe.event_source, "events:detail-type": pipe.event_type}
    resource = f"{arn.removesuffix(':*')}:*" if isinstance(to, LogGroup) else arn
    decision = authorize(role.identity, action, resource, owner=arn.split(":")[4], policies=policies, context=context)
    return None if decision else Refusal(DENIED, decision.why)
