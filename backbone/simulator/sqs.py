"""SQS: queues with their messages, who is told of them, and what becomes of those that nobody deletes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from backbone.simulator.engine import Engine, Request, SimulatorError, Timer
from backbone.simulator.messages import Attribute, CallError, Message, attributes_of, check_body
from backbone.simulator.queues import MessageQueue
from backbone.system.model import Queue
from backbone.trace import Node

__all__ = ["Message", "Reader", "Sqs"]


class Reader(Protocol):
    """Reads a queue for a function."""

    def arrived(self, message: Message) -> None:
        """Take note of a message that is new in the queue."""

    def look_again(self) -> None:
        """Look when the next message can be received."""

    @property
    def refusal(self) -> str | None:
        """Why it receives nothing; None when it does."""


class Sqs:
    """The queues of a system."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.queues = {
            queue.arn: MessageQueue(queue, self._dead_letters_of(queue)) for queue in engine.system.of(Queue)
        }
        """Each queue with its messages, by its ARN."""
        self.readers: dict[str, list[Reader]] = {}
        """Who reads each queue, by its ARN."""
        self._expiries: dict[str, Timer] = {}
        engine.take(Queue, "queue", self._deliver)
        engine.send = self.send
        engine.refuses = self.refuses

    @property
    def messages(self) -> dict[str, list[Message]]:
        """The messages of each queue by its ARN, oldest first."""
        return {arn: queue.messages for arn, queue in self.queues.items()}

    def take_over(self, before: Sqs) -> None:
        """Take the messages of the queues that are still there; those of others are lost."""
        for arn, old in before.queues.items():
            own = self.queues.get(arn)
            if own is None:
                for message in old.messages:
                    words = "the queue is there no more"
                    self._engine.node("lost", old.queue.name, old.queue.account, words, message.node)
                continue
            own.take_over(old)
            for message in own.messages:
                self._arrived(own.queue, message)

    # Sending

    def send(
        self,
        queue: Queue,
        body: str,
        attributes: Mapping[str, str | int],
        node: Node | None,
        *,
        hops: int = 0,
        group: str | None = None,
    ) -> None:
        """Send what a service of AWS sends."""
        self.put(queue, body, attributes_of(attributes), node, hops=hops, group=group)

    def refuses(
        self, queue: Queue, body: str, attributes: Mapping[str, str | int], *, group: str | None = None
    ) -> str | None:
        """Why a queue does not take what a service of AWS sends; None when it does."""
        try:
            self._message(queue, body, attributes_of(attributes), group=group)
        except CallError as refused:
            return f"{refused.code}: {refused.message}"
        return None

    def put(
        self,
        queue: Queue,
        body: str,
        attributes: Mapping[str, Attribute],
        node: Node | None,
        *,
        delay_seconds: float | None = None,
        **more: Any,
    ) -> Message:
        """Put a message into a queue, and have those who read the queue look into it; CallError when it is refused.

        A message that repeats one to a FIFO queue is not put again, and the earlier one is returned. `more` are other
        fields of the message.
        """
        engine = self._engine
        message = self._message(queue, body, attributes, **more)
        message.id, message.node, message.sent_at = engine.new_id(), node, engine.now
        message.visible_at = engine.now + (queue.delay_seconds if delay_seconds is None else delay_seconds)
        message.expires_at = engine.now + queue.retention_seconds
        put = self.queues[queue.arn].put(message, engine.now)
        if put is message:
            self._arrived(queue, message)
        return put

    def _message(self, queue: Queue, body: str, attributes: Mapping[str, Attribute], **more: Any) -> Message:
        """A message on its way to a queue; CallError when the queue does not take it."""
        message = Message(body=check_body(body), message_attributes=dict(attributes), **more)
        if queue.fifo is not None and queue.fifo.by_content and message.deduplication_id is None:
            message.deduplication_id = hashlib.sha256(body.encode()).hexdigest()
        check_message(queue, message)
        return message

    def _deliver(self, queue: Queue, request: Request, node: Node) -> None:
        self.send(queue, request.input, {}, node, group=request.target.message_group)

    def _arrived(self, queue: Queue, message: Message) -> None:
        self._watch(queue, message.expires_at)
        for reader in self.readers.get(queue.arn, ()):
            reader.arrived(message)

    def have_readers_look_again(self, queue: Queue) -> None:
        """Tell those who read a queue that another message may be the next."""
        for reader in self.readers.get(queue.arn, ()):
            reader.look_again()

    # Receiving

    def receive(self, queue: Queue, maximum: int, visibility_seconds: float | None = None) -> list[Message]:
        """The next messages of a queue; those that were received too often go to its dead-letter queue."""
        own = self.queues[queue.arn]
        found, spent = own.receive(self._engine.now, maximum, visibility_seconds)
        for message in spent:
            if own.dead_letters is not None:
                self._move(queue, message, own.dead_letters)
        return found

    def _dead_letters_of(self, queue: Queue) -> Queue | None:
        dead = self._engine.system.get(Queue, queue.redrive_arn)
        if dead is None or (dead.redrive_sources is not None and queue.arn not in dead.redrive_sources):
            return None
        return dead

    def _move(self, queue: Queue, message: Message, dead: Queue) -> None:
        engine = self._engine
        words = f"received {message.receives} times"
        message.node = engine.node("dead-lettered", dead.name, dead.account, words, message.node)
        self.queues[dead.arn].move_here(message, queue, engine.now)
        self._arrived(dead, message)

    def return_to_source(self, message: Message, node: Node) -> bool:
        """Send a dead letter back to the queue that it was moved from; False when it was moved from none."""
        queue = self._engine.system.get(Queue, message.source_arn)
        if queue is None:
            return False
        self.put(
            queue,
            message.body,
            message.message_attributes,
            node,
            group=message.group,
            deduplication_id=message.deduplication_id,
            delay_seconds=0,
            hops=message.hops,
        )
        return True

    def take_all(self, name: str) -> tuple[Queue, list[Message]]:
        """Empty a queue, by its name, ARN or address, and return what was in it."""
        queue = self._engine.system.find(Queue, name)
        if queue is None:
            known = ", ".join(queue.name for queue in self._engine.system.of(Queue))
            raise SimulatorError(f"queue: got {name!r}; allowed: {known}")
        kept = self.queues[queue.arn].messages
        messages, kept[:] = list(kept), []
        return queue, messages

    # Retention

    def _watch(self, queue: Queue, expiry: float) -> None:
        """See to it that messages are removed when they are older than the queue keeps them."""
        engine, timer = self._engine, self._expiries.get(queue.arn)
        if timer is not None and timer.action is not None and timer.at <= expiry:
            return
        engine.cancel(timer)
        self._expiries[queue.arn] = engine.at(expiry - engine.now, lambda: self._expire(queue), passive=True)

    def _expire(self, queue: Queue) -> None:
        engine = self._engine
        readers = self.readers.get(queue.arn, ())
        refusals = [reader.refusal for reader in readers if reader.refusal]
        for message in self.queues[queue.arn].expired(engine.now):
            words = f"older than the {queue.retention_seconds:,} seconds that the queue keeps messages"
            if message.receives:
                words += f", received {message.receives} times"
            for refusal in refusals:
                words += f"; {refusal}"
            engine.node("lost", queue.name, queue.account, words, message.node)
        if (expiry := self.queues[queue.arn].next_expiry) is not None:
            self._watch(queue, expiry)
        self.have_readers_look_again(queue)


def check_message(queue: Queue, message: Message) -> None:
    """CallError when a queue does not take a message."""
    if message.size > queue.max_message_bytes:
        words = (
            f"One or more parameters are invalid. Reason: Message must be shorter than {queue.max_message_bytes} bytes."
        )
        raise CallError("InvalidParameterValue", words)
    if queue.fifo is None:
        return
    if message.group is None:
        raise CallError("MissingParameter", "The request must contain the parameter MessageGroupId.")
    if message.deduplication_id is None:
        words = (
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
        raise CallError("InvalidParameterValue", words)
