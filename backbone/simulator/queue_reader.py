"""How a queue is read for a function or a pipe: batches, filters, partial failures and throttling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

from backbone.aws.limits import INVOCATION_BYTES
from backbone.simulator.batches import failed_ids
from backbone.simulator.consumers import Consumer, Item
from backbone.simulator.engine import Engine, Timer
from backbone.simulator.messages import Message, md5_of_attributes, system_attributes
from backbone.simulator.sqs import Sqs
from backbone.system.mapping import EventSourceMapping
from backbone.system.model import Queue
from backbone.trace import Node

__all__ = ["QueueReader"]

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Pauses while a consumer is throttled; AWS does not say how long its own are."""

BATCHES_AT_ONCE = 4
"""The most that are with a consumer, where several run at once. AWS begins with 5."""

MANY_RECEIPTS = 100
"""From so many receipts on a message is received when its age has doubled. AWS goes on at the same pace, until the
queue's retention ends, which would be hundreds of thousands of invocations."""


class QueueReader:
    """Reads a queue for a consumer as an event source mapping says."""

    def __init__(self, engine: Engine, sqs: Sqs, consumer: Consumer, mapping: EventSourceMapping, queue: Queue) -> None:
        self._engine = engine
        self._sqs = sqs
        self._consumer = consumer
        self._mapping = mapping
        self._queue = queue
        self._messages = sqs.queues[queue.arn]
        self._timer: Timer | None = None
        self._buffer: list[Message] = []
        """What was received and waits for the batch to be full or the batching window to end."""
        self._window_ends: float | None = None
        self._running = 0
        """How many batches the consumer is working on, where several run at once."""
        self._pause = FIRST_PAUSE_SECONDS
        self._holding: Node | None = None
        sqs.readers.setdefault(queue.arn, []).append(self)

    @cached_property
    def refusal(self) -> str | None:
        """Why it receives nothing; None when it does."""
        if not self._mapping.enabled:
            return self._consumer.off
        actions, queue = ("sqs:GetQueueAttributes", "sqs:ReceiveMessage"), self._queue
        return self._consumer.refusal(actions, queue.arn, queue.account_id, queue.policy)

    @cached_property
    def _delete_refusal(self) -> str | None:
        actions, queue = ("sqs:DeleteMessage",), self._queue
        return self._consumer.refusal(actions, queue.arn, queue.account_id, queue.policy)

    # When it looks

    def arrived(self, message: Message) -> None:
        """Take note of a message that is new in the queue."""
        at = message.expires_at if self.refusal else message.visible_at
        if self._timer is None or self._timer.action is None or self._timer.at > at:
            self._look_at(at)

    def look_again(self) -> None:
        """Look when the next message can be received."""
        self._look_at(self._next_look())

    def _next_look(self) -> float | None:
        now = self._engine.now
        if self.refusal:
            # Time passes until the messages are lost, so that a simulation does not end before.
            return self._messages.next_expiry
        found = self._messages.next_visible()
        if found is None:
            return self._window_ends
        at, message = found
        if message.receives >= MANY_RECEIPTS:
            at = max(at, now + now - message.sent_at)
        elif message.receives:
            at = max(at, now + FIRST_PAUSE_SECONDS)
        return at if self._window_ends is None else min(at, self._window_ends)

    def _look_at(self, at: float | None) -> None:
        engine, timer = self._engine, self._timer
        if timer is not None and timer.action is not None:
            if timer.at == at:
                return
            engine.cancel(timer)
        self._timer = None if at is None else engine.at(max(0.0, at - engine.now), self._look)

    # What it does

    def _look(self) -> None:
        if self.refusal or self._holds_back():
            return
        if self._running >= min(self._mapping.max_concurrency or BATCHES_AT_ONCE, BATCHES_AT_ONCE):
            return  # the end of a run looks again
        now, size = self._engine.now, self._mapping.batch_size
        received = self._sqs.receive(self._queue, size - len(self._buffer))
        self._buffer += [message for message in received if message not in self._buffer and self._wants(message)]
        if self._buffer and self._window_ends is None:
            self._window_ends = now + self._mapping.batching_window_seconds
        if self._window_ends is not None and (len(self._buffer) >= size or now >= self._window_ends):
            batch, self._buffer, self._window_ends = self._buffer, [], None
            for part in self._payloads([message for message in batch if self._messages.find(message.id) is message]):
                self._running += 1
                self._invoke(part, None)
                self._running -= 1
        self.look_again()

    def _holds_back(self) -> bool:
        """Whether nothing is received, since as many batches as the mapping allows are with the consumer.

        A throttled function stands for one whose concurrency is used up: a mapping with a maximum of its own waits.
        """
        if self._mapping.max_concurrency is None:
            return False
        words = self._consumer.throttled()
        if words is None:
            self._pause, self._holding = FIRST_PAUSE_SECONDS, None
            return False
        first = self._messages.messages[0] if self._messages.messages else None
        if first is not None:
            self._holding = self._retry(self._holding, f"{words}; nothing is received meanwhile", first)
            self._look_at(self._engine.now + self._pause)
            self._pause = min(LONGEST_PAUSE_SECONDS, 2 * self._pause)
        return True

    def _wants(self, message: Message) -> bool:
        """Whether the consumer is given a message; it is deleted otherwise."""
        if self._mapping.wants(self._record(message), "body"):
            return True
        consumer = self._consumer
        self._engine.node("filtered", consumer.name, consumer.account, "no filter matches", message.node)
        self._delete(message)
        return False

    def _invoke(self, batch: list[tuple[Message, dict[str, Any]]], retrying: Node | None, pause: float = 1.0) -> None:
        """Give the consumer a batch; while it is throttled, again until the messages are visible to others."""
        engine = self._engine
        if retrying is not None:
            batch = [(message, record) for message, record in batch if self._is_held(message, record)]
            if not batch:
                return
        if self._mapping.max_concurrency is None and (words := self._consumer.throttled()) is not None:
            retrying = self._retry(retrying, words, batch[0][0])
            if engine.now + pause < min(message.visible_at for message, _ in batch):
                longer = min(LONGEST_PAUSE_SECONDS, 2 * pause)
                engine.at(pause, partial(self._invoke, batch, retrying, longer))
            return
        outcome = self._consumer.give([Item(message.id, record, message.node) for message, record in batch])
        ids = {message.id for message, _ in batch}
        failed = failed_ids(ids, outcome, partial=self._mapping.partial_failures)
        for message, _ in batch:
            if message.id not in failed:
                self._delete(message)
        if retrying is not None:
            self.look_again()

    def _is_held(self, message: Message, record: dict[str, Any]) -> bool:
        """Whether a message that was received is still there and was given to nobody else."""
        return message.receipt == record["receiptHandle"] and self._messages.find(message.id) is message

    def _retry(self, retrying: Node | None, words: str, message: Message) -> Node:
        consumer = self._consumer
        if retrying is None:
            retrying = self._engine.node("retry", consumer.name, consumer.account, words, message.node, attempts=0)
        retrying.data["attempts"] += 1
        return retrying

    def _delete(self, message: Message) -> None:
        if self._delete_refusal is None:
            self._messages.remove(message)
        else:
            queue = self._queue
            words = f"sqs:DeleteMessage: {self._delete_refusal}: the message comes again"
            self._engine.node("denied", queue.name, queue.account, words, message.node, code="AccessDenied")

    def _payloads(self, batch: list[Message]) -> Iterator[list[tuple[Message, dict[str, Any]]]]:
        """The batch in parts that are no larger than an invocation may be."""
        part: list[tuple[Message, dict[str, Any]]] = []
        size = 0
        for message in batch:
            record = self._record(message)
            more = len(json.dumps(record))
            if part and size + more > INVOCATION_BYTES:
                yield part
                part, size = [], 0
            part.append((message, record))
            size += more
        if part:
            yield part

    def _record(self, message: Message) -> dict[str, Any]:
        """A message as functions and pipes get it."""
        record: dict[str, Any] = {
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": system_attributes(message, self._engine.milliseconds),
            "messageAttributes": {
                name: {
                    "binaryValue" if each.is_binary else "stringValue": each.value,
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": each.type,
                }
                for name, each in message.message_attributes.items()
            },
            "md5OfBody": message.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.arn,
            "awsRegion": self._queue.place.region,
        }
        if message.message_attributes:
            record["md5OfMessageAttributes"] = md5_of_attributes(message.message_attributes)
        elif self._mapping.batching_window_seconds:
            record["md5OfMessageAttributes"] = None
        return record
