"""How long patterns take: to match, beside moto's matcher; in a set, as it grows; and to parse."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from moto.events.models import EventPattern
from rich.console import Console
from rich.table import Table

from backbone.patterns import Pattern, PatternSet

EVENT: Any = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "Order.Created",
    "source": "order-service",
    "account": "222222222222",
    "time": "2024-01-01T00:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:s3:::orders"],
    "detail": {
        "data": {"total": 12.5, "customer": "c-1", "ip": "10.0.0.7", "items": [{"sku": "a", "q": 1}, {"sku": "b"}]},
        "meta": {"version": "1", "correlation_id": "5f3b"},
    },
}
# Only what moto gets right: not, for instance, fields of objects in arrays.
MIXED: list[dict[str, Any]] = [
    {"account": [{"anything-but": ["333333333333"]}]},
    {"account": [{"anything-but": ["222222222222"]}]},
    {"source": ["order-service"], "detail-type": ["Order.Created", "Order.Updated"]},
    {"source": ["delivery-service"], "detail-type": ["Delivery.Updated"]},
    {"source": [{"prefix": ""}]},
    {"source": [{"prefix": "order"}], "detail": {"meta": {"version": ["1"]}}},
    {"detail": {"data": {"total": [{"numeric": [">", 10, "<=", 100]}]}}},
    {"detail": {"data": {"currency": [{"exists": False}]}}, "source": ["order-service"]},
]
SIZES = (10, 100, 1_000, 10_000)


def each(call: Callable[[], object], *, at_least: float = 0.2) -> float:
    """Seconds of one call: the best of three rounds."""
    call()
    best = float("inf")
    for _ in range(3):
        calls, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < at_least:
            call()
            calls += 1
        best = min(best, spent / calls)
    return best


def single() -> Table:
    """The mixed corpus by a compiled pattern and by moto's."""
    table = Table("pattern", "µs", "moto, µs", "ratio (target 10)", title="One pattern, one event of 9 fields")
    ours, theirs = 0.0, 0.0
    for written in MIXED:
        text = json.dumps(written)
        pattern, other = Pattern.parse(text), EventPattern.load(text)
        if pattern.matches(EVENT) is not bool(other.matches_event(EVENT)):
            raise SystemExit(f"not the same verdict: {text}")
        mine = each(lambda pattern=pattern: pattern.matches(EVENT))  # type: ignore[misc]
        moto = each(lambda other=other: other.matches_event(EVENT))  # type: ignore[misc]
        ours, theirs = ours + mine, theirs + moto
        table.add_row(text, f"{mine * 1e6:.2f}", f"{moto * 1e6:.1f}", f"{moto / mine:.0f}")
    table.add_row("all of them", f"{ours * 1e6:.2f}", f"{theirs * 1e6:.1f}", f"{theirs / ours:.0f}", style="bold")
    return table


def sets() -> Table:
    """Ever more forwarding rules, of which a single rule matches, or all but one."""
    table = Table("rules", "one matches, µs", "all but the sender's match, µs", "made, µs each", title="A bus's rules")
    first, last = 0.0, 0.0
    for count in SIZES:
        subscribed = {n: _rule(n, [f"S{n}.Created"]) for n in range(count)}
        broadcast = {n: _rule(n, None) for n in range(count)}
        event = EVENT | {"detail-type": "S7.Created"}
        began = time.perf_counter()
        narrow = PatternSet({n: Pattern.parse(pattern) for n, pattern in subscribed.items()})
        made = time.perf_counter() - began
        wide = PatternSet({n: Pattern.parse(pattern) for n, pattern in broadcast.items()})
        if narrow.matching(event) != [7] or len(wide.matching(event | {"account": f"{3:012d}"})) != count - 1:
            raise SystemExit("a set found other rules than it should")
        last = each(lambda narrow=narrow, event=event: narrow.matching(event))  # type: ignore[misc]
        first = first or last
        everyone = each(lambda wide=wide, event=event: wide.matching(event))  # type: ignore[misc]
        table.add_row(f"{count:,}", f"{last * 1e6:.2f}", f"{everyone * 1e6:.1f}", f"{made / count * 1e6:.1f}")
    table.add_row("growth (target under 3)", f"{last / first:.2f}", "", "", style="bold")
    return table


def _rule(number: int, detail_types: list[str] | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {"account": [{"anything-but": [f"{number:012d}"]}]}
    return wanted | {"detail-type": detail_types} if detail_types else wanted


def main(console: Console) -> None:
    """Print both tables."""
    console.print(single())
    console.print(sets())
