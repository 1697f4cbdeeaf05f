"""Schedules of EventBridge Scheduler: what AWS refuses, and what could never be called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from backbone.system import scheduler_access
from backbone.system.access import service_of
from backbone.system.findings import Finding, finding
from backbone.system.model import EventBus, Function, Queue, Stream, System
from backbone.system.scheduler import ScheduledCall

__all__ = ["check"]

CONTEXT = ("scheduler.attempt-number", "scheduler.execution-id", "scheduler.schedule-arn", "scheduler.scheduled-time")
"""What `<aws.…>` in an input may name (EventBridge Scheduler user guide, "Adding context attributes")."""


def check(system: System) -> Iterator[Finding]:
    """What is wrong with schedules and with what they call."""
    for schedule in system.of(ScheduledCall):
        yield from _schedule(system, schedule)
        for name in re.findall(r"<aws\.([^<>]*)>", schedule.input or "", re.IGNORECASE):
            if name not in CONTEXT:
                words = f"target.input: <aws.{name}> stands for nothing; allowed: <aws.{'>, <aws.'.join(CONTEXT)}>"
                yield finding("BB208", schedule.address, words)
        for words in _parameters(system, schedule):
            yield finding("BB106", schedule.address, f"{words}; AWS refuses the schedule, or each of its calls")


def _schedule(system: System, schedule: ScheduledCall) -> Iterator[Finding]:
    target, refused = schedule.target, scheduler_access.dead_letter_refusal(system, schedule)
    if not schedule.enabled:
        yield finding("BB224", schedule.address, "is switched off: nothing is called by it")
    if not scheduler_access.is_run(schedule):
        yield finding("BB190", schedule.address, f"not simulated: what becomes of its calls of {target.arn}")
    if (refusal := scheduler_access.call_refusal(system, schedule)) is not None:
        lost = target.dead_letters_arn is None or refused
        fate = "would be lost" if lost else f"would go to {str(target.dead_letters_arn).rpartition(':')[2]}"
        yield finding("BB221", schedule.address, f"{refusal}; every call of it {fate}")
    if target.dead_letters_arn is None:
        words = "has no dead-letter queue: what cannot be delivered is lost without a trace"
        yield finding("BB222", schedule.address, words)
    elif refused:
        yield finding("BB223", schedule.address, f"{refused}; what cannot be delivered is lost")


def _parameters(system: System, schedule: ScheduledCall) -> Iterator[str]:
    """What a kind of target needs of the schedule."""
    to, target = scheduler_access.target_of(system, schedule), schedule.target
    service = service_of(target.arn)
    if isinstance(to, EventBus) and not (schedule.event_source and schedule.event_type):
        yield f"{to.name} is a bus: it needs eventbridge_parameters, with source and detail_type"
    if isinstance(to, Stream) and target.partition_key is None:
        yield f"{to.name} is a stream: it needs kinesis_parameters, with a partition_key"
    if isinstance(to, Queue) and to.fifo is not None:
        if target.message_group is None:
            yield f"{to.name} is a FIFO queue: it needs sqs_parameters, with a message_group_id"
        if not to.fifo.by_content:
            yield f"{to.name} is a FIFO queue without content_based_deduplication: it takes nothing from Scheduler"
    if service == "ecs" and target.task_definition_arn is None:
        yield "its target is a cluster of ECS: it needs ecs_parameters, with a task_definition_arn"
    if schedule.input is not None and (isinstance(to, EventBus | Function) or service == "states"):
        yield from _json_problem(schedule.input, object_only=isinstance(to, EventBus))


def _json_problem(text: str, *, object_only: bool) -> Iterator[str]:
    try:
        found = json.loads(text)
    except ValueError as error:
        yield f"input is no JSON ({error}), and a function, a bus or a state machine takes nothing else"
        return
    if object_only and not isinstance(found, dict):
        yield "input is no JSON object, and the detail of an event is nothing else"
