"""Event source mappings: how a queue or a stream is read for a function, or for a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backbone.patterns import PatternError
from backbone.system.filters import Filter
from backbone.system.values import Values

__all__ = ["EventSourceMapping", "Position", "read_filters", "read_limit", "read_mapping", "source_service"]

Position = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]

UNLIMITED = -1
"""What AWS writes for no limit."""


@dataclass(frozen=True, eq=False, kw_only=True)
class EventSourceMapping:
    """How a queue or a stream is read for a function or a pipe, which without filters is given every record."""

    address: str
    source_arn: str
    enabled: bool
    batch_size: int
    batching_window_seconds: int
    filters: tuple[Filter, ...]
    partial_failures: bool
    max_concurrency: int | None
    """Of queues: how many batches may be with the function at once; None is no limit of the mapping's own."""
    starts_at: str | None
    """Of streams: the time, in ISO 8601, from which records are read; None is from the first."""
    bisects: bool
    max_retry_attempts: int | None
    max_record_age_seconds: int | None
    parallelization: int
    failures_arn: str | None

    @property
    def service(self) -> str:
        """Whose the source is: sqs, kinesis or dynamodb."""
        return source_service(self.source_arn)

    def wants(self, record: dict[str, object], name: str) -> bool:
        """Whether a record is to be given, whose text is at `name`."""
        return not self.filters or any(each.matches(record, name) for each in self.filters)


def source_service(arn: str) -> str:
    """The service in an ARN."""
    return arn.split(":")[2] if arn.count(":") >= 5 else ""


def read_mapping(values: Values) -> EventSourceMapping:
    """A block `aws_lambda_event_source_mapping`; TerraformError for what AWS refuses."""
    source = values.text("event_source_arn", "")  # what a cluster of one's own has none of
    destination = values.part("destination_config").part("on_failure")
    scaling = values.part("scaling_config").value("maximum_concurrency")
    position = values.optional_text("starting_position")
    if position not in (None, "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"):
        raise values.wrong("starting_position", position, "TRIM_HORIZON, LATEST or AT_TIMESTAMP")
    return EventSourceMapping(
        address=values.block.id,
        source_arn=source,
        enabled=values.flag("enabled", default=True),
        batch_size=values.integer("batch_size", 10 if source_service(source) == "sqs" else 100),
        batching_window_seconds=values.integer("maximum_batching_window_in_seconds", 0),
        filters=read_filters(values),
        partial_failures="ReportBatchItemFailures" in values.texts("function_response_types"),
        max_concurrency=None if scaling is None else values.part("scaling_config").integer("maximum_concurrency", 0),
        starts_at=values.optional_text("starting_position_timestamp") if position == "AT_TIMESTAMP" else None,
        bisects=values.flag("bisect_batch_on_function_error", default=False),
        max_retry_attempts=read_limit(values, "maximum_retry_attempts"),
        max_record_age_seconds=read_limit(values, "maximum_record_age_in_seconds"),
        parallelization=values.integer("parallelization_factor", 1),
        failures_arn=destination.optional_text("destination_arn"),
    )


def read_limit(values: Values, name: str) -> int | None:
    """A limit of attempts or of age; None where there is none."""
    found = values.integer(name, UNLIMITED)
    return None if found == UNLIMITED else found


def read_filters(values: Values) -> tuple[Filter, ...]:
    """The filters of `filter_criteria`, of which one must match; TerraformError where AWS refuses one."""
    return tuple(_filter(part) for part in values.part("filter_criteria").parts("filter"))


def _filter(values: Values) -> Filter:
    text = values.text("pattern")
    try:
        return Filter(text)
    except PatternError as error:
        raise values.wrong("pattern", text, f"a filter pattern ({error})") from None
