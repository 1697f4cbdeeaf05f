"""Traces as they are printed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from backbone.cli import trace as views
from backbone.trace import Node, Trace

NAME = "aws:x: :smile: [red]text[/red]"


@pytest.fixture
def trace() -> Trace:
    put = Node("put", 0.0, "bus", "hub", f"{NAME} from me", {"detail_type": NAME, "allowed_by": "policy, statement S"})
    rule = Node("rule", 0.0, "all", "hub", "", {})
    delivered = Node("delivered", 61.5, "queue", "order", "", {"detail_type": NAME, "attempts": 2})
    put.children, rule.children = [rule], [delivered]
    return Trace([put])


def printed(call: object) -> str:
    file = io.StringIO()
    assert callable(call)
    call(Console(file=file, markup=False, emoji=False, highlight=False, width=160))
    return file.getvalue()


def test_a_tree_shows_what_users_wrote(trace: Trace) -> None:
    assert printed(lambda console: console.print(views.tree(trace))).splitlines() == [
        f"put hub:bus {NAME} from me (allowed by statement S)",
        "└── delivered order:queue (rule all, after 61.5 s, 2 retries)",
    ]


def test_a_line_for_each_node_as_it_happens(trace: Trace) -> None:
    def live(console: Console) -> None:
        with views.LivePrinter(console) as printer:
            for node in trace:
                printer.add(node)

    lines = printed(live).splitlines()
    assert [line[9:] for line in lines] == [
        f"put hub:bus {NAME} from me (allowed by statement S)",
        "delivered order:queue (after 61.5 s, 2 retries)",
    ]


def test_what_happens_faster_than_somebody_reads_is_counted(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "LINES_AT_ONCE", 1)
    monkeypatch.setattr(views, "PRINT_SECONDS", 60)

    def live(console: Console) -> None:
        with views.LivePrinter(console) as printer:
            for node in [*trace, *trace]:
                printer.add(node)

    lines = printed(live).splitlines()
    assert [line[9:] for line in lines[1:]] == ["and more: 2 delivered, 1 put"]


def test_the_counts(trace: Trace) -> None:
    text = printed(lambda console: console.print(views.table(trace, ms="7")))
    assert "events" in text
    assert "7" in text


def test_a_sequence_diagram(trace: Trace) -> None:
    assert views.mermaid(trace).splitlines() == [
        "sequenceDiagram",
        "  participant p0 as caller",
        "  participant p1 as bus",
        "  participant p2 as queue",
        f"  p0->>p1: {NAME}",
        f"  p1-)p2: {NAME}",
    ]
