"""Event source mappings: what AWS refuses of them, and why a function would get nothing or too little."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.limits import BATCH_ENTRIES
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.mapping import EventSourceMapping
from backbone.system.model import Function, Queue, Role, System

__all__ = ["check"]

TIMES_THE_TIMEOUT = 6
"""The queue's visibility timeout in times of the function's (Lambda developer guide, "Using Lambda with Amazon
SQS")."""


def check(system: System) -> Iterator[Finding]:
    """What is wrong with event source mappings."""
    for function in system.of(Function):
        role = system.get(Role, function.role_arn)
        for mapping in function.mappings:
            yield from _mapping(mapping)
            if role is not None:
                yield from _permissions(mapping, role)
            if (queue := system.get(Queue, mapping.source_arn)) is not None:
                yield from _queue(mapping, function, queue)


def _mapping(mapping: EventSourceMapping) -> Iterator[Finding]:
    if mapping.service not in access.READING:
        words = f"not simulated: records of {mapping.source_arn or 'a cluster of Kafka'}"
        yield finding("BB190", mapping.address, words)
    if not mapping.enabled:
        words = "is disabled: what comes to its source is lost when the source does not keep it any longer"
        yield finding("BB305", mapping.address, words)
    needs_window = mapping.service == "sqs" and mapping.batch_size > BATCH_ENTRIES
    if needs_window and not mapping.batching_window_seconds:
        words = (
            f"batch_size: got {mapping.batch_size} without maximum_batching_window_in_seconds; allowed: at most "
            f"{BATCH_ENTRIES}, or a window of 1 second or more"
        )
        yield finding("BB106", mapping.address, words)


def _permissions(mapping: EventSourceMapping, role: Role) -> Iterator[Finding]:
    for action in access.READING.get(mapping.service, ()):
        if not access.may(role, action, mapping.source_arn):
            words = f"{role.name} may not {action} on {mapping.source_arn}: nothing reaches the function"
            yield finding("BB304", mapping.address, words)
    if (arn := mapping.failures_arn) is not None:
        action = access.SENDING.get(access.service_of(arn), "")
        if access.service_of(arn) in access.DESTINATIONS_NOT_SIMULATED:
            yield finding("BB190", mapping.address, f"not simulated: what becomes of records in {arn}")
        if not access.may(role, action, access.sent_to(arn)):
            words = f"{role.name} may not {action} on {arn}: records that the function fails at are lost"
            yield finding("BB302", mapping.address, words)


def _queue(mapping: EventSourceMapping, function: Function, queue: Queue) -> Iterator[Finding]:
    hidden, timeout = queue.visibility_seconds, function.timeout_seconds
    if hidden < timeout:
        words = (
            f"{queue.name} has a visibility timeout of {hidden} s, less than the {timeout} s that {function.name} may "
            f"take: AWS refuses the mapping; set visibility_timeout_seconds to {TIMES_THE_TIMEOUT * timeout}"
        )
        yield finding("BB106", mapping.address, words)
    elif hidden < TIMES_THE_TIMEOUT * timeout + mapping.batching_window_seconds:
        words = (
            f"{queue.name} has a visibility timeout of {hidden} s: messages can come again while {function.name} is "
            f"throttled with them; AWS asks for {TIMES_THE_TIMEOUT} times the function's {timeout} s and the batching "
            f"window, {TIMES_THE_TIMEOUT * timeout + mapping.batching_window_seconds} s"
        )
        yield finding("BB107", mapping.address, words)
    if queue.fifo is None:
        return
    if mapping.batch_size > BATCH_ENTRIES:
        words = f"batch_size: got {mapping.batch_size}; allowed: at most {BATCH_ENTRIES} for a FIFO queue"
        yield finding("BB106", mapping.address, words)
    if mapping.batching_window_seconds:
        words = "maximum_batching_window_in_seconds: a FIFO queue has no batching window; leave it out"
        yield finding("BB106", mapping.address, words)
