"""SQS: queues with their messages, and how Lambda reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backbone.simulator.api import error, reply
from backbone.simulator.engine import Engine, Request, SimulatorError
from backbone.simulator.processes import Call, Outcome, Reply
from backbone.system.iam import Identity, authorize
from backbone.system.model import EventSourceMapping, Function, Queue
from backbone.trace import Node, NodeKind

__all__ = ["Message", "Sqs"]


@dataclass
class Message:
    """A message in a queue, with its attributes. `hops` says how often its event was forwarded from bus to bus."""

    body: str
    attributes: dict[str, str]
    id: str = ""
    receives: int = 0
    visible_at: float = 0.0
    hops: int = 0


class Sqs:
    """The queues of a system."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.messages: dict[str, list[Message]] = engine.states(Queue, list)
        """The messages of each queue by its ARN, oldest first."""
        self._by_url = {queue.url: queue for queue in engine.system.of(Queue)}
        self._readers: dict[str, list[tuple[Function, EventSourceMapping]]] = {}
        self._failures_of = {function.failures_arn: function for function in engine.system.of(Function)}
        for function in engine.system.of(Function):
            for mapping in function.mappings:
                self._readers.setdefault(mapping.source_arn, []).append((function, mapping))
        engine.take(Queue, "queue", self._deliver)
        engine.answer("AmazonSQS", self._answer)
        engine.send = self.send

    def send(self, queue: Queue, body: str, attributes: dict[str, str], node: Node | None, *, hops: int = 0) -> Message:
        """Put a message into a queue, and let the functions that read it look into it."""
        engine = self._engine
        message = Message(body, attributes, engine.new_id(), visible_at=engine.now, hops=hops)
        self.messages[queue.arn].append(message)
        self._poll(queue, node)
        return message

    def _deliver(self, queue: Queue, request: Request, node: Node) -> None:
        self.send(queue, request.input, {}, node)

    # How Lambda reads

    def _poll(self, queue: Queue, node: Node | None, seconds: float = 0) -> None:
        for function, mapping in self._readers.get(queue.arn, ()):
            self._engine.at(seconds, lambda f=function, m=mapping: self._receive(queue, f, m, node))  # type: ignore[misc]

    def _receive(self, queue: Queue, function: Function, mapping: EventSourceMapping, node: Node | None) -> None:
        """Give a function what is visible, delete what it did, and look again when something is visible again."""
        engine, messages = self._engine, self.messages[queue.arn]
        batch = [message for message in messages if message.visible_at <= engine.now][: mapping.batch_size]
        if not batch:
            return
        for message in batch:
            message.receives += 1
            message.visible_at = engine.now + queue.visibility_seconds
        outcome = engine.invoke(function, {"Records": [_record(queue, message) for message in batch]}, node)
        failed = _failed(batch, outcome, partial=mapping.partial_failures)
        messages[:] = [message for message in messages if message not in batch or message.id in failed]
        for message in [message for message in batch if message.id in failed]:
            self._move_if_spent(queue, message, node)
        if messages:
            soonest = min(message.visible_at for message in messages)
            self._poll(queue, node, max(0.0, soonest - engine.now))

    def _move_if_spent(self, queue: Queue, message: Message, node: Node | None) -> None:
        dead = self._engine.system.get(Queue, queue.redrive_arn)
        if dead is not None and message.receives >= queue.max_receives:
            self.messages[queue.arn].remove(message)
            self.messages[dead.arn].append(message)
            words = f"received {message.receives} times"
            self._engine.node("dead-lettered", dead.name, dead.account, words, node)

    # What functions ask

    def _answer(self, who: Identity, call: Call) -> Reply:
        engine, given = self._engine, json.loads(call.body or b"{}")
        operation, url = call.target.partition(".")[2], given.get("QueueUrl")
        queue = self._by_url.get(str(url))
        if queue is None:
            return error("AWS.SimpleQueueService.NonExistentQueue", f"there is no queue {url}")
        action = f"sqs:{operation}"
        decision = authorize(
            who,
            action,
            queue.arn,
            owner=queue.account_id,
            policies=filter(None, [queue.policy]),
            context=engine.context,
        )
        if not decision:
            words = f"{action}: {decision.why}"
            engine.node("denied", queue.name, queue.account, words, code="AccessDenied")
            return error("AccessDenied", decision.why, 403)
        if operation != "SendMessage":
            return error("NotSimulated", f"{action} is not simulated", 501)
        if engine.strikes(("throttle", "timeout"), *queue.names):
            return error("ThrottlingException", "throttled by a fault")
        return self._send_message(queue, given)

    def _send_message(self, queue: Queue, given: Mapping[str, Any]) -> Reply:
        body = str(given["MessageBody"])
        kind: NodeKind = "rejected" if queue.arn in self._failures_of else "call"
        message = self.send(queue, body, {}, None)
        self._engine.node(kind, queue.name, queue.account, "sqs:SendMessage")
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        return reply({"MessageId": message.id, "MD5OfMessageBody": digest})

    # Again

    def take_all(self, name: str) -> tuple[Queue, list[Message]]:
        """Empty a queue, by its name, ARN or address, and return what was in it."""
        queue = self._engine.system.find(Queue, name)
        if queue is None:
            known = ", ".join(queue.name for queue in self._engine.system.of(Queue))
            raise SimulatorError(f"queue: got {name!r}; allowed: {known}")
        messages, self.messages[queue.arn][:] = list(self.messages[queue.arn]), []
        return queue, messages

    def failing_function(self, queue: Queue) -> Function | None:
        """The function whose failure queue this is."""
        return self._failures_of.get(queue.arn)


def _record(queue: Queue, message: Message) -> dict[str, Any]:
    """A message as a function gets it."""
    return {
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": queue.place.region,
    }


def _failed(batch: list[Message], outcome: Outcome, *, partial: bool) -> set[str]:
    """The ids of the messages that a function did not do."""
    if outcome.error is not None:
        return {message.id for message in batch}
    answer = outcome.result if isinstance(outcome.result, dict) and partial else {}
    return {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", [])}
