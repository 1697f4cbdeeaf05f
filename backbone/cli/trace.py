"""A trace as a tree, a table, a sequence diagram, or a line for each node as it happens."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Self

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from rich.console import Console

    from backbone.trace import Node, Trace

__all__ = ["LivePrinter", "label", "mermaid", "table", "tree"]

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

PRINT_SECONDS = 0.1
LINES_AT_ONCE = 50
"""How many lines are printed in each `PRINT_SECONDS`."""


def tree(trace: Trace) -> Tree:
    """The whole trace: a delivery stands in the place of the rule that made it."""
    top = Tree("", hide_root=True)
    stack = [(root, top, "") for root in reversed(trace.roots)]
    while stack:
        node, parent, rule = stack.pop()
        if node.kind == "rule" and node.children:
            stack += [(child, parent, node.place) for child in reversed(node.children)]
            continue
        branch = parent.add(label(node, rule))
        stack += [(child, branch, "") for child in reversed(node.children)]
    return top


def table(trace: Trace, **more: str) -> Table:
    """The counts of a trace, with more columns if given."""
    counts = {name: str(count) for name, count in trace.counts().items()} | more
    found = Table(*counts)
    found.add_row(*counts.values())
    return found


class LivePrinter:
    """Prints a line for each node of a running system, with the time of day; rules and calls are left out.

    It prints in a thread of its own, and what happens faster than somebody reads only in numbers.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._nodes: deque[Node] = deque()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def add(self, node: Node) -> None:
        """Have a node printed soon."""
        if node.kind not in ("rule", "call"):
            self._nodes.append(node)

    def _run(self) -> None:
        while not self._ended.wait(PRINT_SECONDS):
            self._print()
        self._print()

    def _print(self) -> None:
        nodes = [self._nodes.popleft() for _ in range(len(self._nodes))]
        now = time.strftime("%H:%M:%S")
        for node in nodes[:LINES_AT_ONCE]:
            self._console.print(Text.assemble((now, "dim"), " ", label(node)), soft_wrap=True)
        if more := Counter(node.kind for node in nodes[LINES_AT_ONCE:]):
            words = ", ".join(f"{count:,} {kind}" for kind, count in more.most_common())
            self._console.print(Text(f"{now} and more: {words}", "dim"), soft_wrap=True)


def label(node: Node, rule: str = "") -> Text:
    """A node in a line."""
    line = Text.assemble((node.kind, COLOURS.get(node.kind, "")), " ", (f"{node.account}:", "dim"), node.place)
    if node.words:
        line.append(f" {node.words}")
    more = [f"rule {rule}"] if rule else []
    if "allowed_by" in node.data:
        more.append(f"allowed by {node.data['allowed_by'].rpartition(', ')[2]}")
    if node.at >= 0.1:
        more.append(f"after {node.at:,.1f} s")
    if node.data.get("attempts"):
        more.append(f"{node.data['attempts']} retries")
    if more:
        line.append(f" ({', '.join(more)})", "dim")
    return line


def mermaid(trace: Trace) -> str:
    """A sequence diagram: who sent which event to whom, and what went wrong."""
    lines, names = ["sequenceDiagram"], dict[str, str]()

    def name(place: str) -> str:
        if place not in names:
            names[place] = f"p{len(names)}"
            lines.append(f"  participant {names[place]} as {_plain(place)}")
        return names[place]

    body: list[str] = []
    stack = [(root, root.data.get("caller", "caller")) for root in reversed(trace.roots)]
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


def _plain(text: str) -> str:
    """Text that Mermaid does not take for syntax."""
    short = text if len(text) <= 80 else text[:79] + "…"
    return short.replace("#", "").replace(";", ",").replace("\n", " ")
