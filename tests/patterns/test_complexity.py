"""Patterns whose wildcards EventBridge refuses as too complex."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.patterns import Pattern, PatternError, parse
from backbone.patterns.complexity import complexities
from tests.patterns import cases


def measure(pattern: dict[str, Any]) -> int:
    return max(complexities(parse.combinations(parse.read(pattern))).values(), default=0)


def wildcards(*texts: str) -> dict[str, Any]:
    return {"a": [{"wildcard": text} for text in texts]}


@pytest.mark.parametrize("case", cases.load("complexity"))
def test_cases(case: dict[str, Any]) -> None:
    """The numbers are event-ruler's."""
    if case["complexity"] > 10:
        assert measure(case["pattern"]) > 10
        with pytest.raises(PatternError, match="too complex"):
            Pattern.parse(case["pattern"])
        return
    assert measure(case["pattern"]) == case["complexity"]
    assert bool(Pattern.parse(case["pattern"]).warnings) is (case["complexity"] == 10)


def test_messages_name_the_field() -> None:
    with pytest.raises(PatternError) as caught:
        Pattern.parse({"detail": {"text": wildcards("*a*a*a*a*a*a")["a"]}})
    assert str(caught.value) == (
        "$.detail.text: got wildcards that EventBridge finds too complex (over 10 by event-ruler's measure); "
        "allowed: fewer *, fewer wildcards in one field, or prefix and suffix instead"
    )
    assert Pattern.parse({"detail": {"text": wildcards("*a*a*a*a*a")["a"]}}).warnings == (
        "$.detail.text: the wildcards are as complex as EventBridge takes; one more * may be refused",
    )


def slow_complexity(texts: list[str]) -> int:
    """By trying values: every set of beginnings that some value matches is found and counted."""
    quoted = [f'"{text}"' for text in texts]
    beginnings = [
        re.compile("".join(".*" if char == "*" else re.escape(char) for char in text[:end]))
        for text in quoted
        for end in range(1, len(text) + 1)
    ]
    greatest, seen, values = 0, set(), [""]
    while values:
        value = values.pop()
        for char in 'ab"z':
            longer = value + char
            matched = frozenset(place for place, regex in enumerate(beginnings) if regex.fullmatch(longer))
            if matched and matched not in seen:
                seen.add(matched)
                values.append(longer)
                greatest = max(greatest, len(matched))
    return greatest


texts = st.text("ab*", min_size=1, max_size=7).map(lambda text: re.sub(r"\*+", "*", text))


@given(st.lists(texts, min_size=1, max_size=4, unique=True))
def test_the_measure_is_that_of_trying_all_values(given_texts: list[str]) -> None:
    assert min(measure(wildcards(*given_texts)), 11) == min(slow_complexity(given_texts), 11)


@pytest.mark.parametrize(
    "pattern",
    [
        wildcards("*a" * 20_000),
        wildcards("a" * 20_000 + "*"),
        wildcards(*(f"{number}" * 5_000 + "*" for number in range(10))),
        wildcards(*("*" + "ab" * 5_000 + f"{number}" for number in range(5))),
        {"a": [{"anything-but": {"wildcard": [f"*{number:05}*" for number in range(10_000)]}}]},
        {"a": [{"anything-but": {"wildcard": [f"{number:05}*a" for number in range(10_000)]}}]},
        {"z": wildcards("*ab*")["a"], "$or": [{"a": [number], "b": [number]} for number in range(1_000)]},
        {"a": wildcards("*ab*")["a"], "$or": [{"z": [number], "b": [number]} for number in range(1_000)]},
    ],
    ids=lambda pattern: str(pattern)[:40],
)
def test_hostile_patterns_end_at_once(pattern: dict[str, Any]) -> None:
    combinations = parse.combinations(parse.read(pattern))
    began = time.process_time()
    assert complexities(combinations)
    assert time.process_time() - began < 1
