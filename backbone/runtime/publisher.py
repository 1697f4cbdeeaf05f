"""Puts events on an event bus so that each is either accepted or named in an error.

It needs only boto3, and not even that when a client is given, so this file can be copied as it is.
"""

from __future__ import annotations

import json
import logging
import math
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

__all__ = ["Entry", "EventsClient", "Failure", "PublishError", "Publisher", "UndeclaredError"]

log = logging.getLogger(__name__)

MAX_ENTRIES = 10
"""Entries of one PutEvents call (EventBridge API reference)."""

MAX_ENTRY_BYTES = 1024 * 1024
"""The largest event since January 2026; before it was 256 KB."""

TIME_BYTES = 14
"""What the time of an event counts."""

MAX_BATCH_BYTES = 256 * 1024
"""Entries share a call up to this size, which any bus takes; a larger entry is sent alone."""

CALL_SECONDS = 3
"""The longest that one call of a client made here takes: 1 s to connect and 2 s for an answer."""

DENIED = {
    "AccessDeniedException",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
}

PERMANENT = DENIED | {
    "InvalidAccountIdException",
    "InvalidArgument",
    "MalformedDetail",
    "RedactionFailure",
    "ResourceNotFoundException",
    "TooLarge",
    "ValidationException",
}
"""Error codes that no further attempt changes (EventBridge API reference, PutEventsResultEntry)."""

NOT_SENT = {"ConnectTimeoutError", "EndpointConnectionError", "ProxyConnectionError"}
"""Errors of a client that had no connection; after any other it is not known whether the events arrived."""


