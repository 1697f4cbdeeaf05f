"""Where Lambda and Pipes send what came of asynchronous invocations and of batches of streams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from backbone.simulator.engine import Engine
from backbone.system import access
from backbone.system.iam import Policy
from backbone.system.model import EventBus, Function, Queue, Role
from backbone.system.pipes import Pipe
from backbone.trace import Node, NodeKind

__all__ = ["Destinations", "Result", "Sender"]

Sender = Function | Pipe
"""Who sends records with a role of its own."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an invocation: the record of it, whether it succeeded, what it is in words, and its node."""

    record: Mapping[str, Any]
    succeeded: bool
    words: str
    node: Node | None
    about: Mapping[str, Any]
    """What nodes that tell of it have beside the words."""


class InvokeLater(Protocol):
    """Invokes a function asynchronously."""

    def __call__(self, function: Function, event: Any, node: Node) -> None:
        """Invoke it; what follows goes below the node."""


class Destinations:
    """The queues, buses and functions that records are sent to."""

    def __init__(self, engine: Engine, invoke_later: InvokeLater) -> None:
        self._engine = engine
        self._invoke_later = invoke_later

    def send_record(self, sender: Sender, arn: str | None, result: Result) -> None:
        """Send the record of what a function or a pipe did or failed at. A failure that cannot be sent is lost."""
        engine = self._engine
        if arn is None:
            if not result.succeeded:
                self._lose(sender, f"{result.words}; no failure destination", result)
            return
        if (refusal := self._refusal(sender, arn)) is not None:
            self._lose(sender, f"{result.words}; {refusal}", result)
            return
        if self._is_gone(sender, arn, result):
            return
        to = engine.system.resources[arn]
        if isinstance(to, Queue):
            self._send(to, sender, json.dumps(result.record), {}, result)
            return
        node = engine.node("call", to.name, to.account, result.words, result.node, **result.about)
        if isinstance(to, Function):
            self._invoke_later(to, dict(result.record), node)
        elif (refused := self._put_event(sender, arn, result, node)) is not None:
            self._lose(sender, f"{result.words}; {to.name} does not take it: {refused}", result)

    def _is_gone(self, sender: Sender, arn: str, result: Result) -> bool:
        """Whether a record went to where nothing is simulated."""
        if access.service_of(arn) not in access.DESTINATIONS_NOT_SIMULATED:
            return False
        words = f"{result.words}; not simulated: what becomes of it there"
        self._engine.node("call", arn, sender.account, words, result.node, **result.about)
        return True

    def _send(
        self, queue: Queue, sender: Sender, body: str, attributes: Mapping[str, str | int], result: Result
    ) -> None:
        engine = self._engine
        if (refused := engine.refuses(queue, body, attributes)) is not None:
            self._lose(sender, f"{result.words}; {queue.name} does not take it: {refused}", result)
            return
        kind: NodeKind = "call" if result.succeeded else "dead-lettered"
        node = engine.node(kind, queue.name, queue.account, result.words, result.node, **result.about)
        engine.send(queue, body, attributes, node)

    def _put_event(self, sender: Sender, arn: str, result: Result, node: Node) -> str | None:
        engine, role = self._engine, self._engine.system.get(Role, sender.role_arn)
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {'Success' if result.succeeded else 'Failure'}",
            "Detail": json.dumps(result.record),
            "Resources": [arn, f"{sender.arn}:$LATEST"],
            "EventBusName": arn,
        }
        assert role is not None  # noqa: S101 - it was asked whether it may
        with engine.below(node):
            (answer,) = engine.put_events([entry], role.identity)["Entries"]
        return f"{answer['ErrorCode']}: {answer['ErrorMessage']}" if "ErrorCode" in answer else None

    def send_dead_letter(
        self, function: Function, event: Any, attributes: Mapping[str, str | int], result: Result
    ) -> None:
        """Send the event that a function failed at to its own dead-letter queue."""
        engine, arn = self._engine, function.dead_letters_arn or ""
        queue, refusal = engine.system.get(Queue, arn), self._refusal(function, arn)
        if refusal is None and self._is_gone(function, arn, result):
            return
        if queue is None or refusal is not None:
            self._lose(function, f"{result.words}; {refusal or f'{arn} is no queue of these stacks'}", result)
            return
        self._send(queue, function, json.dumps(event), attributes, result)

    def _refusal(self, sender: Sender, arn: str) -> str | None:
        """Why a sender's role may not send to a destination; None when it may."""
        system = self._engine.system
        to, role = system.resources.get(arn), system.get(Role, sender.role_arn)
        if role is None:
            return f"{sender.name} has no role"
        if isinstance(to, EventBus):
            return None  # PutEvents asks for itself
        policies: Iterable[Policy] = ()
        if isinstance(to, Queue | Function):
            policies = to.permissions if isinstance(to, Function) else filter(None, [to.policy])
        elif access.service_of(arn) not in access.DESTINATIONS_NOT_SIMULATED:
            return f"the destination {arn} is not in any stack"
        return access.send_refusal(role.identity, arn, self._engine.context, policies)

    def _lose(self, sender: Sender, words: str, result: Result) -> None:
        self._engine.node("lost", sender.name, sender.account, words, result.node, **result.about)
