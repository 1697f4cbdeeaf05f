"""Event patterns: what EventBridge's engine says, case by case, and what must hold for any pattern and event."""

from __future__ import annotations

import contextlib
import gc
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.patterns import Explanation, Pattern, PatternError, PatternSet

FOLDER = Path(__file__).parent / "patterns"


def cases(invalid: bool) -> list[Any]:
    return [
        pytest.param(case, id=f"{file.stem}-{number}: {case['case']}")
        for file in sorted(FOLDER.glob("*.json"))
        if file.name.startswith("invalid-") is invalid
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize("case", cases(invalid=False))
def test_matches(case: dict[str, Any]) -> None:
    pattern = Pattern.parse(case["pattern"])
    assert pattern.matches(case["event"]) is case["matches"]
    assert bool(pattern.explain(case["event"])) is case["matches"]
    assert PatternSet({"it": pattern}).matching(case["event"]) == (["it"] if case["matches"] else [])


@pytest.mark.parametrize("case", cases(invalid=True))
def test_invalid(case: dict[str, Any]) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern.parse(case["pattern"])
    assert caught.value.path == case["path"], str(caught.value)
    assert "allowed: " in str(caught.value)


# A small world, so that patterns and events meet.
names = st.sampled_from(["a", "b", "c", "a.b"])
scalars = st.none() | st.booleans() | st.sampled_from(["", "x", "X", "xy", "10.0.0.1", "::1", 0, 1, -1.5, 2**53 + 1])
texts = st.sampled_from(["x", "xy", "y", "X"])
operators = st.one_of(
    st.sampled_from(["prefix", "suffix", "equals-ignore-case", "wildcard"]).flatmap(
        lambda name: st.fixed_dictionaries({name: texts})
    ),
    st.fixed_dictionaries({"anything-but": texts | st.lists(texts, min_size=1, max_size=2) | st.sampled_from([0, 1])}),
    st.fixed_dictionaries({"anything-but": st.fixed_dictionaries({"prefix": texts})}),
    st.sampled_from([{"exists": True}, {"exists": False}, {"numeric": [">", 0]}, {"cidr": "10.0.0.0/8"}]),
)
values = st.lists(scalars | operators, min_size=1, max_size=2)


def _objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(names, children, min_size=1, max_size=2)
    ors = st.lists(fields, min_size=2, max_size=2)
    return fields | st.tuples(fields, ors).map(lambda both: {**both[0], "$or": both[1]})


patterns = _objects(st.recursive(values, _objects, max_leaves=4))
events = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)


@given(patterns, events)
def test_explain_agrees_with_matches(written: dict[str, Any], event: dict[str, Any]) -> None:
    pattern = Pattern.parse(written)
    explanation = pattern.explain(event)
    assert explanation.matched is pattern.matches(event)
    for combination in explanation.combinations:
        if combination.matched:
            assert all(field.by for field in combination.fields)
        else:
            assert combination.failed or combination.apart
    assert json.loads(json.dumps(explanation.as_dict()))["matched"] is explanation.matched


@given(st.lists(patterns, max_size=8), events)
def test_a_set_agrees_with_each_pattern(written: list[dict[str, Any]], event: dict[str, Any]) -> None:
    each = [Pattern.parse(one) for one in written]
    expected = [number for number, one in enumerate(each) if one.matches(event)]
    assert PatternSet(enumerate(each)).matching(event) == expected


@given(patterns, events)
def test_a_pattern_survives_printing(written: dict[str, Any], event: dict[str, Any]) -> None:
    pattern = Pattern.parse(written)
    again = Pattern.parse(pattern.to_json())
    assert again == pattern
    assert hash(again) == hash(pattern)
    assert json.loads(pattern.to_json()) == json.loads(json.dumps(written))
    assert again.matches(event) is pattern.matches(event)


