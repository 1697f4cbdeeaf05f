"""What happened, as a tree: every put, rule, delivery, retry, loss, and what functions did in turn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

__all__ = ["Node", "Trace", "label"]

COLOURS = {
    "denied": "red",
    "dead-lettered": "red",
    "dropped": "red",
    "failed": "red",
    "lost": "bold red",
    "refused": "red",
    "rejected": "red",
    "retry": "yellow",
    "delivered": "green",
    "put": "bold",
    "http": "bold",
    "replayed": "bold",
    "redriven": "bold",
}


class Node:
    """One thing that happened: what, when (seconds since the simulator was made), to whom, and what followed.

    `depth` says how many puts led to it, itself included.

    Kinds: `http`, `put`, `denied`, `refused`, `rule`, `delivered`, `retry`, `dropped`, `dead-lettered`, `lost`,
    `invoked`, `returned`, `failed`, `call`, `log`, `archived`, `replayed`, `redriven`, `rejected`.
    """

    __slots__ = ("account", "at", "children", "data", "depth", "kind", "place", "real", "words")

    def __init__(self, kind: str, at: float, place: str, account: str, words: str, data: dict[str, Any]) -> None:
        self.kind = kind
        self.at = at
        self.place = place
        self.account = account
        self.words = words
        self.data = data
        self.depth = 0
        self.real = time.perf_counter()
        self.children: list[Node] = []

    def walk(self) -> Iterator[Node]:
        """This and everything that followed, in the order of cause."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(node.children)

    def as_dict(self) -> dict[str, Any]:
        """The node and what followed as JSON values."""
        own = {"kind": self.kind, "at": round(self.at, 3), "account": self.account, "place": self.place}
        return own | {"words": self.words, **self.data, "children": [one.as_dict() for one in self.children]}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.place} {self.words}>"


class Trace:
    """Some nodes and all that followed from them."""

    def __init__(self, roots: list[Node]) -> None:
        self.roots = roots

    def __iter__(self) -> Iterator[Node]:
        for root in self.roots:
            yield from root.walk()

    def of(self, *kinds: str) -> list[Node]:
        """The nodes of some kinds."""
        return [one for one in self if one.kind in kinds]

    @property
    def lost(self) -> list[Node]:
        """What nobody will ever see again: neither delivered nor in a queue."""
        return self.of("lost", "dropped")

    def delivered_to(self, detail_type: str | None = None) -> list[str]:
        """The names of what events were delivered to, in order; of one detail-type if given."""
        return [
            one.place
            for one in self.of("delivered")
            if detail_type is None or one.data.get("detail_type") == detail_type
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """All of it as JSON values."""
        return [one.as_dict() for one in self.roots]

    def tree(self) -> Tree:
        """All of it, to be printed by rich: a delivery stands in the place of the rule that made it."""
        top = Tree("", hide_root=True)
        stack = [(root, top, "") for root in reversed(self.roots)]
        while stack:
            node, parent, rule = stack.pop()
            if node.kind == "rule" and node.children:
                stack += [(child, parent, node.place) for child in reversed(node.children)]
                continue
            branch = parent.add(label(node, rule))
            stack += [(child, branch, "") for child in reversed(node.children)]
        return top

    def counts(self) -> dict[str, int]:
        """How often the things happened that people ask for."""
        kinds = Counter(one.kind for one in self)
        events = sum(one.kind == "put" for one in self)
        hops = sum(one.kind == "delivered" and one.data.get("target") == "bus" for one in self)
        return {
            "events": events,
            "hops": hops,
            "deliveries": kinds["delivered"],
            "retries": sum(one.data.get("attempts", 1) for one in self.of("retry")),
            "denials": kinds["denied"],
            "dead letters": kinds["dead-lettered"] + kinds["rejected"],
            "lost": len(self.lost),
        }

    def table(self, **more: str) -> Table:
        """The counts, to be printed by rich, with more columns if given."""
        counts = {name: str(count) for name, count in self.counts().items()} | more
        table = Table(*counts)
        table.add_row(*counts.values())
        return table

    def mermaid(self) -> str:
        """A sequence diagram: who sent which event to whom, and what went wrong."""
        lines, names = ["sequenceDiagram"], dict[str, str]()

        def name(place: str) -> str:
            if place not in names:
                names[place] = f"p{len(names)}"
                lines.append(f"  participant {names[place]} as {_plain(place)}")
            return names[place]

        body: list[str] = []
        stack = [(root, root.data.get("caller", "caller")) for root in reversed(self.roots)]
        while stack:
            node, sender = stack.pop()
            reached = sender
            if node.kind in ("http", "put", "delivered", "invoked", "replayed"):
                arrow = "->>" if node.kind != "delivered" else "-)"
                words = node.data.get("detail_type") or node.words or node.kind
                if node.place != sender:
                    body.append(f"  {name(sender)}{arrow}{name(node.place)}: {_plain(words)}")
                reached = node.place
            elif node.kind in ("denied", "refused", "dropped", "dead-lettered", "lost", "failed", "rejected"):
                arrow = "--x" if node.kind != "dead-lettered" else "--)"
                body.append(f"  {name(sender)}{arrow}{name(node.place)}: {_plain(f'{node.kind} {node.words}')}")
            stack += [(child, reached) for child in reversed(node.children)]
        return "\n".join(lines + body) + "\n"


def label(node: Node, rule: str = "") -> str:
    """A node in a line of rich's markup."""
    colour = COLOURS.get(node.kind, "default")
    parts = [f"[{colour}]{node.kind}[/{colour}]", f"[dim]{escape(node.account)}:[/dim]{escape(node.place)}"]
    if node.words:
        parts.append(escape(node.words))
    more = [f"rule {rule}"] if rule else []
    if "allowed_by" in node.data:
        more.append(f"allowed by {node.data['allowed_by'].rpartition(', ')[2]}")
    if node.at >= 0.1:
        more.append(f"after {node.at:,.1f} s")
    if node.data.get("attempts"):
        more.append(f"{node.data['attempts']} retries")
    return " ".join(parts) + (f" [dim]({escape(', '.join(more))})[/dim]" if more else "")


def _plain(text: str) -> str:
    """Text that Mermaid does not take for syntax."""
    short = text if len(text) <= 80 else text[:79] + "…"
    return short.replace("#", "").replace(";", ",").replace("\n", " ")
