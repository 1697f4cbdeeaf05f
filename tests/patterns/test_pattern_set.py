"""Many patterns at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.patterns import Pattern, PatternSet
from tests.patterns import strategies


@given(st.lists(strategies.patterns, max_size=8), strategies.pairs)
def test_a_set_agrees_with_each_pattern(
    written: list[dict[str, Any]], pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    patterns = [Pattern.parse(pattern) for pattern in (*written, pair[0])]
    expected = [number for number, pattern in enumerate(patterns) if pattern.matches(pair[1])]
    assert PatternSet(enumerate(patterns)).matching(pair[1]) == expected


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
