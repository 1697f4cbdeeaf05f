"""What EventBridge Pipes demands of a pipe beyond limits.

Source: EventBridge Pipes API reference, PipeSourceDynamoDBStreamParameters and PipeSourceKinesisStreamParameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved
from backbone.system.arguments.rules import given
from backbone.system.schedule import ScheduleError
from backbone.system.scheduler_times import moment

__all__ = ["PIPE_FACTS"]

Body = Mapping[str, Any]
Fact = Callable[[Body], Iterator[ArgumentProblem]]

LEAST_AGE_SECONDS = 60


def _record_age(body: Body) -> Iterator[ArgumentProblem]:
    """-1 is no end."""
    for kind in ("dynamodb_stream_parameters", "kinesis_stream_parameters"):
        for path, age in given(body, f"source_parameters.{kind}.maximum_record_age_in_seconds"):
            if isinstance(age, int) and -1 < age < LEAST_AGE_SECONDS:
                yield ArgumentProblem(path, f"got {age}; allowed: -1, or {LEAST_AGE_SECONDS} to 604,800 seconds")


def _start(body: Body) -> Iterator[ArgumentProblem]:
    for path, text in given(body, "source_parameters.kinesis_stream_parameters.starting_position_timestamp"):
        if is_unresolved(text):
            continue
        try:
            moment(text)
        except ScheduleError as error:
            yield ArgumentProblem(path, f"got {format_value(text)}; allowed: {error}")


PIPE_FACTS: Mapping[str, tuple[Fact, ...]] = {"aws_pipes_pipe": (_record_age, _start)}
