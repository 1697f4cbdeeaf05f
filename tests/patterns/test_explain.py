"""Why a pattern matches or does not, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from backbone.patterns import Explanation, Pattern
from tests.patterns import strategies

EVENT = {
    "source": "order-service",
    "detail-type": "Order.Created",
    "resources": [1, 2, 3, 4, 5, 6, 7],
    "detail": {"items": [{"a": 1}, {"b": 2}]},
}


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [
        (
            {"source": ["shop"], "account": [{"anything-but": "1"}]},
            [
                "does not match",
                '  source: required "shop"; found "order-service"',
                '  account: required anything but "1"; found no value',
            ],
        ),
        (
            {"source": ["shop", {"prefix": "order"}]},
            ["matches", '  source: "order-service" satisfies beginning with "order"'],
        ),
        (
            {"detail": {"items": {"a": [1], "b": [2]}}, "source": ["order-service"]},
            [
                "does not match",
                "  detail.items.a, detail.items.b: each matches, but not in the same element of an array",
            ],
        ),
        (
            {"$or": [{"source": ["x"], "detail-type": ["y"]}, {"source": ["z"]}]},
            [
                "does not match, by none of 2 combinations of $or",
                '1. source: required "z"; found "order-service"',
                '2. source: required "x"; found "order-service"',
                '   detail-type: required "y"; found "Order.Created"',
            ],
        ),
        (
            {"$or": [{"source": ["x"]}, {"source": ["order-service"]}]},
            ["matches, by 1 combination of $or", '  source: "order-service" satisfies "order-service"'],
        ),
        ({"replay-name": [{"exists": False}]}, ["matches", "  replay-name: no value satisfies absent"]),
        (
            {"resources": [{"prefix": "arn:"}]},
            ["does not match", '  resources: required beginning with "arn:"; found 1, 2, 3, 4, 5 … (7 values)'],
        ),
    ],
)
def test_explanations(pattern: dict[str, Any], lines: list[str]) -> None:
    explanation: Explanation = Pattern.parse(pattern).explain(EVENT)
    assert str(explanation).splitlines() == lines


def test_long_words_and_many_combinations_are_cut() -> None:
    many = {"$or": [{"source": [f"{number}" * 200]} for number in range(9)]}
    lines = str(Pattern.parse(many).explain(EVENT)).splitlines()
    assert lines[0] == "does not match, by none of 9 combinations of $or"
    assert lines[1] == f'1. source: required "{"0" * 119}… (202 characters); found "order-service"'
    assert lines[6:] == ["… and 4 more"]
    assert len(Pattern.parse(many).explain(EVENT).as_dict()["combinations"]) == 9


@given(strategies.pairs)
def test_every_explanation_has_its_reason(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    pattern = Pattern.parse(pair[0])
    explanation = pattern.explain(pair[1])
    assert explanation.matched is pattern.matches(pair[1])
    for combination in explanation.combinations:
        if combination.matched:
            assert all(field.by for field in combination.fields)
        else:
            assert combination.failed or combination.apart
    assert json.loads(json.dumps(explanation.as_dict()))["matched"] is explanation.matched
