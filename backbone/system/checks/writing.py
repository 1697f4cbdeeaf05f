"""What functions and buses write beside events: logs, traces and what they cannot deliver; and that they may.

Sources: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs" and "Visualize Lambda function
invocations using AWS X-Ray"; EventBridge user guide, "Using dead-letter queues to process undelivered events".
"""

from __future__ import annotations

from collections.abc import Iterator

from backbone.errors import BackboneError
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.iam import Identity, authorize, event_source
from backbone.system.model import EventBus, Function, LogGroup, Queue, Role, System
from backbone.system.terraform import Configuration
from backbone.system.values import Values

__all__ = ["check"]

TRACING = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What would be lost of logs, traces and undelivered events."""
    groups = {(group.place, group.name): group for group in system.of(LogGroup)}
    for function in system.of(Function):
        role, block = system.get(Role, function.role_arn), configuration.get(function.address)
        if role is None or block is None:
            continue
        group = groups.get((function.place, function.log_group))
        yield from _log(function, role, group)
        try:
            mode = Values(configuration, block).part("tracing_config").text("mode", "PassThrough")
        except BackboneError:
            continue  # it has a finding of its own
        missing = [action for action in TRACING if not access.may(role, action, "*")] if mode == "Active" else []
        if missing:
            words = f"tracing_config: {role.name} may not {' and '.join(missing)}: traces are lost"
            yield finding("BB604", function.address, words)
    for bus in system.of(EventBus):
        yield from _dead_letters(system, configuration, bus)


def _log(function: Function, role: Role, group: LogGroup | None) -> Iterator[Finding]:
    arn = group.arn if group else function.place.arn("logs", f"log-group:{function.log_group}")
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"] + ([] if group else ["logs:CreateLogGroup"])
    missing = [action for action in actions if not access.may(role, action, f"{arn}:*")]
    if missing:
        unmade = "" if group else ", which no stack makes"
        words = f"{role.name} may not {' and '.join(missing)} on {function.log_group}{unmade}: its log is lost"
        yield finding("BB604", function.address, words)


def _dead_letters(system: System, configuration: Configuration, bus: EventBus) -> Iterator[Finding]:
    """The queue of a bus, for events that cannot be encrypted or decrypted with the bus's key."""
    block = configuration.get(bus.address)
    if block is None:
        return
    values = Values(configuration, block)
    try:
        arn = values.part("dead_letter_config").optional_text("arn")
        key = values.optional_text("kms_key_identifier")
    except BackboneError:
        return  # it has a finding of its own
    queue = system.get(Queue, arn)
    if arn is None and key is not None:
        words = "has a key and no dead_letter_config: events are lost while EventBridge may not use the key"
        yield finding("BB605", bus.address, words)
    if queue is None:
        return  # a queue that no stack makes has a finding of its own
    decision = authorize(
        Identity(access.EVENTS),
        "sqs:SendMessage",
        queue.arn,
        owner=queue.account_id,
        policies=filter(None, [queue.policy]),
        context=event_source(bus.arn, bus.account_id),
    )
    if not decision:
        yield finding("BB605", bus.address, f"dead_letter_config: {decision.why}; what cannot be encrypted is lost")
