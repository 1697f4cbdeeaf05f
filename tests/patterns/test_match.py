"""Which events match: what EventBridge's engine says, case by case, and a slow reference for all other patterns."""

from __future__ import annotations

import gc
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.patterns import Pattern, PatternError, PatternSet
from tests.patterns import cases, reference, strategies


@pytest.mark.parametrize("case", cases.load(*cases.names("match-")))
def test_cases(case: dict[str, Any]) -> None:
    pattern = Pattern.parse(case["pattern"])
    assert pattern.matches(case["event"]) is case["matches"]
    assert bool(pattern.explain(case["event"])) is case["matches"]
    assert PatternSet({"it": pattern}).matching(case["event"]) == (["it"] if case["matches"] else [])


@pytest.mark.parametrize(
    "case", [case for case in cases.load(*cases.names("match-")) if isinstance(case.values[0]["event"], dict)]
)
def test_the_reference_agrees_with_the_cases(case: dict[str, Any]) -> None:
    assert reference.matches(case["pattern"], case["event"]) is case["matches"]


@settings(max_examples=500)
@given(strategies.pairs)
def test_the_reference_agrees(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    written, event = pair
    assert Pattern.parse(written).matches(event) is reference.matches(written, event)


@given(strategies.pairs)
def test_an_event_as_text_is_the_same(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    pattern = Pattern.parse(json.dumps(pair[0]))
    assert pattern.matches(json.dumps(pair[1])) is pattern.matches(pair[1])


@given(st.text() | st.binary())
def test_no_event_raises_but_a_pattern_error(event: str | bytes) -> None:
    pattern = Pattern.parse({"a": ["x"]})
    try:
        value = json.loads(event)
    except ValueError:
        value = None
    if isinstance(value, dict):
        assert pattern.matches(event) is pattern.matches(value)
    else:
        with pytest.raises(PatternError, match=r"^the event: got "):
            pattern.matches(event)


# Events of n elements: time must not grow faster than n.
GROWING: dict[str, tuple[dict[str, Any], Any]] = {
    "nested arrays": ({"a": ["y"]}, lambda n: {"a": _nested(n)}),
    "array of objects": ({"a": {"b": ["y"], "c": ["z"]}}, lambda n: {"a": [{"b": "y", "c": "x"}] * n}),
    "absent in array of objects": ({"a": {"b": [{"exists": False}], "c": ["z"]}}, lambda n: {"a": [{"c": "x"}] * n}),
    "nested arrays of objects": (
        {"a": {"b": {"c": ["y"], "d": ["z"]}}},
        lambda n: {"a": [{"b": [{"c": "y"}] * 50}] * (n // 50)},
    ),
    "long wildcard": ({"a": [{"wildcard": "*a*a*a*a*b"}]}, lambda n: {"a": "a" * n}),
    "long prefix": ({"a": [{"prefix": {"equals-ignore-case": "aaa"}}]}, lambda n: {"a": "b" * n}),
    "long suffix": ({"a": [{"suffix": {"equals-ignore-case": "aaa"}}]}, lambda n: {"a": "b" * n}),
    "many fields": ({"z": ["y"]}, lambda n: {f"f{number}": number for number in range(n)}),
    "dotted fields": ({"z": {"x": ["y"]}}, lambda n: {f"z.{number}": number for number in range(n)}),
    "one dotted field": ({"z": {"x": ["y"]}}, lambda n: {"z": {f"x.{number}": 1 for number in range(n)}}),
    "deep": ({"a": {"a": ["y"]}}, lambda n: {"a": _deep(n)}),
}


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def _deep(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": value}
    return value


def _seconds(pattern: Pattern, event: dict[str, Any]) -> float:
    best = float("inf")
    gc.disable()  # its passes over everything that other tests hold are not the matcher's time
    try:
        for _ in range(5):
            began = time.process_time()
            pattern.matches(event)
            best = min(best, time.process_time() - began)
    finally:
        gc.enable()
    return best


@pytest.mark.parametrize("name", GROWING)
def test_time_grows_with_the_event_only(name: str) -> None:
    written, event = GROWING[name]
    pattern = Pattern.parse(written)
    assert not pattern.matches(event(100))
    small, large = _seconds(pattern, event(2_000)), _seconds(pattern, event(20_000))
    assert large < max(small, 0.0001) * 50  # ten times the elements; quadratic would be a hundred times the time


def test_a_large_event_takes_no_time() -> None:
    event = json.dumps({"a": [{"b": "x" * 20, "c": [1, 2]} for _ in range(25_000)]})
    assert len(event) > 1_000_000
    assert _seconds(Pattern.parse({"a": {"b": ["y"], "c": [2]}}), json.loads(event)) < 0.5
