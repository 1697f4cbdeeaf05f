"""An event's tree, and every decision about it: who let it in, which rules matched it and why the others did not."""

from __future__ import annotations

from typing import Any

from backbone.simulator.page.history import event_in
from backbone.system.model import EventBus, Rule, System
from backbone.trace import Node

__all__ = ["rules", "tree"]

MOST_NODES = 2_000
MOST_RULES = 200


def tree(root: Node) -> dict[str, Any]:
    """A node and what followed, as JSON values; what goes beyond `MOST_NODES` is left out."""
    top = _node(root)
    stack, count = [(root, top)], 1
    while stack:
        node, found = stack.pop()
        for child in list(node.children):
            if count == MOST_NODES:
                top["left_out"] = True
                return top
            count += 1
            below = _node(child)
            found["children"].append(below)
            stack.append((child, below))
    return top


def _node(node: Node) -> dict[str, Any]:
    return {
        "number": node.number,
        "kind": node.kind,
        "at": round(node.at, 3),
        "account": node.account,
        "place": node.place,
        "words": node.words,
        "data": dict(node.data),
        "outcome": node.outcome,
        "payload": node.payload,
        "children": [],
    }


def rules(system: System, node: Node) -> list[dict[str, Any]]:
    """The rules of the bus that an event was put on, those that match first, each with the reason."""
    event = event_in(node.payload)
    bus = next((bus for bus in system.of(EventBus) if (bus.name, bus.account) == (node.place, node.account)), None)
    if event is None or bus is None:
        return []
    found = [_decision(rule, event) for rule in system.of(Rule) if rule.bus_arn == bus.arn and rule.pattern is not None]
    return sorted(found, key=lambda each: not each["matched"])[:MOST_RULES]


def _decision(rule: Rule, event: dict[str, Any]) -> dict[str, Any]:
    assert rule.pattern is not None  # noqa: S101 - asked by the caller
    explanation = rule.pattern.explain(event)
    why = "it is disabled" if not rule.enabled else str(explanation)
    return {
        "name": rule.name,
        "matched": rule.enabled and bool(explanation),
        "why": why,
        "pattern": rule.pattern.to_json(),
    }
