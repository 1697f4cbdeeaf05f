"""Each measurement runs, on small systems, so that `make bench` is there when it is needed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from benchmarks import patterns, review, server, services, simulator, synthesis


def printed(main: Callable[[Console], None]) -> str:
    text = io.StringIO()
    main(Console(file=text, width=200))
    return text.getvalue()


@pytest.mark.e2e
def test_synthesis_is_measured_beside_plain_cdktf_and_bare_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "SIZES", (2,))
    monkeypatch.setattr(synthesis, "RUNS", 1)
    tables = printed(synthesis.main)
    assert "plain CDKTF, ordinary imports" in tables
    assert "per-account" in tables


def test_simulation_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "SIZES", (2,))
    monkeypatch.setattr(simulator, "ORDERS", 2)
    tables = printed(simulator.main)
    for row in ("broadcast", "subscribed", "POST /orders to 201", "make demo"):
        assert row in tables


def test_the_server_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ORDERS", 10)
    monkeypatch.setattr(server, "CLIENTS", 2)
    monkeypatch.setattr(server, "EVENTS", 60)
    tables = printed(server.main)
    assert "10 orders by 2 clients at once" in tables
    assert "│ 60 " in tables


def test_functions_are_measured() -> None:
    assert "services.order" in printed(services.main)


def test_patterns_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SIZES", (10,))
    assert "moto" in printed(patterns.main)


def test_reviews_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "SIZES", (3,))
    tables = printed(review.main)
    assert "one subscription more" in tables
    assert "all logs kept longer" in tables
