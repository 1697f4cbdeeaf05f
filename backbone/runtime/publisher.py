"""Puts events on an event bus so that each is either accepted or named in an error.

It needs only boto3, and not even that when a client is given, so this file can be copied as it is.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Entry", "EventsClient", "Failure", "PublishError", "Publisher", "UndeclaredError"]

log = logging.getLogger(__name__)

MAX_ENTRIES = 10
"""Entries of one PutEvents call (EventBridge API reference)."""

MAX_ENTRY_BYTES = 1024 * 1024
"""The largest event since January 2026; before it was 256 KB."""

MAX_BATCH_BYTES = 256 * 1024
"""Entries share a call up to this size, which any bus takes; a larger entry is sent alone."""

PERMANENT = {
    "AccessDeniedException",
    "InvalidArgument",
    "MalformedDetail",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
    "ResourceNotFoundException",
    "ValidationException",
}
"""Error codes of failures that a further attempt cannot fix."""


class EventsClient(Protocol):
    """The part of boto3's `events` client that is used here."""

    def put_events(self, *, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """Put up to 10 entries."""


@dataclass(frozen=True)
class Entry:
    """An event to be published. `detail` must be JSON."""

    detail_type: str
    detail: Mapping[str, Any]
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """An entry that the bus did not accept, and why."""

    entry: Entry
    code: str
    message: str


class PublishError(Exception):
    """Some events are not on the bus: `failures` lists them. All others are on it."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        each = "; ".join(f"{failure.entry.detail_type}: {failure.code}: {failure.message}" for failure in failures)
        super().__init__(f"{len(failures)} events could not be published: {each}")


class UndeclaredError(ValueError):
    """The service does not declare that it publishes such events."""


class Publisher:
    """Publishes the events that a service declares, under its source.

    Entries that fail for a transient reason are sent again, up to `attempts` times in all, after pauses that start at
    `pause_seconds` and double, each shortened at random by up to a half.
    """

    def __init__(
        self,
        *,
        bus: str,
        source: str,
        detail_types: Collection[str],
        client: EventsClient | None = None,
        attempts: int = 3,
        pause_seconds: float = 0.1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bus = bus
        self._source = source
        self._detail_types = frozenset(detail_types)
        self._given_client = client
        self._attempts = attempts
        self._pause_seconds = pause_seconds
        self._sleep = sleep

    def publish(self, *entries: Entry) -> list[str]:
        """The ids that the events got, in the order of the entries.

        UndeclaredError, before anything is sent, for an event that the service does not declare; PublishError with
        all events that could not be published.
        """
        self._refuse_undeclared(entries)
        written = [self._write(entry) for entry in entries]
        results: dict[int, str | Failure] = {
            number: Failure(entries[number], "TooLarge", f"{size:,} bytes; a bus takes {MAX_ENTRY_BYTES:,}")
            for number, size in enumerate(map(_bytes, written))
            if size > MAX_ENTRY_BYTES
        }
        waiting = [number for number in range(len(entries)) if number not in results]
        for attempt in range(self._attempts):
            if not waiting:
                break
            if attempt:
                pause = self._pause_seconds * 2 ** (attempt - 1)
                self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, hides nothing
            for batch in _batches(waiting, written):
                for number, answer in zip(batch, self._put([written[number] for number in batch]), strict=True):
                    results[number] = _result(entries[number], answer)
            waiting = [number for number in waiting if _is_transient(results[number])]
        ids: list[str] = []
        failures: list[Failure] = []
        for number, result in sorted(results.items()):
            if isinstance(result, Failure):
                failures.append(result)
                continue
            ids.append(result)
            log.info("published %s as %s", entries[number].detail_type, result)
            log.debug("published detail: %s", written[number]["Detail"])
        if failures:
            raise PublishError(failures)
        return ids

    def _refuse_undeclared(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.detail_type not in self._detail_types:
                declared = ", ".join(sorted(self._detail_types)) or "nothing"
                raise UndeclaredError(f"{entry.detail_type!r} is not published by {self._source}, only {declared}")

    def _write(self, entry: Entry) -> dict[str, Any]:
        written: dict[str, Any] = {
            "EventBusName": self._bus,
            "Source": self._source,
            "DetailType": entry.detail_type,
            "Detail": json.dumps(entry.detail, separators=(",", ":"), ensure_ascii=False),
        }
        return written | {"Resources": list(entry.resources)} if entry.resources else written

    def _put(self, batch: list[dict[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The result of each entry; a call that fails as a whole fails each of them."""
        try:
            results: Sequence[Mapping[str, Any]] = self._client.put_events(Entries=batch)["Entries"]
        except Exception as error:  # whatever it is, it is the failure of every entry
            answer = getattr(error, "response", None) or {}
            code = answer.get("Error", {}).get("Code") or type(error).__name__
            return [{"ErrorCode": code, "ErrorMessage": str(error)}] * len(batch)
        return results

    @property
    def _client(self) -> EventsClient:
        if self._given_client is None:
            import boto3
            from botocore.config import Config

            config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})
            self._given_client = boto3.client("events", config=config)
        return self._given_client


def _result(entry: Entry, answer: Mapping[str, Any]) -> str | Failure:
    """The id that an entry got, or why the bus did not accept it."""
    if "EventId" in answer:
        return str(answer["EventId"])
    return Failure(entry, answer.get("ErrorCode", "Unknown"), answer.get("ErrorMessage", ""))


def _is_transient(result: str | Failure) -> bool:
    """Whether an entry failed for a reason that may be gone at the next attempt."""
    return isinstance(result, Failure) and result.code not in PERMANENT


def _bytes(written: Mapping[str, Any]) -> int:
    """The size of an entry as EventBridge counts it (user guide, "Calculating PutEvents event entry size")."""
    texts = [written["Source"], written["DetailType"], written["Detail"], *written.get("Resources", ())]
    return sum(len(text.encode("utf-8", "replace")) for text in texts)


def _batches(numbers: Sequence[int], written: Sequence[Mapping[str, Any]]) -> Iterator[list[int]]:
    batch: list[int] = []
    total = 0
    for number in numbers:
        size = _bytes(written[number])
        if batch and (len(batch) == MAX_ENTRIES or total + size > MAX_BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(number)
        total += size
    if batch:
        yield batch
