"""Why a pattern matches an event or does not, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backbone.patterns.match import leaves
from backbone.patterns.parse import Conditions, Path
from backbone.patterns.tree import format_value
from backbone.patterns.values import Alternative

__all__ = ["Explanation", "explain"]

MAX_SHOWN = 5
"""Values, alternatives and combinations that are shown of many."""

MAX_WORDS = 120
"""Characters that are shown of an alternative."""


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
        return tuple(field for field in self.fields if not field.by)

    def lines(self) -> list[str]:
        """What there is to say: the fields that match, or what failed."""
        if self.matched:
            return [str(field) for field in self.fields]
        together = [f"{', '.join(self.apart)}: each matches, but not in the same element of an array"]
        return [str(field) for field in self.failed] or together


@dataclass(frozen=True)
class Explanation:
    """Whether a pattern matches an event, and for each combination of its `$or` why or why not."""

    matched: bool
    combinations: tuple[Combination, ...]

    def __bool__(self) -> bool:
        return self.matched

    def __str__(self) -> str:
        telling = self._telling()
        lines = [self._verdict(len(telling))]
        for number, combination in enumerate(telling[:MAX_SHOWN], start=1):
            mark = f"{number}. " if len(telling) > 1 else "  "
            first, *others = combination.lines()
            lines += [mark + first, *(" " * len(mark) + line for line in others)]
        if len(telling) > MAX_SHOWN:
            lines.append(f"… and {len(telling) - MAX_SHOWN} more")
        return "\n".join(lines)

    def _verdict(self, telling: int) -> str:
        if len(self.combinations) == 1:
            return "matches" if self.matched else "does not match"
        if self.matched:
            return f"matches, by {telling} combination{'s' if telling > 1 else ''} of $or"
        return f"does not match, by none of {len(self.combinations)} combinations of $or"

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "matched": self.matched,
            "combinations": [
                {
                    "matched": combination.matched,
                    "fields": [
                        {"path": field.path, "required": field.required, "found": field.found, "by": list(field.by)}
                        for field in combination.fields
                    ],
                    "not_in_the_same_element": list(combination.apart),
                }
                for combination in self._telling()
            ],
        }

    def _telling(self) -> list[Combination]:
        """The combinations that match, or those that fail, nearest to a match first."""
        if self.matched:
            return [combination for combination in self.combinations if combination.matched]
        return sorted(self.combinations, key=lambda combination: len(combination.failed))


def explain(combinations: Sequence[Conditions], matched: Sequence[bool], event: dict[str, Any]) -> Explanation:
    """The words for what `matched` says of each combination."""
    explained = []
    for conditions, holds in zip(combinations, matched, strict=True):
        fields = tuple(_field(path, alternatives, event, matched=holds) for path, alternatives in conditions.items())
        failed = any(not field.by for field in fields)
        apart = () if holds or failed else tuple(".".join(path) for path in conditions if _below_array(event, path))
        explained.append(Combination(holds, fields, apart))
    return Explanation(any(matched), tuple(explained))


def _below_array(event: dict[str, Any], path: Path) -> bool:
    """Whether an array is on the way to a path, so that other fields below it must match in the same element."""
    current: list[Any] = [event]
    for name in path[:-1]:
        current = [value[name] for value in current if isinstance(value, dict) and name in value]
        if any(isinstance(value, list) for value in current):
            return True
    return False


def _field(path: Path, alternatives: tuple[Alternative, ...], event: dict[str, Any], *, matched: bool) -> Field:
    values = list(leaves(event, path))
    by = [each for each in alternatives if each.test is not None and any(each.test(value) for value in values)]
    if not values or (matched and not by):
        # Where the conditions hold though a value is there, the element in which they hold has none.
        by += [each for each in alternatives if each.test is None]
    found = ", ".join(format_value(value) for value in islice(values, MAX_SHOWN)) or "no value"
    if len(values) > MAX_SHOWN:
        found += f" … ({len(values):,} values)"
    return Field(".".join(path), " or ".join(map(_words, alternatives)), found, tuple(map(_words, by)))


def _words(alternative: Alternative) -> str:
    words = alternative.words
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}… ({len(words):,} characters)"
