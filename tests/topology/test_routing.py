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


def forwarding(declared: Topology, service: str) -> routing.PatternJson | None:
    return routing.forwarding(declared, service, declared.main)


def forwarded(declared: Topology, service: str) -> routing.Forwarded | None:
    return routing.forwarded(declared, service, declared.main)


def test_broadcast_to_a_service_with_an_account_of_its_own() -> None:
    assert forwarding(example("single"), "order-service") == {"account": [{"anything-but": ["222222222222"]}]}


def test_broadcast_to_a_service_that_shares_its_account() -> None:
    pattern = forwarding(example("same-account"), "order-service")
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
    assert forwarding(topology(order_service=subscribes), "order-service") == expected


def test_subscribed_to_one_type_of_anybody_and_another_of_one_source() -> None:
    pattern = forwarding(topology(order_service=["A", {"detail_type": "B", "source": "x"}]), "order-service")
    others = {"account": [{"anything-but": ["222222222222"]}]}
    assert pattern == {"$or": [others | {"detail-type": ["A"]}, others | {"detail-type": ["B"], "source": ["x"]}]}


OTHERS = {"account": [{"anything-but": ["222222222222"]}]}


@pytest.mark.parametrize(
    ("subscribes", "pattern"),
    [
        ([{"source": "x"}], OTHERS | {"source": ["x"]}),
        ([{"source": ["x", {"prefix": "y."}]}], OTHERS | {"source": ["x", {"prefix": "y."}]}),
        (
            [{"detail_type": "A", "detail": {"n": [1.5, True, None]}}],
            OTHERS | {"detail-type": ["A"], "detail": {"n": [1.5, True, None]}},
        ),
        (
            [{"detail_type": name, "detail": {"n": [1]}} for name in "BA"],
            OTHERS | {"detail-type": ["A", "B"], "detail": {"n": [1]}},
        ),
        (
            ["A", {"detail_type": "A", "source": "x", "detail": {"n": [1]}}, {"source": "x"}],
            {
                "$or": [
                    OTHERS | {"detail-type": ["A"]},
                    OTHERS | {"source": ["x"], "detail": {"n": [1]}, "detail-type": ["A"]},
                    OTHERS | {"source": ["x"]},
                ]
            },
        ),
    ],
)
def test_filters(subscribes: list[Any], pattern: routing.PatternJson) -> None:
    declared = topology(order_service=subscribes)
    assert forwarding(declared, "order-service") == pattern
    assert forwarding(topology("broadcast", order_service=subscribes), "order-service") == OTHERS
    local = routing.to_json(routing.subscription(declared.services["order-service"].subscribes))
    assert local == routing.to_json(pattern).replace(f"{routing.to_json(OTHERS)[1:-1]},", "")


def test_a_prefix_never_takes_the_own_source_in_a_shared_account() -> None:
    document = yaml.safe_load((ROOT / "tests/topologies/same-account.yaml").read_text()) | {"routing": "subscribed"}
    services = document["services"]
    for name in services:
        services[name]["source"] = f"shop.{name}"
    services["order-service"]["subscribes"] = [{"source": {"prefix": "shop."}, "detail": {"n": [1]}}]
    others = ["shop.delivery-service"]
    found = forwarding(parse(yaml.safe_dump(document)), "order-service")
    assert found == {"source": others, "detail": {"n": [1]}}
    services["order-service"]["subscribes"] = [{"source": {"prefix": "shop.order"}}]
    assert forwarding(parse(yaml.safe_dump(document)), "order-service") is None


small = st.sampled_from(
    [{"n": [1]}, {"n": [{"numeric": [">", 1]}]}, {"prefix": ["x"]}, {"s": [{"wildcard": "*a*b*c*d"}]}]
)
long = st.integers(100, 900).map(lambda size: {"s": ["x" * size, {"exists": False}]})
entries = st.fixed_dictionaries(
    {"detail_type": st.sampled_from(["A", "B"])},
    optional={
        "detail": small | long,
        "source": st.sampled_from(["delivery-service", {"prefix": "d"}, ["y" * 200, "z"]]),
    },
)
events = st.fixed_dictionaries(
    {
        "detail-type": st.sampled_from(["A", "B"]),
        "source": st.sampled_from(["delivery-service", "z", "order-service"]),
        "detail": st.fixed_dictionaries(
            {}, optional={"n": st.integers(0, 3), "prefix": st.just("x"), "s": st.sampled_from(["x" * 100, "abcd", ""])}
        ),
    }
)


@hypothesis.given(st.lists(entries, min_size=1, max_size=8), st.lists(events, max_size=8))
def test_what_is_forwarded_is_at_least_what_is_subscribed_to(given: list[Any], tried: list[Any]) -> None:
    distinct = [one for index, one in enumerate(given) if one not in given[:index]]
    declared = topology(order_service=distinct)
    found = forwarded(declared, "order-service")
    assert found
    text = routing.to_json(found.pattern)
    assert len(text) <= 2_048
    forwarding = Pattern.parse(text)
    wanted = [Pattern.parse(one.pattern) for one in declared.services["order-service"].subscribes]
    for event in tried:
        event["account"] = "222222222222" if event["source"] == "order-service" else "333333333333"
        subscribed = any(pattern.matches(event) for pattern in wanted) and event["source"] != "order-service"
        if subscribed or not found.left_out:
            assert forwarding.matches(event) is subscribed
        assert not (event["source"] == "order-service" and forwarding.matches(event))
    warned = [one for one in declared.warnings if "is wider than what is subscribed to" in one.message]
    assert len(warned) == bool(found.left_out)
    assert found == forwarded(topology(order_service=distinct[::-1]), "order-service")


def test_what_is_left_out_is_the_longest_filter_first_then_sources() -> None:
    given = [
        {"detail_type": "A", "detail": {"s": ["x" * 900]}},
        {"detail_type": "B", "detail": {"s": ["x" * 800]}},
        {"detail_type": "C", "detail": {"s": ["x" * 700]}},
    ]
    declared = topology(order_service=given)
    found = forwarded(declared, "order-service")
    assert found
    assert [entry.detail_type for entry in found.left_out] == ["A"]
    (warning,) = [one for one in declared.warnings if "wider" in one.message]
    assert (
        "more of A than wanted is delivered to the local bus, and paid for; the service's own rules leave it out"
        in str(warning)
    )
    sources = [{"detail_type": name, "source": [f"{name}{n}{'x' * 200}" for n in range(6)]} for name in "AB"]
    found = forwarded(topology(order_service=sources), "order-service")
    assert found
    assert [entry.detail_type for entry in found.left_out] == ["B"]
    assert len(found.pattern["$or"]) == 2


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


def test_a_bus_to_which_nothing_is_forwarded_is_a_warning_that_names_the_key() -> None:
    (warning,) = [one for one in topology(order_service=[]).warnings if one.path == ("services", "order-service")]
    assert "nothing is ever forwarded to its local bus" in warning.message
    assert "say receives: none to have no bus, or what it subscribes to" in warning.message
    assert [one for one in topology("broadcast", order_service=[]).warnings if "receives" in one.message] == []


@pytest.mark.parametrize("routes", ["broadcast", "subscribed"])
def test_to_a_service_that_receives_nothing_nothing_is_forwarded(routes: str) -> None:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text()) | {"routing": routes}
    document["services"]["order-service"] |= {"subscribes": [], "receives": "none"}
    found = parse(yaml.safe_dump(document))
    assert forwarding(found, "order-service") is None
    assert [one for one in found.warnings if "receives" in one.message] == []
