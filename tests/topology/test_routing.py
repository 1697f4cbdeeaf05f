from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from backbone.patterns import Pattern
from backbone.topology import Topology, parse, routing
from tests.conftest import ROOT, example


def topology(routing: str = "subscribed", **subscribes: Any) -> Topology:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text()) | {"routing": routing}
    for service, given in subscribes.items():
        document["services"][service.replace("_", "-")]["subscribes"] = given
    return parse(yaml.safe_dump(document))


def test_broadcast_to_a_service_with_an_account_of_its_own() -> None:
    assert routing.forwarding(example("single"), "order-service") == {"account": [{"anything-but": ["222222222222"]}]}


def test_broadcast_to_a_service_that_shares_its_account() -> None:
    pattern = routing.forwarding(example("same-account"), "order-service")
    assert pattern == {"source": [{"anything-but": ["order-service"]}]}


@pytest.mark.parametrize(
    ("subscribes", "pattern"),
    [
        ([], None),
        (["B", "A"], {"detail-type": ["A", "B"]}),
        ([{"detail_type": "A", "source": "x"}], {"detail-type": ["A"], "source": ["x"]}),
    ],
)
def test_subscribed(subscribes: list[Any], pattern: routing.PatternJson | None) -> None:
    expected = pattern and pattern | {"account": [{"anything-but": ["222222222222"]}]}
    assert routing.forwarding(topology(order_service=subscribes), "order-service") == expected


def test_subscribed_to_one_type_of_anybody_and_another_of_one_source() -> None:
    pattern = routing.forwarding(topology(order_service=["A", {"detail_type": "B", "source": "x"}]), "order-service")
    others = {"account": [{"anything-but": ["222222222222"]}]}
    assert pattern == {"$or": [others | {"detail-type": ["A"]}, others | {"detail-type": ["B"], "source": ["x"]}]}


@pytest.mark.parametrize(
    ("detail_types", "sources", "pattern", "others"),
    [
        (("A", "B"), (), {"detail-type": ["A", "B"]}, {"detail-type": [{"anything-but": ["A", "B"]}]}),
        ((), ("s",), {"source": ["s"]}, {"source": [{"anything-but": ["s"]}]}),
        (
            ("A",),
            ("s",),
            {"$or": [{"detail-type": ["A"]}, {"source": ["s"]}]},
            {"detail-type": [{"anything-but": ["A"]}], "source": [{"anything-but": ["s"]}]},
        ),
    ],
)
def test_confidential(
    detail_types: tuple[str, ...], sources: tuple[str, ...], pattern: routing.PatternJson, others: routing.PatternJson
) -> None:
    found = routing.Confidential(detail_types, sources)
    assert (found.pattern, found.others) == (pattern, others)


names = st.sampled_from(["A", "B", "s", "t"])


@hypothesis.given(st.sets(names), st.sets(names), names, names)
def test_an_event_is_confidential_or_not(types: set[str], sources: set[str], detail_type: str, source: str) -> None:
    if not types and not sources:
        return
    found = routing.Confidential(tuple(types), tuple(sources))
    event = {"detail-type": detail_type, "source": source, "account": "111111111111", "detail": {}}
    matches = [Pattern.parse(routing.to_json(pattern)).matches(event) for pattern in (found.pattern, found.others)]
    assert matches == ([True, False] if detail_type in types or source in sources else [False, True])


def test_what_a_file_declares_confidential() -> None:
    assert routing.confidential(example("single")) is None
    assert routing.confidential(example("all-features")) == routing.Confidential(
        ("Invoice.Paid",), ("delivery-service",)
    )


def test_a_pattern_is_compact_and_sorted() -> None:
    assert routing.to_json({"b": ["é"], "a": [1]}) == '{"a":[1],"b":["é"]}'
