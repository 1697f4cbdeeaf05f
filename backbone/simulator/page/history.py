"""What the page tells of a running system: its last events, and what happened since it was last asked."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from backbone.patterns import Pattern
from backbone.simulator.page.map import Map
from backbone.trace import Node

__all__ = ["Filter", "History", "Row", "event_in"]

LAST = 2_000
"""How many events are listed."""

KNOWN = 100_000
"""Of how many nodes it is known where they were, so that what follows from them has an edge."""

BEGINS = frozenset({"put", "http", "replayed", "redriven"})
"""The kinds of nodes that have a row in the list, wherever they are in a tree."""


@dataclass(slots=True, eq=False)
class Row:
    """An event, or a call of an API, in the list."""

    node: Node
    services: set[str]
    """Those that sent it or got it."""
    time: str
    """The time of day."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """The bad ends that it came to, and how often it was delivered to a function, queue, stream or destination."""

    def as_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        node, data = self.node, self.node.data
        return {
            "number": node.number,
            "root": node.root,
            "time": self.time,
            "at": round(node.at, 3),
            "kind": node.kind,
            "detail_type": _detail_type(node),
            "source": _source(node),
            "caller": data.get("caller", ""),
            "place": node.place,
            "account": node.account,
            "services": sorted(self.services - {""}),
            "id": data.get("id", ""),
            "words": node.words,
            "outcomes": dict(self.outcomes),
        }


@dataclass(frozen=True)
class Filter:
    """Which rows are wanted; what is empty or None does not ask for anything."""

    pattern: Pattern | None = None
    source: str = ""
    detail_type: str = ""
    service: str = ""
    bad: bool = False

    def wants(self, row: Row) -> bool:
        """Whether a row is wanted."""
        node = row.node
        return (
            self.source.lower() in _source(node).lower()
            and self.detail_type.lower() in _detail_type(node).lower()
            and (not self.service or self.service in row.services)
            and not (self.bad and not any(kind != "delivered" for kind in row.outcomes))
            and (self.pattern is None or self._matches(self.pattern, node))
        )

    @staticmethod
    def _matches(pattern: Pattern, node: Node) -> bool:
        event = event_in(node.payload)
        return event is not None and pattern.matches(event)


class History:
    """Takes note of nodes as they happen. `add` is for a thread whose turn it is, the rest for any thread."""

    def __init__(self, map: Map) -> None:
        self.map = map
        self.rows: deque[Row] = deque(maxlen=LAST)
        self._edges: Counter[int] = Counter()
        self._places: Counter[int] = Counter()
        self.counts: Counter[str] = Counter()
        """How often what happened since the beginning, by its kind."""
        self._known: dict[int, tuple[int | None, Row | None]] = {}

    def take_over(self, before: History) -> None:
        """Go on where the history of the system as it was before has stopped."""
        self.rows, self.counts = before.rows, before.counts

    def add(self, node: Node) -> None:
        """Take note of a node."""
        place = self.map.place_of(node)
        before, row = self._known.get(node.parent, (None, None))
        if node.kind in BEGINS or (node.parent == node.number and node.kind != "call"):
            row = Row(node, {self.map.service_of(node), _source(node)}, time.strftime("%H:%M:%S"))
            self.rows.append(row)
        self._known[node.number] = place, row
        if len(self._known) > KNOWN:
            for number in list(self._known)[: KNOWN // 2]:
                del self._known[number]
        self.counts[node.kind] += 1
        if row is not None and (outcome := _outcome(node)) is not None:
            row.outcomes[outcome] += 1
            row.services.add(self.map.service_of(node))
        if place is not None:
            edge = self.map.edges.get((before, place)) if before is not None else None
            if edge is not None:
                self._edges[edge] += 1
            elif before != place or node.kind in BEGINS:
                self._places[place] += 1

    def take(self) -> dict[str, Any]:
        """How often events ran along each edge, or came to a place from outside, since this was last asked.

        Edges are in the order in which events first ran along them.
        """
        edges, self._edges = self._edges, Counter()
        places, self._places = self._places, Counter()
        return {"edges": list(edges.items()), "places": list(places.items()), "counts": dict(self.counts)}

    def last(self, wanted: Filter, limit: int) -> list[Row]:
        """The last rows that are wanted, the newest first."""
        rows = reversed(list(self.rows))
        return list(islice((row for row in rows if wanted.wants(row)), limit))

    def row(self, number: int) -> Row | None:
        """The row with a number; None when it is forgotten or was never there."""
        return next((row for row in list(self.rows) if row.node.number == number), None)


def event_in(payload: Any) -> dict[str, Any] | None:
    """The event that a payload is, or that its text is; None when it is none."""
    if isinstance(payload, str) and payload.startswith("{"):
        with suppress(ValueError):
            payload = json.loads(payload)
    return payload if isinstance(payload, dict) and {"source", "detail-type", "detail"} <= payload.keys() else None


def _source(node: Node) -> str:
    return str(node.data.get("source") or (event_in(node.payload) or {}).get("source", ""))


def _detail_type(node: Node) -> str:
    return str(node.data.get("detail_type") or (event_in(node.payload) or {}).get("detail-type", ""))


def _outcome(node: Node) -> str | None:
    if node.kind == "delivered":
        return "delivered" if node.data.get("target") not in ("bus", "log") else None
    return node.outcome