@given(patterns, events)
def test_an_event_as_text_is_the_same(written: dict[str, Any], event: dict[str, Any]) -> None:
    pattern = Pattern.parse(json.dumps(written))
    assert pattern.matches(json.dumps(event)) is pattern.matches(event)


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["::1", "10.0.0.0/8"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=3)
            | st.sampled_from(["$or", "numeric", "cidr", "wildcard", "anything-but", "prefix", "suffix", "exists"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=500)
@given(anything | st.dictionaries(st.text(max_size=3), anything), anything)
def test_nothing_raises_but_a_pattern_error(written: Any, event: Any) -> None:
    for one in (written, json.dumps(written)):
        with contextlib.suppress(PatternError):
            Pattern.parse(one)
    with contextlib.suppress(PatternError):
        Pattern.parse({"a": [{"exists": False}], "b": {"c": [1, "x"]}}).explain(event)


@given(st.text() | st.binary())
def test_no_text_raises_but_a_pattern_error(text: str | bytes) -> None:
    with contextlib.suppress(PatternError):
        Pattern.parse(text)
    with contextlib.suppress(PatternError):
        Pattern.parse({"a": ["x"]}).matches(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 100_000,
        '{"a":' * 500 + '["x"]' + "}" * 500,
        '{"a":' + "[" * 100_000,
        '{"a":[' + "9" * 10_000 + "]}",
        '{"a":[{"numeric":["<",' + "9" * 10_000 + "]}]}",
        '{"a":[1e999999999999]}',
        '{"$or":[' * 5_000,
        json.dumps({f"f{n}": [n] for n in range(3)} | {"$or": [{"a": [n]} for n in range(1_001)]}),
    ],
    ids=lambda text: text[:20],
)
def test_malformed_and_deep_patterns_end_at_once(text: str) -> None:
    began = time.perf_counter()
    with contextlib.suppress(PatternError):
        Pattern.parse(text).matches({"a": 1})
    assert time.perf_counter() - began < 1


def test_combinations_have_a_limit() -> None:
    ten = [{"a": [n]} for n in range(10)]
    nested = {"$or": ten, "x": {"$or": ten, "y": {"$or": ten}}}
    assert len(Pattern.parse(nested).rules) == 1_000
    with pytest.raises(PatternError, match="at most 1,000"):
        Pattern.parse(nested | {"z": {"$or": ten[:2]}})


def test_length_is_a_matter_of_quota() -> None:
    assert not Pattern.parse({"a": ["x" * 2_038]}).too_long
    assert Pattern.parse({"a": ["x" * 2_039]}).too_long


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
            began = time.process_time()  # not the time that other processes take
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
    small, large = _seconds(pattern, event(2_000)), _seconds(pattern, event(40_000))
    assert large < max(small, 0.0001) * 120  # 20 times the elements; quadratic would be 400 times the time


def test_a_large_event_takes_no_time() -> None:
    event = json.dumps({"a": [{"b": "x" * 20, "c": [1, 2]} for _ in range(25_000)]})
    assert len(event) > 1_000_000
    assert _seconds(Pattern.parse({"a": {"b": ["y"], "c": [2]}}), json.loads(event)) < 0.5


EVENT = {"source": "order-service", "detail-type": "Order.Created", "detail": {"items": [{"a": 1}, {"b": 2}]}}


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
    ],
)
def test_explanations(pattern: dict[str, Any], lines: list[str]) -> None:
    explanation: Explanation = Pattern.parse(pattern).explain(EVENT)
    assert str(explanation).splitlines() == lines


def test_a_set_keeps_the_order_and_looks_up() -> None:
    rules = {
        n: Pattern.parse({"account": [{"anything-but": "1"}], "detail-type": [f"T{n % 500}"]}) for n in range(2_000)
    }
    rules[5_000] = Pattern.parse({"source": [{"prefix": ""}]})
    found = PatternSet(rules)
    assert len(found) == 2_001
    event = {"account": "2", "source": "s", "detail-type": "T7"}
    tried: list[int] = []

    def count(pattern: Pattern, number: int, event: dict[str, Any]) -> bool:
        tried.append(number)
        return matches(pattern, number, event)

    matches = Pattern.matches_combination
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pattern, "matches_combination", count)
        assert found.matching(event) == [7, 507, 1007, 1507, 5000]
    assert len(tried) == 5
