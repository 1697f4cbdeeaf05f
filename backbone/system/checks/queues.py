"""Queues: dead-letter queues that AWS refuses or that lose messages, and FIFO queues that senders cannot send to.

Source: SQS developer guide, "Using dead-letter queues in Amazon SQS", which has how the retention counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.limits import MESSAGE_BYTES_OF_TERRAFORM
from backbone.errors import BackboneError
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, Queue, System, Target
from backbone.system.pipes import Pipe
from backbone.system.scheduler import ScheduledCall
from backbone.system.terraform import Configuration
from backbone.system.values import Values

__all__ = ["check"]


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with queues."""
    for queue in system.of(Queue):
        yield from _dead_letters(system, queue)
    for target in system.targets:
        yield from _target(system, target)
    yield from _sizes(system, configuration)


def _sizes(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Queues that take less than a queue of Terraform's takes by itself, and so not every event."""
    targets = [*system.targets, *(schedule.target for schedule in system.of(ScheduledCall))]
    receiving = {target.arn for target in targets} | {pipe.target.arn for pipe in system.of(Pipe)}
    keeping = {target.dead_letters_arn for target in targets}
    keeping |= {queue.redrive_arn for queue in system.of(Queue)} | {*_of_buses(configuration)}
    keeping |= {pipe.mapping.failures_arn for pipe in system.of(Pipe)}
    for function in system.of(Function):
        keeping |= {function.failures_arn, function.dead_letters_arn}
        keeping |= {mapping.failures_arn for mapping in function.mappings}
    for queue in system.of(Queue):
        if queue.max_message_bytes < MESSAGE_BYTES_OF_TERRAFORM and queue.arn in receiving | keeping:
            fate = ", which failed, are lost" if queue.arn in keeping else " are not delivered"
            words = f"max_message_size: got {queue.max_message_bytes:,}: events over it{fate}"
            yield finding("BB107", queue.address, words)


def _of_buses(configuration: Configuration) -> Iterator[str | None]:
    """The dead-letter queues of buses themselves."""
    for block in configuration.of("aws_cloudwatch_event_bus"):
        try:
            yield Values(configuration, block).part("dead_letter_config").optional_text("arn")
        except BackboneError:
            continue  # it has a finding of its own


def _dead_letters(system: System, queue: Queue) -> Iterator[Finding]:
    dead = system.get(Queue, queue.redrive_arn)
    if dead is None:
        if queue.redrive_arn is not None:
            words = f"its dead-letter queue {queue.redrive_arn} is not in any stack: AWS refuses the redrive policy"
            yield finding("BB105", queue.address, words)
        return
    if (dead.fifo is None) != (queue.fifo is None):
        kind, other = ("FIFO", "not") if queue.fifo else ("not FIFO", "FIFO")
        words = f"is {kind}, its dead-letter queue {dead.name} is {other}: AWS refuses the redrive policy"
        yield finding("BB106", queue.address, words)
    if dead is queue:
        yield finding("BB107", queue.address, "is its own dead-letter queue: what fails comes again until it is lost")
    elif dead.retention_seconds < queue.retention_seconds and queue.fifo is None:
        words = (
            f"message_retention_seconds: got {dead.retention_seconds:,}; those of {queue.name} are "
            f"{queue.retention_seconds:,}, and count from when a message was sent there: what waited long is lost here"
        )
        yield finding("BB107", dead.address, words)
    if dead.redrive_sources is not None and queue.arn not in dead.redrive_sources:
        words = f"the redrive_allow_policy of {dead.name} does not admit it: AWS refuses the redrive policy"
        yield finding("BB106", queue.address, words)


def _target(system: System, target: Target) -> Iterator[Finding]:
    queue, dead = system.get(Queue, target.arn), system.get(Queue, target.dead_letters_arn)
    if dead is not None and dead.fifo is not None:
        words = f"its dead-letter queue {dead.name} is FIFO: EventBridge does not send to it"
        yield finding("BB203", target.address, words)
    if queue is None or queue.fifo is None:
        return
    if target.message_group is None:
        words = f"{queue.name} is a FIFO queue: AWS asks for sqs_target with a message_group_id"
        yield finding("BB106", target.address, words)
    if not queue.fifo.by_content:
        words = f"{queue.name} is a FIFO queue without content_based_deduplication: it takes nothing from EventBridge"
        yield finding("BB201", target.address, words)
