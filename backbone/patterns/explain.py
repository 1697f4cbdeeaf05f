"""Why a pattern matches an event or does not, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backbone.patterns.match import leaves
from backbone.patterns.tree import shown
from backbone.patterns.values import Matcher

__all__ = ["Explanation", "explain"]

MAX_SHOWN = 5
"""Values and combinations that are shown of many."""


@dataclass(frozen=True)
class Field:
    """What a pattern wants at a path and what the event has there.

    `by` has the alternatives that are satisfied; none when the field fails.
    """

    path: str
    required: str
    found: str
    by: tuple[str, ...]

    def __str__(self) -> str:
        if self.by:
            return f"{self.path}: {self.found} satisfies {' and '.join(self.by)}"
        return f"{self.path}: required {self.required}; found {self.found}"


@dataclass(frozen=True)
class Combination:
    """One way to satisfy a pattern; there are several where it has `$or`.

    `apart` names the fields that are each satisfied, though not all in the same element of an array.
    """

    matched: bool
    fields: tuple[Field, ...]
    apart: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Field, ...]:
        """The fields that the event does not satisfy."""
        return tuple(one for one in self.fields if not one.by)

    def lines(self) -> list[str]:
        """What there is to say: the fields that match, or what failed."""
        if self.matched:
            return [str(one) for one in self.fields]
        together = [f"{', '.join(self.apart)}: each matches, but not in the same element of an array"]
        return [str(one) for one in self.failed] or together


@dataclass(frozen=True)
class Explanation:
    """Whether a pattern matches an event, and for each combination of its `$or` why or why not."""

    matched: bool
    combinations: tuple[Combination, ...]

    def __bool__(self) -> bool:
        return self.matched

    def __str__(self) -> str:
        telling = self._telling()
        lines = ["matches" if self.matched else "does not match"]
        if len(self.combinations) > 1:
            lines[0] += f", by {len(telling)}" if self.matched else f", by none of {len(self.combinations)}"
            lines[0] += " combinations of $or" if not self.matched or len(telling) > 1 else " combination of $or"
        for number, one in enumerate(telling[:MAX_SHOWN], start=1):
            mark = f"{number}. " if len(telling) > 1 else "  "
            lines += [f"{mark if index == 0 else ' ' * len(mark)}{line}" for index, line in enumerate(one.lines())]
        if len(telling) > MAX_SHOWN:
            lines.append(f"… and {len(telling) - MAX_SHOWN} more")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "matched": self.matched,
            "combinations": [
                {
                    "matched": one.matched,
                    "fields": [
                        {"path": field.path, "required": field.required, "found": field.found, "by": list(field.by)}
                        for field in one.fields
                    ],
                    "not_in_the_same_element": list(one.apart),
                }
                for one in self._telling()
            ],
        }

    def _telling(self) -> list[Combination]:
        """The combinations that match, or those that fail, nearest to a match first."""
        if self.matched:
            return [one for one in self.combinations if one.matched]
        return sorted(self.combinations, key=lambda one: len(one.failed))


def explain(
    rules: Sequence[Mapping[tuple[str, ...], tuple[Matcher, ...]]], matched: Sequence[bool], event: dict[str, Any]
) -> Explanation:
    """The words for what `matched` says of each rule."""
    combinations = []
    for rule, holds in zip(rules, matched, strict=True):
        fields = tuple(_field(path, alternatives, event, matched=holds) for path, alternatives in rule.items())
        failed = any(not field.by for field in fields)
        apart = () if holds or failed else tuple(".".join(path) for path in rule if _below_array(event, path))
        combinations.append(Combination(holds, fields, apart))
    return Explanation(any(matched), tuple(combinations))


def _below_array(event: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Whether an array is on the way to a path, so that other fields below it must match in the same element."""
    current: list[Any] = [event]
    for name in path[:-1]:
        current = [one[name] for one in current if isinstance(one, dict) and name in one]
        if any(isinstance(one, list) for one in current):
            return True
    return False


def _field(path: tuple[str, ...], alternatives: tuple[Matcher, ...], event: dict[str, Any], *, matched: bool) -> Field:
    values = list(leaves(event, path))
    by = [one.words for one in alternatives if one.test is not None and any(one.test(value) for value in values)]
    if not values or (matched and not by):
        # Where the rule matches though a value is there, the element that it matches in has none.
        by += [one.words for one in alternatives if one.test is None]
    if values:
        more = f" … ({len(values):,} values)" if len(values) > MAX_SHOWN else ""
        found = ", ".join(shown(value) for value in islice(values, MAX_SHOWN)) + more
    else:
        found = "no value"
    return Field(".".join(path), " or ".join(one.words for one in alternatives), found, tuple(by))
