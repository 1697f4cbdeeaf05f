"""What a queue of SQS does with its messages, at times that are given to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from backbone.aws.limits import DEDUPLICATION_SECONDS
from backbone.simulator.messages import Message
from backbone.system.model import Queue

__all__ = ["MessageQueue", "Received"]

FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000


class Received(NamedTuple):
    """What a receipt gives: messages, and those that were received too often."""

    messages: list[Message]
    spent: list[Message]


class MessageQueue:
    """The messages of a queue, oldest first. Times are seconds on the simulator's clock."""

    def __init__(self, queue: Queue, dead_letters: Queue | None) -> None:
        self.queue = queue
        self.dead_letters = dead_letters
        """Where messages go that were received too often; None where they stay."""
        self.messages: list[Message] = []
        self._sent: dict[tuple[str | None, str], tuple[float, Message]] = {}
        """Of a FIFO queue, what was sent in the last minutes: by group, if ids count within groups, and by id."""
        self._sequence = FIRST_SEQUENCE_NUMBER
        self._turn = 0

    def put(self, message: Message, now: float) -> Message:
        """Take a message, or return the one of the last five minutes that it repeats."""
        if (fifo := self.queue.fifo) is not None and message.deduplication_id is not None:
            self._forget_sent(now)
            key = message.group if fifo.within_group else None, message.deduplication_id
            if key in self._sent:
                return self._sent[key][1]
            self._sent[key] = now, message
            self._number(message)
        self.show(message, message.visible_at)
        self.messages.append(message)
        return message

    def take_over(self, before: MessageQueue) -> None:
        """Take the messages of this queue as it was, and what it remembers of those that were sent."""
        self.messages += before.messages
        self._sent, self._sequence, self._turn = before._sent, before._sequence, before._turn

    def show(self, message: Message, at: float) -> None:
        """Have a message be visible from a time on, after those that are from the same time on."""
        self._turn += 1
        message.visible_at, message.turn = at, self._turn

    def move_here(self, message: Message, source: Queue, now: float) -> None:
        """Take a message that was received too often in another queue.

        In a FIFO queue its age begins anew, in another it does not (developer guide, "Dead-letter queues").
        """
        if self.queue.fifo is not None:
            message.sent_at = now
            self._number(message)
        message.expires_at = message.sent_at + self.queue.retention_seconds
        self.show(message, now)
        message.source_arn = source.arn
        self.messages.append(message)

    def _forget_sent(self, now: float) -> None:
        while self._sent:
            key, (sent_at, _) = next(iter(self._sent.items()))
            if now - sent_at < DEDUPLICATION_SECONDS:
                return
            del self._sent[key]

    def _number(self, message: Message) -> None:
        self._sequence += 1
        message.sequence_number = str(self._sequence)

    def receive(self, now: float, maximum: int, visibility_seconds: float | None = None) -> Received:
        """The next messages, which nobody else is then given for a while.

        Messages that were received as often as the redrive policy allows are removed instead.
        """
        hidden = self.queue.visibility_seconds if visibility_seconds is None else visibility_seconds
        found, spent = list[Message](), list[Message]()
        for message in self._visible(now):
            if len(found) == maximum:
                break
            if self.dead_letters is not None and message.receives >= self.queue.max_receives:
                spent.append(message)
            else:
                found.append(message)
        for message in spent:
            self.messages.remove(message)
        for message in found:
            message.receives += 1
            self.show(message, now + hidden)
            if message.first_received_at is None:
                message.first_received_at = now
        return Received(found, spent)

    def _visible(self, now: float) -> Iterator[Message]:
        """The messages that can be received, in the order in which they are.

        A FIFO queue gives a message group after the other, the one whose first message became visible first before
        the others, and of each no more than up to the first message that is in flight (seen on AWS).
        """
        if self.queue.fifo is None:
            yield from (message for message in self.messages if message.visible_at <= now)
            return
        for messages in sorted(self._groups(), key=lambda group: (group[0].visible_at, group[0].turn)):
            yield from takewhile(lambda message: message.visible_at <= now, messages)

    def _groups(self) -> list[list[Message]]:
        """The messages of each message group."""
        groups: dict[str | None, list[Message]] = {}
        for message in self.messages:
            groups.setdefault(message.group, []).append(message)
        return list(groups.values())

    def find(self, id: str) -> Message | None:
        """The message with an id."""
        return next((message for message in self.messages if message.id == id), None)

    def remove(self, message: Message) -> bool:
        """Remove a message; False when it is not there any more."""
        try:
            self.messages.remove(message)
        except ValueError:
            return False
        return True

    def expired(self, now: float) -> list[Message]:
        """Remove the messages that are older than the queue keeps them."""
        found = [message for message in self.messages if message.expires_at <= now]
        for message in found:
            self.messages.remove(message)
        return found

    def next_visible(self) -> tuple[float, Message] | None:
        """The message that can be received first, and when."""
        heads = self.messages if self.queue.fifo is None else [group[0] for group in self._groups()]
        first = min(heads, key=lambda message: message.visible_at, default=None)
        return None if first is None else (first.visible_at, first)

    def clear(self) -> None:
        """Remove every message, and forget what was sent."""
        self.messages.clear()
        self._sent.clear()

    @property
    def next_expiry(self) -> float | None:
        """When the first message is removed for its age."""
        return min((message.expires_at for message in self.messages), default=None)
