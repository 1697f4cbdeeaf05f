"""Who is given what comes to a queue or a stream: functions by their event source mappings, and pipes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, Protocol

from backbone.simulator.batches import refusal
from backbone.simulator.destinations import Sender
from backbone.simulator.engine import Engine
from backbone.simulator.processes import Outcome
from backbone.system.iam import Policy
from backbone.system.model import Function
from backbone.trace import Node

__all__ = ["Consumer", "FunctionConsumer", "Item"]


class Item(NamedTuple):
    """A message or record: by which id an answer names it, its content, and the node that it comes from."""

    id: str
    content: dict[str, Any]
    node: Node | None


class Consumer(Protocol):
    """Is given batches of messages or records."""

    @property
    def name(self) -> str:
        """Its name in the trace."""

    @property
    def account(self) -> str:
        """Its account."""

    @property
    def sender(self) -> Sender:
        """As who it sends what tells of failures."""

    @property
    def off(self) -> str:
        """What to say when it is switched off."""

    def refusal(self, actions: Collection[str], arn: str, owner: str, policy: Policy | None = None) -> str | None:
        """Why it may not do something to its source; None when it may."""

    def throttled(self) -> str | None:
        """Why it takes nothing now; None when it does."""

    def give(self, items: Sequence[Item]) -> Outcome:
        """Give it a batch, and return how that ended; the answer may name items that failed."""

    def failure(self, condition: str, attempts: int, outcome: Outcome | None) -> dict[str, Any]:
        """How what tells of records that were given up begins."""


class FunctionConsumer:
    """A function with an event source mapping."""

    def __init__(self, engine: Engine, function: Function) -> None:
        self._engine = engine
        self.sender = function
        self.name, self.account = function.name, function.account
        self.off = f"the event source mapping to {function.name} is disabled"

    def refusal(self, actions: Collection[str], arn: str, owner: str, policy: Policy | None = None) -> str | None:
        """Why the function's role may not do something to a source; None when it may."""
        return refusal(self._engine, self.sender, actions, arn, owner, policy)

    def throttled(self) -> str | None:
        """Why Lambda does not run the function now; None when it does."""
        return self._engine.throttle(self.sender)

    def give(self, items: Sequence[Item]) -> Outcome:
        """Invoke the function with a batch."""
        records = [item.content for item in items]
        if "kinesis" in records[0]:
            records = [{**record, "invokeIdentityArn": self.sender.role_arn} for record in records]
        return self._engine.invoke(self.sender, {"Records": records}, items[0].node)

    def failure(self, condition: str, attempts: int, outcome: Outcome | None) -> dict[str, Any]:
        """How what tells of records that were given up begins: with the invocation."""
        record: dict[str, Any] = {
            "requestContext": {
                "requestId": self._engine.new_id(),
                "functionArn": self.sender.arn,
                "condition": condition,
                "approximateInvokeCount": attempts,
            }
        }
        if outcome is not None:
            failed = None if outcome.error is None else "Unhandled"
            record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": failed}
        return record
