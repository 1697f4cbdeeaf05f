"""Filters of event source mappings: which records of a queue or stream a function is given.

Source: Lambda developer guide, "Control which events Lambda sends to your function", with the tables of each service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backbone.patterns import Pattern
from backbone.patterns.parse import Conditions

__all__ = ["Filter"]


class Filter:
    """A pattern for records. What a record carries as text is read as JSON where the pattern asks for its fields."""

    def __init__(self, text: str) -> None:
        """Read the pattern; PatternError when AWS would refuse it."""
        self._pattern = Pattern.parse(text)
        self._tree: dict[str, Any] = json.loads(text)

    def matches(self, record: Mapping[str, Any], name: str) -> bool:
        """Whether the pattern matches a record whose text is at `name`.

        A pattern for fields never matches text that is no JSON object, nor a pattern for text one that is.
        """
        asked = list(_asked(self._tree, name))
        content = _json_object(record.get(name)) if asked else None
        for condition in asked:
            if isinstance(condition, dict) is (content is None):
                return False
        return self._pattern.matches({**record, name: content} if content is not None else dict(record))

    def asks_for(self, *path: str) -> bool:
        """Whether no record matches that has nothing at a place or below it."""
        return all(_needs(conditions, path) for conditions in self._pattern.combinations)


def _needs(conditions: Conditions, path: tuple[str, ...]) -> bool:
    below = [alternatives for place, alternatives in conditions.items() if place[: len(path)] == path]
    return any(all(alternative.test is not None for alternative in alternatives) for alternatives in below)


def _asked(tree: Mapping[str, Any], name: str) -> Any:
    """What a pattern asks of a field, also in its alternatives."""
    if name in tree:
        yield tree[name]
    for alternative in tree.get("$or", ()):
        yield from _asked(alternative, name)


def _json_object(text: Any) -> dict[str, Any] | None:
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
