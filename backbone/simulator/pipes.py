"""EventBridge Pipes: what a pipe is given, is enriched, filled into its template, and sent to its target.

Sources: EventBridge user guide, "Amazon EventBridge Pipes concepts", "Batching and concurrency", "Input transformation"
and "Error handling and troubleshooting".
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from backbone.simulator.consumers import Item
from backbone.simulator.engine import Engine, Request
from backbone.simulator.processes import Outcome
from backbone.system import pipe_access
from backbone.system.access import service_of
from backbone.system.iam import Policy
from backbone.system.model import EventBus, Function, Queue, Resource, Role, Target
from backbone.system.pipe_template import PipeTemplate, decoded
from backbone.system.pipes import BATCH_SIZES, SYNCHRONOUS, Pipe
from backbone.system.target_input import Dropped, at_path
from backbone.trace import Node

__all__ = ["PipeConsumer"]

WHOLE_BATCHES = ("lambda", "states")
"""Services whose targets are sent a batch as one list, and not each item by itself."""


class PipeConsumer:
    """A pipe, which sends what it is given to its target."""

    def __init__(self, engine: Engine, pipe: Pipe, inputs: dict[str, list[str]]) -> None:
        self._engine, self._system, self._inputs = engine, engine.system, inputs
        self.sender = self._pipe = pipe
        self.name, self.account = pipe.name, pipe.account
        self.off = f"the pipe {pipe.name} is stopped"
        self._to = pipe_access.target_of(engine.system, pipe)
        self._enrichment = pipe_access.enrichment_of(engine.system, pipe)

    def refusal(self, actions: Collection[str], arn: str, owner: str, policy: Policy | None = None) -> str | None:
        """Why the pipe may not do something to its source; None when it may."""
        return pipe_access.read_refusal(self._system, self._pipe, actions, arn, owner, policy)

    def throttled(self) -> str | None:
        """Why what the pipe calls takes nothing now; None when it does."""
        engine = self._engine
        called = [each for each in (self._enrichment, self._to) if isinstance(each, Function)]
        for function in called:
            if (words := engine.throttle(function)) is not None:
                return words
        names = (*self._pipe.names, *(() if isinstance(self._to, Function) else self._target_names))
        fault = engine.strikes(("throttle", "timeout"), *names)
        return f"{fault.kind} by a fault" if fault is not None else None

    @property
    def _target_names(self) -> tuple[str, ...]:
        return self._to.names if self._to is not None else (self._pipe.target.arn,)

    def failure(self, condition: str, attempts: int, outcome: Outcome | None) -> dict[str, Any]:
        """How what tells of records that were given up begins: with the pipe.

        Seen on AWS for retries that are exhausted; what it says of records that are too old is taken from Lambda.
        """
        return {"context": {"partnerResourceArn": self._pipe.arn, "condition": condition}}

    # A batch

    def give(self, items: Sequence[Item]) -> Outcome:
        """Send a batch to the target. Items that it does not take are named in the answer, as functions name them."""
        pipe, items = self._pipe, [self._shaped(item) for item in items]
        if (refused := self._denied()) is not None:
            node = self._hop(items[0].node)
            self._engine.node("denied", pipe.name, pipe.account, refused, node, code=pipe_access.DENIED)
            return _error(refused)
        if pipe.enrichment_arn is None:
            return self._send(items)
        return self._enrich(items)

    def _shaped(self, item: Item) -> Item:
        """A record as pipes have it: those of Kinesis with their fields beside each other."""
        kinesis: Mapping[str, Any] | None = item.content.get("kinesis")
        if kinesis is None:
            return item
        others = {name: value for name, value in item.content.items() if name != "kinesis"}
        return item._replace(content={**kinesis, **others, "invokeIdentityArn": self._pipe.role_arn})

    def _denied(self) -> str | None:
        """Why the target or the enrichment is not called; None when both are."""
        pipe, system = self._pipe, self._system
        refusal = pipe_access.enrichment_refusal(system, pipe) or pipe_access.send_refusal(system, pipe)
        if refusal is not None:
            return str(refusal)
        is_struck = self._engine.strikes(("deny",), *pipe.names, *self._target_names) is not None
        return "denied by a fault" if is_struck else None

    def _hop(self, parent: Node | None) -> Node:
        pipe = self._pipe
        node = self._engine.node("rule", pipe.name, pipe.account, "", parent, address=pipe.address)
        node.depth += 1  # a chain of pipes may lead back to where it began
        return node

    def _known(self, event: Any, read: Any) -> dict[str, Any]:
        """The variables of a template for an item; `read` is the item with what it carries as text read."""
        pipe = self._pipe
        return {
            "aws.pipes.pipe-arn": pipe.arn,
            "aws.pipes.pipe-name": pipe.name,
            "aws.pipes.source-arn": pipe.mapping.source_arn,
            "aws.pipes.enrichment-arn": pipe.enrichment_arn or "",
            "aws.pipes.target-arn": pipe.target.arn,
            "aws.pipes.event.ingestion-time": self._engine.iso_milliseconds(),
            "aws.pipes.event": event,
            "aws.pipes.event.json": read,
        }

    def _filled(self, template: PipeTemplate | None, content: Any, *, is_source: bool) -> str | Dropped:
        """What is sent of an item: of one of the source a template can name what is within its text."""
        if template is None:
            return _compact(content)
        read = decoded(content, self._pipe.mapping.service) if is_source else content
        found = template.fill(read, self._known(content, read))
        return found if isinstance(found, Dropped) else found.text

    # The enrichment

    def _enrich(self, items: Sequence[Item]) -> Outcome:
        """Give the batch to the enrichment, and send what it answers; nothing is sent where it answers nothing."""
        pipe, node = self._pipe, self._hop(items[0].node)
        filled = [self._filled(pipe.enrichment_template, item.content, is_source=True) for item in items]
        for item, text in zip(items, filled, strict=True):
            if isinstance(text, Dropped):
                return self._failed(pipe.name, text.reason, item.node)
        sent = [text for text in filled if isinstance(text, str)]
        if self._enrichment is None:
            words = "not simulated: what the enrichment answers, and what the target is sent then"
            self._record(pipe.enrichment_arn or "", [f"[{','.join(sent)}]"], node, words)
            return Outcome()
        outcome = self._engine.invoke(self._enrichment, [_value(text) for text in sent], node)
        if outcome.error is not None:
            return outcome
        if outcome.result in (None, "", [], {}):
            return Outcome()
        answered = outcome.result if isinstance(outcome.result, list) else [outcome.result]
        if len(answered) > BATCH_SIZES.get(service_of(pipe.target.arn), len(answered)):
            return self._failed(pipe.name, f"the enrichment answered {len(answered)} items, which is too many", node)
        ended = self._send([Item("", content, node) for content in answered], is_source=False)
        return _error("items that the enrichment answered were not taken") if _names_failures(ended) else ended

    # The target

    def _send(self, items: Sequence[Item], *, is_source: bool = True) -> Outcome:
        pipe = self._pipe
        filled = [(item, self._filled(pipe.template, item.content, is_source=is_source)) for item in items]
        failed: list[str] = []
        sent: list[tuple[Item, str]] = []
        for item, text in filled:
            if isinstance(text, Dropped):
                self._failed(pipe.name, text.reason, item.node)
                failed.append(item.id)
            else:
                sent.append((item, text))
        if sent and service_of(pipe.target.arn) in WHOLE_BATCHES:
            first = sent[0][0].node
            node = self._hop(first) if is_source or first is None else first
            outcome = self._send_whole([text for _, text in sent], node)
            if outcome.error is not None or not failed:
                return outcome
        else:
            failed += [item.id for item, text in sent if not self._send_one(item, text, is_source=is_source)]
        return Outcome(result={"batchItemFailures": [{"itemIdentifier": each} for each in failed]})

    def _send_whole(self, texts: Sequence[str], node: Node) -> Outcome:
        """Send a batch as a list; a function that is waited for may answer what failed in it."""
        pipe, to = self._pipe, self._to
        payload = f"[{','.join(texts)}]"
        if not isinstance(to, Function):
            self._record(pipe.target.arn, [payload], node, "not simulated: what becomes of it there")
            return Outcome()
        below = self._engine.node("delivered", to.name, to.account, "", node, payload=payload, target="function")
        if pipe.invocation == SYNCHRONOUS:
            return self._engine.invoke(to, json.loads(payload), below)
        self._deliver(to, pipe.target, payload, below, {"id": ""})
        return Outcome()

    def _send_one(self, item: Item, text: str, *, is_source: bool) -> bool:
        """Send an item to a target that takes it by itself; returns whether it is taken."""
        engine, pipe, to = self._engine, self._pipe, self._to
        node = self._hop(item.node) if is_source or item.node is None else item.node
        if to is None:
            self._record(pipe.target.arn, [text], node, "not simulated: what becomes of it there")
            return True
        target = self._target_for(item, is_source=is_source)
        if isinstance(to, Queue):
            refused = engine.refuses(to, text, {}, group=target.message_group)
            if refused is not None:
                self._failed(to.name, refused, node)
                return False
        word, _ = engine.deliveries[type(to)]
        below = engine.node("delivered", to.name, to.account, "", node, payload=text, target=word)
        if isinstance(to, EventBus):
            return self._put(to, text, below)
        self._deliver(to, target, text, below, {"id": item.id})
        return True

    def _target_for(self, item: Item, *, is_source: bool) -> Target:
        """The target with the parameters that name a field of the item."""
        target = self._pipe.target
        if target.partition_key is None and target.message_group is None:
            return target
        read = decoded(item.content, self._pipe.mapping.service) if is_source else item.content
        key, group = _dynamic(target.partition_key, read), _dynamic(target.message_group, read)
        return replace(target, partition_key=key, message_group=group)

    def _deliver(self, to: Resource, target: Target, text: str, node: Node, event: dict[str, Any]) -> None:
        _, deliver = self._engine.deliveries[type(to)]
        deliver(to, Request(target, event, text, 0), node)

    def _put(self, bus: EventBus, detail: str, node: Node) -> bool:
        """Put an event on a bus, as the pipe's role; returns whether it is taken."""
        engine, pipe = self._engine, self._pipe
        role = self._system.get(Role, pipe.role_arn)
        entry = {
            "Source": pipe.event_source or f"Pipe {pipe.name}",
            "DetailType": pipe.event_type or f"Event from aws:{pipe.mapping.service}",
            "Detail": detail,
            "EventBusName": bus.arn,
        }
        assert role is not None  # noqa: S101 - it was asked whether it may
        with engine.below(node):
            (answer,) = engine.put_events([entry], role.identity)["Entries"]
        return "ErrorCode" not in answer

    # What is noted

    def _record(self, arn: str, sent: Sequence[str], node: Node, words: str) -> None:
        """Keep what is sent to where nothing is simulated; it is lost where something is in the way behind that."""
        target = self._pipe.target
        obstacle = self._system.obstacle_behind(target) if arn == target.arn else None
        for text in sent:
            below = self._engine.node("delivered", arn, self.account, words, node, target="target", input=text)
            self._inputs.setdefault(arn, []).append(text)
            if obstacle is not None:
                self._engine.node("lost", arn, self.account, obstacle.words, below)

    def _failed(self, place: str, words: str, node: Node | None) -> Outcome:
        self._engine.node("failed", place, self.account, words, node)
        return _error(words)


def _error(words: str) -> Outcome:
    return Outcome(error={"errorType": "PipeError", "errorMessage": words})


def _names_failures(outcome: Outcome) -> bool:
    return isinstance(outcome.result, dict) and bool(outcome.result.get("batchItemFailures"))


def _dynamic(text: str | None, read: Any) -> str | None:
    """A parameter of a target, which may be a path into the item (user guide, "Dynamic path parameters")."""
    return str(at_path(read, text)) if text is not None and text.startswith("$.") else text


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
