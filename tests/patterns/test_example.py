"""Examples of what a pattern matches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from backbone.patterns import Pattern
from tests.patterns import reference, strategies

EVENT = {"source": "shop", "detail-type": "Order.Created", "account": "1", "detail": {"data": {"total": 5, "sku": "x"}}}


@settings(max_examples=300)
@given(strategies.pairs)
def test_an_example_matches(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    written, event = pair
    assert all(reference.matches(written, example) for example in Pattern.parse(written).examples(event))


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"data": {"total": [5]}}, [{"data": {"total": 5, "sku": "x"}}]),
        ({"data": {"total": [{"numeric": [">", 100]}]}}, [{"data": {"total": 101, "sku": "x"}}]),
        ({"data": {"total": [{"numeric": [">", 0, "<", 1]}]}}, [{"data": {"total": 0.5, "sku": "x"}}]),
        ({"data": {"sku": [{"exists": False}]}}, [{"data": {"total": 5}}]),
        ({"data": {"sku": [{"prefix": "tea-"}]}}, [{"data": {"total": 5, "sku": "tea-example"}}]),
        ({"data": {"sku": [{"suffix": ".pdf"}]}}, [{"data": {"total": 5, "sku": "example.pdf"}}]),
        ({"data": {"sku": [{"anything-but": ["x"]}]}}, [{"data": {"total": 5, "sku": "example"}}]),
        ({"data": {"sku": [{"wildcard": "a*b*"}]}}, [{"data": {"total": 5, "sku": "aexamplebexample"}}]),
        ({"data": {"ip": [{"cidr": "10.0.0.0/8"}]}}, [{"data": {"total": 5, "sku": "x", "ip": "10.0.0.0"}}]),
        ({"more": {"a": [None]}}, [{"data": {"total": 5, "sku": "x"}, "more": {"a": None}}]),
        (
            {"$or": [{"data": {"sku": ["a"]}}, {"data": {"sku": [{"equals-ignore-case": "b"}]}}]},
            [{"data": {"total": 5, "sku": "a"}}, {"data": {"total": 5, "sku": "b"}}],
        ),
        ({"data": [1]}, [{"data": 1}]),
    ],
)
def test_an_example_has_what_the_event_had(detail: dict[str, Any], expected: list[Any]) -> None:
    found = Pattern.parse({"source": ["shop"], "detail": detail}).examples(EVENT)
    assert [example["detail"] for example in found] == expected
    assert all(example | {"detail": {}} == EVENT | {"detail": {}} for example in found)


def test_a_combination_of_which_no_example_is_found_is_left_out() -> None:
    both = {"a": ["x"], "a.b": ["y"]}  # an array alone is a value and has a field
    assert Pattern.parse({"detail": both}).examples(EVENT) == []
    found = Pattern.parse({"detail": {"$or": [both, {"c": [1]}]}}).examples(EVENT)
    assert [example["detail"].get("c") for example in found] == [1]


@pytest.mark.parametrize(
    "operator",
    [
        {"prefix": ""},
        {"suffix": {"equals-ignore-case": "Ab"}},
        {"numeric": ["<", -3.5]},
        {"exists": True},
        {"anything-but": {"prefix": "e"}},
        {"anything-but": 101},
        {"anything-but": {"wildcard": "*x*"}},
    ],
)
def test_whatever_one_operator_asks_for_is_found(operator: dict[str, Any]) -> None:
    assert len(Pattern.parse({"detail": {"a": [operator]}}).examples(EVENT)) == 1
