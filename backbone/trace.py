"""What happened, as a tree: every put, rule, delivery, retry, loss, and what functions did in turn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, get_args

__all__ = ["OUTCOMES", "Node", "NodeKind", "Outcome", "Trace"]

Outcome = Literal["denied", "refused", "failed", "dead-letter", "lost", "http-error"]
"""What should not happen: each is a bad end of an event, an invocation or a call."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

NodeKind = Literal[
    "http",
    "returned",
    "put",
    "denied",
    "refused",
    "archived",
    "replayed",
    "rule",
    "delivered",
    "retry",
    "filtered",
    "dropped",
    "lost",
    "dead-lettered",
    "redriven",
    "rejected",
    "invoked",
    "failed",
    "call",
]
"""What can happen, by where: at an API, on a bus, on the way to a target, in a queue, in a function.

`filtered` is what a mapping's filters keep from its function, `dropped` a loss without any error, `rejected` an event
that a function put into its failure queue itself.
"""


class Node:
    """A thing that happened: what, when (seconds since the simulator was made), to whom, and what followed.

    `depth` says how many puts and calls led to it, itself included. `number` counts all nodes of a simulation, and
    `parent` and `root` are the numbers of what it followed from; it has no parent where those are its own. `payload`
    is what was put, sent or returned, where there is such a thing.
    """

    __slots__ = (
        *("account", "at", "children", "data", "depth", "kind", "number", "parent", "payload", "place", "real", "root"),
        "words",
    )

    def __init__(self, kind: NodeKind, at: float, place: str, account: str, words: str, data: dict[str, Any]) -> None:
        self.kind = kind
        self.at = at
        self.place = place
        self.account = account
        self.words = words
        self.data = data
        self.depth = self.number = self.parent = self.root = 0
        self.payload: Any = None
        self.real = time.perf_counter()
        self.children: list[Node] = []

    def walk(self) -> Iterator[Node]:
        """This and everything that followed, in the order of cause."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(node.children)

    @property
    def outcome(self) -> Outcome | None:
        """The kind of bad end that this is; None when it is none."""
        if self.kind == "returned":
            return "http-error" if self.data.get("status", 200) >= 400 else None
        return _BAD_ENDS.get(self.kind)

    def as_dict(self) -> dict[str, Any]:
        """The node and what followed as JSON values."""
        own = {"kind": self.kind, "at": round(self.at, 3), "account": self.account, "place": self.place}
        return own | {"words": self.words, **self.data, "children": [child.as_dict() for child in self.children]}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.place} {self.words}>"


_BAD_ENDS: dict[NodeKind, Outcome] = {
    "denied": "denied",
    "refused": "refused",
    "failed": "failed",
    "dead-lettered": "dead-letter",
    "rejected": "dead-letter",
    "lost": "lost",
    "dropped": "lost",
}


class Trace:
    """Some nodes and all that followed from them."""

    def __init__(self, roots: list[Node]) -> None:
        self.roots = roots

    def __iter__(self) -> Iterator[Node]:
        for root in self.roots:
            yield from root.walk()

    def of(self, *kinds: str) -> list[Node]:
        """The nodes of some kinds."""
        return [node for node in self if node.kind in kinds]

    @property
    def lost(self) -> list[Node]:
        """What nobody will ever see again: neither delivered nor in a queue."""
        return self.of("lost", "dropped")

    def published(self, detail_type: str) -> int:
        """How many events of a detail-type were put on a bus."""
        return sum(node.data.get("detail_type") == detail_type for node in self.of("put"))

    def delivered_to(self, detail_type: str | None = None) -> list[str]:
        """The names of what events were delivered to, in order; only of a detail-type if given."""
        return [
            node.place
            for node in self.of("delivered")
            if detail_type is None or node.data.get("detail_type") == detail_type
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """All of it as JSON values."""
        return [root.as_dict() for root in self.roots]

    def counts(self) -> dict[str, int]:
        """How often the usual things happened: events, deliveries, retries, losses."""
        kinds = Counter(node.kind for node in self)
        events = sum(node.kind == "put" for node in self)
        hops = sum(node.kind == "delivered" and node.data.get("target") == "bus" for node in self)
        return {
            "events": events,
            "hops": hops,
            "deliveries": kinds["delivered"],
            "retries": sum(node.data.get("attempts", 1) for node in self.of("retry")),
            "denials": kinds["denied"],
            "dead letters": kinds["dead-lettered"] + kinds["rejected"],
            "lost": len(self.lost),
        }
