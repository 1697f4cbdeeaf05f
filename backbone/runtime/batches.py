"""Batches from queues and streams: what is done of them, and what Lambda is told to give again.

Whatever would not be done before the time-out is handed back, so that a time-out never takes a whole batch with it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from backbone.runtime import budget
from backbone.runtime.calls import is_aws_error
from backbone.runtime.environment import client, logger, metrics
from backbone.runtime.idempotency import BusyError

__all__ = ["handle_messages", "handle_records"]

FIRST_PAUSE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 900
"""How long a message that failed stays invisible: the pause doubles with each receive."""

MAX_ENTRIES = 10
"""Entries of one ChangeMessageVisibilityBatch call (SQS API reference)."""

Record = dict[str, Any]
Answer = dict[str, list[dict[str, str]]]


def handle_messages(records: Sequence[Record], handle: Callable[[Record], None]) -> Answer:
    """Handle messages of a queue; only those that failed or were not begun return to it (partial batch response).

    In a FIFO queue, nothing of a group is handled after its first failure.
    """
    pauses: dict[str, int] = {}
    stopped: set[str] = set()
    for record, in_time in _timed(records):
        group = record["attributes"].get("MessageGroupId")
        if not in_time or group in stopped:
            pauses[record["messageId"]] = 0
            continue
        try:
            handle(record)
        except Exception as error:  # it was logged where it was known which event it is
            pauses[record["messageId"]] = _pause_seconds(record, error)
            if group is not None:
                stopped.add(group)
    _let_wait([record for record in records if record["messageId"] in pauses], pauses)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in pauses]}


def handle_records(
    records: Sequence[Record], handle: Callable[[Record], None], *, number: Callable[[Record], str]
) -> Answer:
    """Handle records of a stream up to the first that fails: Lambda gives that and all after it again (checkpoint).

    `number` is the sequence number of a record.
    """
    for record, in_time in _timed(records):
        if not in_time or not _succeeds(handle, record):
            return {"batchItemFailures": [{"itemIdentifier": number(record)}]}
    return {"batchItemFailures": []}


def _succeeds(handle: Callable[[Record], None], record: Record) -> bool:
    try:
        handle(record)
    except Exception:  # it was logged where it was known which event it is
        return False
    return True


def _timed(records: Sequence[Record]) -> Iterator[tuple[Record, bool]]:
    """Each record, and whether there is time for it if it takes as long as the slowest before it."""
    longest = 0.0
    for position, record in enumerate(records):
        in_time = position == 0 or budget.remaining_seconds() > longest + 2 * budget.CALL_SECONDS
        began = time.monotonic()
        yield record, in_time
        longest = max(longest, time.monotonic() - began)
        if not in_time:
            metrics.add_metric(name="EventsHandedBack", unit="Count", value=1)


def _pause_seconds(record: Record, error: Exception) -> int:
    if isinstance(error, BusyError):
        return min(LONGEST_PAUSE_SECONDS, int(error.seconds) + 1)
    receives = int(record["attributes"].get("ApproximateReceiveCount", 1))
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(receives - 1, 10))
    return int(longest * random.uniform(0.5, 1))  # noqa: S311 - spreads load, hides nothing


def _let_wait(records: Sequence[Record], pauses: dict[str, int]) -> None:
    """Have messages be received again after their pauses; without this, after the queue's visibility time-out."""
    for begin in range(0, len(records), MAX_ENTRIES):
        part = records[begin : begin + MAX_ENTRIES]
        sqs = client("sqs")
        _, _, _, _, account, name = part[0]["eventSourceARN"].split(":")
        entries = [
            {
                "Id": str(position),
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": pauses[record["messageId"]],
            }
            for position, record in enumerate(part)
        ]
        try:
            answer = sqs.change_message_visibility_batch(
                QueueUrl=f"{sqs.meta.endpoint_url}/{account}/{name}", Entries=entries
            )
        except Exception as error:
            if not is_aws_error(error):
                raise
            logger.warning("messages keep the visibility time-out of their queue", exc_info=True)
        else:
            for failed in answer.get("Failed", ()):
                logger.warning("a message keeps the visibility time-out of its queue", error=failed)
