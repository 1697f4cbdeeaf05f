"""What EventBridge Scheduler demands of a schedule beyond limits.

Sources: EventBridge Scheduler user guide, "Schedule types"; API reference, CreateSchedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved
from backbone.system.schedule import ScheduleError
from backbone.system.scheduler_times import Times, moment, zone

__all__ = ["SCHEDULER_FACTS"]

Body = Mapping[str, Any]
Fact = Callable[[Body], Iterator[ArgumentProblem]]


def _times(body: Body) -> Iterator[ArgumentProblem]:
    for name, read in (("schedule_expression", Times.parse), ("schedule_expression_timezone", zone)):
        text = body.get(name)
        if not text or is_unresolved(text):
            continue
        try:
            read(text)
        except ScheduleError as error:
            yield ArgumentProblem(name, f"got {format_value(text)}; allowed: {error}")


def _dates(body: Body) -> Iterator[ArgumentProblem]:
    found: dict[str, float] = {}
    for name in ("start_date", "end_date"):
        text = body.get(name)
        if text is None or is_unresolved(text):
            continue
        try:
            found[name] = moment(text)
        except ScheduleError as error:
            yield ArgumentProblem(name, f"got {format_value(text)}; allowed: {error}")
    if len(found) == 2 and found["end_date"] <= found["start_date"]:
        yield ArgumentProblem("end_date", f"got {format_value(body['end_date'])}; allowed: a date after start_date")


SCHEDULER_FACTS: Mapping[str, tuple[Fact, ...]] = {"aws_scheduler_schedule": (_times, _dates)}
