"""How a stream is read for a function or a pipe: in order, each batch again until it is done or given up."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from backbone.aws.limits import INVOCATION_BYTES
from backbone.simulator.batches import failed_ids
from backbone.simulator.consumers import Consumer, Item
from backbone.simulator.destinations import Destinations, Result
from backbone.simulator.engine import Engine, StreamRecord, Timer
from backbone.simulator.processes import Outcome
from backbone.system.access import READING
from backbone.system.mapping import EventSourceMapping
from backbone.trace import Node

__all__ = ["StreamReader", "StreamSource"]

FIRST_PAUSE_SECONDS = 1.0
PAUSES_GROW_BY = 1.6
LONGEST_PAUSE_SECONDS = 300.0
"""Pauses between attempts. AWS's are not published: 8 attempts within 60 seconds were recorded, as there are here."""

BATCH_INFO = {"kinesis": "KinesisBatchInfo", "dynamodb": "DDBStreamBatchInfo"}


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A stream as its readers know it."""

    arn: str
    account_id: str
    retention_seconds: float


@dataclass(slots=True, eq=False)
class _Batch:
    """Records that the consumer is given together."""

    records: list[StreamRecord]
    attempts: int = 0
    """How often the consumer was given them."""
    failures: int = 0
    """How many of those attempts count against the mapping's limit."""
    pause: float = FIRST_PAUSE_SECONDS
    waiting: Node | None = None
    """What tells of attempts that were throttled."""


@dataclass(slots=True, eq=False)
class _Lane:
    """Records that stay in their order, and the batches made of them, of which the last is next."""

    records: deque[StreamRecord] = field(default_factory=deque)
    batches: list[_Batch] = field(default_factory=list)
    timer: Timer | None = None


