from __future__ import annotations

from typing import Any

import pytest
import yaml

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


def test_a_pattern_is_compact_and_sorted() -> None:
    assert routing.to_json({"b": ["é"], "a": [1]}) == '{"a":[1],"b":["é"]}'