class EventsClient(Protocol):
    """The part of boto3's `events` client that is used here."""

    def put_events(self, *, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """Put up to 10 entries."""


@dataclass(frozen=True)
class Entry:
    """An event to be published. `detail` must be JSON; `time` is when it happened, in seconds since 1970."""

    detail_type: str
    detail: Mapping[str, Any]
    resources: tuple[str, ...] = ()
    time: float | None = None


@dataclass(frozen=True)
class Failure:
    """An entry that the bus did not accept as far as is known, and why.

    `maybe_published` says that an attempt was not answered: the event may be on the bus all the same.
    """

    entry: Entry
    code: str
    message: str
    maybe_published: bool = False

    @property
    def permanent(self) -> bool:
        """Whether no further attempt will change it."""
        return self.code in PERMANENT

    def __str__(self) -> str:
        doubt = " (it may be on the bus all the same)" if self.maybe_published else ""
        return f"{self.entry.detail_type}: {self.code}: {self.message}{doubt}"


class PublishError(Exception):
    """Some events could not be published: `failures` lists them. All others are on the bus."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__(f"{len(failures)} events could not be published: {'; '.join(map(str, failures))}")

    @property
    def permanent(self) -> bool:
        """Whether no further attempt will publish any of them."""
        return all(failure.permanent for failure in self.failures)

    @property
    def denied(self) -> bool:
        """Whether a permission is missing for any of them, which may have been granted the next time."""
        return any(failure.code in DENIED for failure in self.failures)


class UndeclaredError(ValueError):
    """The service does not declare that it publishes such events."""


class Publisher:
    """Publishes the events that a service declares, under its source.

    Entries that fail for a transient reason are sent again, up to `attempts` times in all, after pauses that start at
    `pause_seconds` and double, each shortened at random by up to a half. No call is begun that might take longer than
    what `remaining_seconds` says is left. A call that is refused as a whole is split, so that an entry which is to
    blame takes no other with it. Without `detail_types` nothing is checked before it is sent. `elsewhere` has the ARN
    of another bus than `bus` for the detail-types that are published there.
    """

    def __init__(
        self,
        *,
        bus: str,
        source: str,
        detail_types: Collection[str] | None,
        elsewhere: Mapping[str, str] = MappingProxyType({}),
        client: EventsClient | None = None,
        attempts: int = 3,
        pause_seconds: float = 0.1,
        sleep: Callable[[float], None] = time.sleep,
        remaining_seconds: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._bus, self._elsewhere = bus, elsewhere
        self._source = source
        self._detail_types = None if detail_types is None else frozenset(detail_types)
        self._given_client = client
        self._attempts = attempts
        self._pause_seconds = pause_seconds
        self._sleep = sleep
        self._remaining_seconds = remaining_seconds

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
            if not waiting or (attempt and not self._pause(attempt)):
                break
            for batch in _batches(waiting, written):
                for number, answer in zip(batch, self._put([written[number] for number in batch]), strict=True):
                    results[number] = _result(entries[number], answer, results.get(number))
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

    def _pause(self, attempt: int) -> bool:
        """Wait before another attempt; False where there would be no time for it."""
        seconds = self._pause_seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311 - spreads load
        if self._remaining_seconds() < seconds + CALL_SECONDS:
            return False
        self._sleep(seconds)
        return True

    def _refuse_undeclared(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if self._detail_types is not None and entry.detail_type not in self._detail_types:
                declared = ", ".join(sorted(self._detail_types)) or "nothing"
                raise UndeclaredError(f"{entry.detail_type!r} is not published by {self._source}, only {declared}")

    def _write(self, entry: Entry) -> dict[str, Any]:
        written: dict[str, Any] = {
            "EventBusName": self._elsewhere.get(entry.detail_type, self._bus),
            "Source": self._source,
            "DetailType": entry.detail_type,
            "Detail": json.dumps(entry.detail, separators=(",", ":"), ensure_ascii=False),
        }
        if entry.resources:
            written["Resources"] = list(entry.resources)
        if entry.time is not None:
            written["Time"] = entry.time
        return written

    def _put(self, batch: list[dict[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The result of each entry; a call that fails as a whole fails each of them."""
        if self._remaining_seconds() < CALL_SECONDS:
            return [{"ErrorCode": "NoTimeLeft", "ErrorMessage": "the function would time out"}] * len(batch)
        try:
            results: Sequence[Mapping[str, Any]] = self._client.put_events(Entries=batch)["Entries"]
        except Exception as error:  # whatever it is, it is the failure of every entry
            answer = getattr(error, "response", None) or {}
            code = answer.get("Error", {}).get("Code") or type(error).__name__
            if code in PERMANENT and len(batch) > 1:
                half = len(batch) // 2
                return [*self._put(batch[:half]), *self._put(batch[half:])]
            unanswered = not answer and code not in NOT_SENT
            return [{"ErrorCode": code, "ErrorMessage": str(error), "Unanswered": unanswered}] * len(batch)
        return results

    @property
    def _client(self) -> EventsClient:
        if self._given_client is None:
            import boto3
            from botocore.config import Config

            config = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
            self._given_client = boto3.client("events", config=config)
        return self._given_client


def _result(entry: Entry, answer: Mapping[str, Any], before: str | Failure | None) -> str | Failure:
    """The id that an entry got, or why the bus did not accept it; `before` is the result of the attempt before."""
    if "EventId" in answer:
        return str(answer["EventId"])
    doubt = bool(answer.get("Unanswered")) or (isinstance(before, Failure) and before.maybe_published)
    return Failure(entry, answer.get("ErrorCode", "Unknown"), answer.get("ErrorMessage", ""), doubt)


def _is_transient(result: str | Failure) -> bool:
    """Whether an entry failed for a reason that may be gone at the next attempt."""
    return isinstance(result, Failure) and not result.permanent


def _bytes(written: Mapping[str, Any]) -> int:
    """The size of an entry as EventBridge counts it (user guide, "Calculating PutEvents event entry size")."""
    texts = [written["Source"], written["DetailType"], written["Detail"], *written.get("Resources", ())]
    return sum(len(text.encode("utf-8", "replace")) for text in texts) + TIME_BYTES * ("Time" in written)


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
