"""Takes events from the stream of a table with an outbox to the global bus; `on_stream` is what Lambda calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from backbone.runtime import budget
from backbone.runtime.environment import buses_elsewhere, lambda_handler, logger, metrics, setting
from backbone.runtime.failures import send_to_failure_queue
from backbone.runtime.outbox import Outbox
from backbone.runtime.publisher import Entry, Failure, Publisher, PublishError

__all__ = ["on_stream"]

Record = dict[str, Any]


@cache
def publisher() -> Publisher:
    """The publisher of the service. What it may publish was checked when it was written, and IAM checks it again."""
    return Publisher(
        bus=setting("EVENT_BUS_ARN"),
        source=setting("EVENT_SOURCE"),
        elsewhere=buses_elsewhere(setting("EVENT_SOURCE")),
        detail_types=None,
        remaining_seconds=budget.remaining_seconds,
    )


@lambda_handler
def on_stream(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the events of a batch of records; Lambda gives the first that failed and all after it again.

    An event that no attempt can ever publish goes to the failure queue, so that it does not hold back those after it.
    A record from the failure queue can be given again as it is; PublishError when it fails for a transient reason.
    """
    if "Records" not in event:
        _relay([event], context)
        return {}
    try:
        _relay(event["Records"], context)
    except StoppedError as stopped:
        return {"batchItemFailures": [{"itemIdentifier": stopped.record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


class StoppedError(Exception):
    """A record whose event could not be published now."""

    def __init__(self, record: Record, failure: Failure) -> None:
        self.record = record
        super().__init__(str(failure))


def _relay(records: Sequence[Record], context: Any) -> None:
    """Publish the events of records; StoppedError for the first that failed for a transient reason."""
    entries: list[tuple[Record, Entry]] = []
    for record in filter(_has_new_event, records):
        try:
            entries.append((record, _entry(record)))
        except (KeyError, TypeError, ValueError) as error:
            _reject(record, "Malformed", f"the item's {Outbox.ATTRIBUTE}: {error!r}", context)
    failures = _publish([entry for _, entry in entries])
    metrics.add_metric(name="EventsPublished", unit="Count", value=len(entries) - len(failures))
    for record, entry in entries:
        failure = next((failure for failure in failures if failure.entry is entry), None)
        if failure is None:
            continue
        if not failure.permanent:
            metrics.add_metric(name="EventsFailed", unit="Count", value=1)
            logger.error("an event could not be published", reason=str(failure), **_about(record))
            raise StoppedError(record, failure)
        _reject(record, failure.code, str(failure), context)


def _publish(entries: Sequence[Entry]) -> Sequence[Failure]:
    try:
        publisher().publish(*entries)
    except PublishError as error:
        return error.failures
    return ()


def _has_new_event(record: Record) -> bool:
    """Whether a change of an item has written an event."""
    change = record["dynamodb"]
    written = change.get("NewImage", {}).get(Outbox.ATTRIBUTE)
    return written is not None and written != change.get("OldImage", {}).get(Outbox.ATTRIBUTE)


def _entry(record: Record) -> Entry:
    change = record["dynamodb"]
    event = json.loads(change["NewImage"][Outbox.ATTRIBUTE]["S"])
    return Entry(event["detail_type"], event["detail"], time=change.get("ApproximateCreationDateTime"))


def _reject(record: Record, error: str, reason: str, context: Any) -> None:
    change = record["dynamodb"]
    kept = {name: change[name] for name in ("Keys", "SequenceNumber", "ApproximateCreationDateTime") if name in change}
    kept["NewImage"] = {Outbox.ATTRIBUTE: change["NewImage"][Outbox.ATTRIBUTE]}
    send_to_failure_queue(
        {"eventID": record.get("eventID"), "eventName": record.get("eventName"), "dynamodb": kept},
        condition="Rejected",
        error=error,
        reason=reason,
        attempts=1,
        context=context,
    )
    metrics.add_metric(name="EventsRejected", unit="Count", value=1)
    logger.error("the event is in the failure queue", reason=reason, **_about(record))


def _about(record: Record) -> dict[str, Any]:
    """What tells a record in the logs: the event is in the item with these keys."""
    return {"record_id": record.get("eventID"), "keys": record["dynamodb"].get("Keys")}
