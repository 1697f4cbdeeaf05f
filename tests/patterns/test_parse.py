"""What EventBridge would refuse is refused, in words, and nothing else is raised whatever is given."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.patterns import Pattern, PatternError
from tests.patterns import cases, strategies


@pytest.mark.parametrize("case", cases.load(*cases.names("invalid-")))
def test_invalid(case: dict[str, Any]) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern.parse(case["pattern"])
    assert str(caught.value) == f"{case['path']}: {case['message']}"
    assert caught.value.path == case["path"]


@given(strategies.pairs)
def test_a_pattern_survives_printing(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    pattern = Pattern.parse(pair[0])
    again = Pattern.parse(pattern.to_json())
    assert again == pattern
    assert hash(again) == hash(pattern)
    assert json.loads(pattern.to_json()) == json.loads(json.dumps(pair[0]))
    assert again.matches(pair[1]) is pattern.matches(pair[1])


def test_numbers_that_only_python_has() -> None:
    with pytest.raises(PatternError, match=r"^\$\.a\[0\]: got NaN; allowed: a number that JSON has$"):
        Pattern.parse({"a": [float("nan")]})
    with pytest.raises(PatternError, match=r"^\$\.a\[0\]: got a number of thousands of digits; allowed: fewer digits$"):
        Pattern.parse({"a": [10**5_000]})
    too_large_for_a_double = json.loads('{"a": [1e999]}')
    assert Pattern.parse(too_large_for_a_double) == Pattern.parse('{"a": [1e999]}')


def test_equality_and_words() -> None:
    pattern = Pattern.parse({"a": ["x", 1.0]})
    assert eval(repr(pattern), {"Pattern": Pattern}) == pattern  # noqa: S307
    assert pattern != Pattern.parse({"a": ["x", 1]})
    assert pattern != {"a": ["x", 1.0]}


def refusal(given_pattern: Any) -> str:
    """The text of the refusal, which any terminal can show; empty for a pattern that is accepted."""
    text = ""
    try:
        Pattern.parse(given_pattern)
    except PatternError as error:
        text = str(error)
    assert not any(word in text for word in ("JsonObject(", "Number(", "object at 0x"))
    text.encode()
    return text


@settings(max_examples=500)
@given(strategies.anything)
def test_nothing_raises_but_a_pattern_error(value: Any) -> None:
    for pattern in (value, {"a": value}, {"a": [value]}, {"a": [{"anything-but": value}]}, {"$or": value}):
        refused = refusal(pattern)
        with contextlib.suppress(TypeError, ValueError):  # what JSON has no text for
            assert bool(refusal(json.dumps(pattern))) is bool(refused)


@given(st.text() | st.binary())
def test_no_text_raises_but_a_pattern_error(text: str | bytes) -> None:
    assert refusal(text)


def nested(depth: int, wrap: Any) -> Any:
    value: Any = ["x"]
    for _ in range(depth):
        value = wrap(value)
    return value


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "pattern",
    [
        '{"a":' * 100_000,
        '{"a":' * 300 + '["x"]' + "}" * 300,
        '{"a":' + "[" * 100_000,
        '{"$or":[' * 5_000,
        '{"$or":[{"a":["x"]},' * 300 + '{"a":["x"]}' + "]}" * 300,
        '{"' + "a." * 10_000 + '":["x"]}',
        nested(10_000, lambda value: {"a": value}),
        nested(300, lambda value: {"a": value}),
        nested(300, lambda value: {"$or": [{"b": ["y"]}, {"a": value}]}),
        nested(10_000, lambda value: [value]),
        {"a": ENDLESS},
    ],
    ids=lambda pattern: str(type(pattern)) if isinstance(pattern, dict) else pattern[:20],
)
def test_deep_patterns_are_refused(pattern: Any) -> None:
    assert "more than 200 levels of nesting" in refusal(pattern)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[' + "9" * 10_000 + "]}",
        '{"a":[{"numeric":["<",' + "9" * 10_000 + "]}]}",
        '{"a":[1e999999999999]}',
        json.dumps({f"f{n}": [n] for n in range(3)} | {"$or": [{"a": [n]} for n in range(1_001)]}),
    ],
    ids=lambda text: text[:20],
)
def test_large_patterns_end_at_once(text: str) -> None:
    began = time.process_time()
    if not refusal(text):
        assert not Pattern.parse(text).matches({"a": 1})
    assert time.process_time() - began < 1


def test_combinations_have_a_limit() -> None:
    ten = [{"a": [n]} for n in range(10)]
    nested = {"$or": ten, "x": {"$or": ten, "y": {"$or": ten}}}
    assert len(Pattern.parse(nested).combinations) == 1_000
    with pytest.raises(PatternError, match="at most 1,000"):
        Pattern.parse(nested | {"z": {"$or": ten[:2]}})


def test_length_is_a_matter_of_quota() -> None:
    assert not Pattern.parse({"a": ["x" * 2_038]}).too_long
    assert Pattern.parse({"a": ["x" * 2_039]}).too_long


def test_fields_have_a_limit() -> None:
    def fields(count: int) -> dict[str, Any]:
        return {f"f{number}": ["x", "y"] for number in range(count)}

    assert len(Pattern.parse(fields(256)).combinations[0]) == 256
    with pytest.raises(PatternError, match=r"^\$: got 257 fields; allowed: at most 256; split the rule$"):
        Pattern.parse(fields(257))
    assert Pattern.parse(fields(255) | {"$or": [{"a": ["x"]}, {"b": ["x"]}]})
    with pytest.raises(PatternError, match="got 257 fields"):
        Pattern.parse(fields(255) | {"$or": [{"a": ["x"]}, {"b": ["x"], "c": ["x"]}]})
