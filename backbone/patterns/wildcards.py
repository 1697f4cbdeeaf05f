"""Wildcard patterns: texts in which `*` stands for any characters, also none."""

from __future__ import annotations

import re
from collections.abc import Callable

from backbone.patterns.tree import PatternError, format_value

__all__ = ["pieces", "test"]

_UNITS = re.compile(r"\\[*\\]|[^*\\]+|.", re.DOTALL)
"""An escape, text without `*` and backslashes, or one of these."""


def pieces(text: str, path: str) -> tuple[str, ...]:
    r"""The literal texts before, between and after the `*` of a wildcard pattern; PatternError with the path.

    The only escapes are `\*` and `\\` (event-ruler).
    """
    found: list[list[str]] = [[]]
    previous = ""
    for unit in _UNITS.findall(text):
        if unit == "\\":
            raise PatternError(path, format_value(text), "a backslash only before * or another backslash")
        if unit == "*" == previous:
            raise PatternError(path, format_value(text), "one * instead of two in a row, which means the same")
        if unit == "*":
            found.append([])
        else:
            found[-1].append(unit.removeprefix("\\"))
        previous = unit
    return tuple("".join(literals) for literals in found)


def test(pieces: tuple[str, ...]) -> Callable[[str], bool]:
    """A function that says whether a text matches a wildcard pattern, in time linear in the text."""
    if len(pieces) == 1:
        return lambda text: text == pieces[0]
    first, *middle, last = pieces

    def matches(text: str) -> bool:
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        position, end = len(first), len(text) - len(last)
        for piece in middle:
            # The leftmost place leaves most for the rest, so no other need be tried.
            position = text.find(piece, position, end)
            if position < 0:
                return False
            position += len(piece)
        return True

    return matches