class StreamReader:
    """Reads a stream for a consumer as an event source mapping says."""

    def __init__(
        self,
        engine: Engine,
        destinations: Destinations,
        consumer: Consumer,
        mapping: EventSourceMapping,
        source: StreamSource,
    ) -> None:
        self._engine = engine
        self._destinations = destinations
        self._consumer = consumer
        self._mapping = mapping
        self._source = source
        self._lanes: dict[tuple[str, int], _Lane] = {}
        engine.streams.setdefault(source.arn, []).append(self.take)

    @cached_property
    def _refusal(self) -> str | None:
        """Why it gets nothing; None when it does."""
        if not self._mapping.enabled:
            return self._consumer.off
        actions, source = READING[self._mapping.service], self._source
        return self._consumer.refusal(actions, source.arn, source.account_id)

    @cached_property
    def _starts_at(self) -> float:
        """The time, in seconds since 1970, from which records are read."""
        text = self._mapping.starts_at
        return 0.0 if text is None else datetime.fromisoformat(text).timestamp()

    def take(self, record: StreamRecord) -> None:
        """Take a record that is new in the stream."""
        engine, consumer = self._engine, self._consumer
        if self._refusal is not None:
            engine.at(self._source.retention_seconds, partial(self._lose, record, self._refusal))
            return
        if engine.timestamp < self._starts_at:
            return
        if not self._mapping.wants(_for_filters(record), "data"):
            engine.node("filtered", consumer.name, consumer.account, "no filter matches", record.node)
            return
        digest = hashlib.md5(record.key.encode(), usedforsecurity=False).digest()
        lane = self._lanes.setdefault((record.shard, digest[0] % self._mapping.parallelization), _Lane())
        lane.records.append(record)
        if not lane.batches:
            full = len(lane.records) >= self._mapping.batch_size
            self._run_at(lane, engine.now if full else record.arrived + self._mapping.batching_window_seconds)

    def _run_at(self, lane: _Lane, at: float) -> None:
        """Go on with a lane, at a time or earlier if that was to be."""
        engine, timer = self._engine, lane.timer
        if timer is not None and timer.action is not None:
            if timer.at <= at:
                return
            engine.cancel(timer)
        lane.timer = engine.at(at - engine.now, lambda: self._run(lane))

    def _run(self, lane: _Lane) -> None:
        """Give the consumer the next batch of a lane."""
        if not lane.batches:
            if not lane.records:
                return
            lane.batches.append(_Batch(self._next_records(lane)))
        batch = lane.batches[-1]
        self._drop_old(batch)
        if not batch.records:
            self._done(lane)
        elif (words := self._consumer.throttled()) is not None:
            self._wait(lane, batch, words)
        else:
            self._invoke(lane, batch)

    def _next_records(self, lane: _Lane) -> list[StreamRecord]:
        found: list[StreamRecord] = []
        size = 0
        while lane.records and len(found) < self._mapping.batch_size:
            size += len(json.dumps(lane.records[0].content))
            if found and size > INVOCATION_BYTES:
                break
            found.append(lane.records.popleft())
        return found

    def _drop_old(self, batch: _Batch) -> None:
        """Give up records that are older than the mapping wants them or the stream keeps them."""
        now, kept, most = self._engine.now, self._source.retention_seconds, self._mapping.max_record_age_seconds
        fresh: list[StreamRecord] = []
        old: list[StreamRecord] = []
        for record in batch.records:
            age = now - record.arrived
            if age >= kept:
                self._lose(record, f"received {batch.attempts} times")
            elif most is not None and age > most:
                old.append(record)
            else:
                fresh.append(record)
        batch.records = fresh
        if old:
            self._give_up(old, "RecordAgeExceeded", max(batch.attempts, 1), None)

    def _lose(self, record: StreamRecord, why: str) -> None:
        words = f"older than the {self._source.retention_seconds:,} seconds that the stream keeps records; {why}"
        self._engine.node("lost", self._consumer.name, self._consumer.account, words, record.node)

    def _wait(self, lane: _Lane, batch: _Batch, words: str) -> None:
        """Try a batch again that was throttled, which counts against no limit of attempts."""
        consumer = self._consumer
        if batch.waiting is None:
            parent = batch.records[0].node
            batch.waiting = self._engine.node("retry", consumer.name, consumer.account, words, parent, attempts=0)
        batch.waiting.data["attempts"] += 1
        self._again(lane, batch)

    def _again(self, lane: _Lane, batch: _Batch) -> None:
        self._run_at(lane, self._engine.now + batch.pause)
        batch.pause = min(LONGEST_PAUSE_SECONDS, PAUSES_GROW_BY * batch.pause)

    def _done(self, lane: _Lane) -> None:
        """Go on after a batch that is done or given up."""
        lane.batches.pop()
        if lane.batches or len(lane.records) >= self._mapping.batch_size:
            self._run_at(lane, self._engine.now)
        elif lane.records:
            self._run_at(lane, max(self._engine.now, lane.records[0].arrived + self._mapping.batching_window_seconds))

    def _invoke(self, lane: _Lane, batch: _Batch) -> None:
        ids = [record.sequence_number for record in batch.records]
        outcome = self._consumer.give(
            [Item(record.sequence_number, dict(record.content), record.node) for record in batch.records]
        )
        batch.attempts += 1
        failed = failed_ids(ids, outcome, partial=self._mapping.partial_failures, empty_text=True)
        if not failed:
            self._done(lane)
            return
        first = min(ids.index(each) for each in failed)
        batch.records = batch.records[first:]
        if self._mapping.bisects and first == 0 and len(batch.records) > 1:
            lane.batches.pop()
            lane.batches += self._halves(batch)
            self._run_at(lane, self._engine.now + FIRST_PAUSE_SECONDS)
            return
        batch.failures += 1
        most = self._mapping.max_retry_attempts
        if most is not None and batch.failures > most:
            self._give_up(batch.records, "RetryAttemptsExhausted", batch.attempts, outcome)
            self._done(lane)
        else:
            self._again(lane, batch)

    def _halves(self, batch: _Batch) -> list[_Batch]:
        """The halves of a batch that failed, the first one last; being halved counts against no limit of attempts."""
        middle = len(batch.records) // 2
        parts = batch.records[middle:], batch.records[:middle]
        return [_Batch(part, batch.attempts, batch.failures) for part in parts]

    def _give_up(self, records: Sequence[StreamRecord], condition: str, attempts: int, outcome: Outcome | None) -> None:
        """Send what tells of records to the mapping's failure destination, or note that they are lost."""
        arn = self._mapping.failures_arn
        problem = (outcome.error or {}).get("errorMessage", "its answer named failures") if outcome else "too old"
        words = f"{condition} after {attempts} attempts, {len(records)} records: {problem}"
        result = Result(
            self._record(records, condition, attempts, outcome),
            False,
            words,
            records[0].node,
            {"code": condition, "records": len(records)},
        )
        self._destinations.send_record(self._consumer.sender, arn, result)

    def _record(
        self, records: Sequence[StreamRecord], condition: str, attempts: int, outcome: Outcome | None
    ) -> dict[str, Any]:
        engine, service = self._engine, self._mapping.service
        time = engine.iso_milliseconds if service == "kinesis" else engine.iso_time
        about = self._consumer.failure(condition, attempts, outcome)
        return about | {
            "version": "1.0",
            "timestamp": engine.iso_milliseconds(),
            BATCH_INFO[service]: {
                "shardId": records[0].shard,
                "startSequenceNumber": records[0].sequence_number,
                "endSequenceNumber": records[-1].sequence_number,
                "approximateArrivalOfFirstRecord": time(records[0].arrived),
                "approximateArrivalOfLastRecord": time(records[-1].arrived),
                "batchSize": len(records),
                "streamArn": self._source.arn,
            },
        }


def _for_filters(record: StreamRecord) -> dict[str, Any]:
    """A record as filters see it: of Kinesis with its data decoded and the rest of its fields beside the others."""
    kinesis: Mapping[str, Any] | None = record.content.get("kinesis")
    if kinesis is None:
        return dict(record.content)
    data = base64.b64decode(kinesis["data"]).decode("utf-8", "replace")
    return {**record.content, **kinesis, "data": data}
