"""One event pattern."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backbone.aws.limits import PATTERN_CHARACTERS
from backbone.patterns import complexity, match, parse
from backbone.patterns.example import examples
from backbone.patterns.explain import Explanation, explain
from backbone.patterns.tree import JsonObject, PatternError, format_value

__all__ = ["Pattern", "as_event"]


class Pattern:
    """An event pattern that EventBridge would accept, ready to be matched. Made by `parse`."""

    __slots__ = ("_requirements", "_tree", "combinations", "warnings")

    def __init__(self, tree: JsonObject) -> None:
        self._tree = tree
        self.combinations = tuple(parse.combinations(tree))
        """What must hold at each path, once per combination of `$or`."""
        self.warnings = complexity.check(self.combinations)
        """What EventBridge takes, though only just."""
        self._requirements = tuple(match.build(conditions) for conditions in self.combinations)

    @classmethod
    def parse(cls, pattern: str | bytes | Mapping[str, Any]) -> Pattern:
        """A pattern from JSON text or from Python values as `json.loads` gives them.

        PatternError says where and why EventBridge would refuse it. Patterns longer than 2,048 characters are
        accepted, since AWS raises that quota on request: `too_long` tells.
        """
        return cls(parse.read(pattern))

    @property
    def too_long(self) -> bool:
        """Whether it has more characters, without white space between them, than EventBridge takes by default."""
        return len(self.to_json()) > PATTERN_CHARACTERS

    def matches(self, event: Mapping[str, Any] | str | bytes) -> bool:
        """Whether the pattern matches an event, given as `json.loads` gives it or as JSON text.

        PatternError when it is not a JSON object.
        """
        read = event if type(event) is dict else as_event(event)
        # Not any(): a generator would cost a third of the time of a small pattern.
        for requirement in self._requirements:  # noqa: SIM110
            if match.matches(requirement, read):
                return True
        return False

    @property
    def narrows_detail(self) -> bool:
        """Whether it asks for anything within `detail`."""
        return any(path[0] == "detail" for conditions in self.combinations for path in conditions)

    def could_match(self, event: Mapping[str, Any]) -> bool:
        """Whether it would match an event with some other `detail`."""
        others = ({path: one for path, one in each.items() if path[0] != "detail"} for each in self.combinations)
        return any(match.matches(match.build(conditions), dict(event)) for conditions in others)

    def matches_combination(self, number: int, event: dict[str, Any]) -> bool:
        """Whether one combination of `$or`, by its place in `combinations`, holds."""
        return match.matches(self._requirements[number], event)

    def explain(self, event: Mapping[str, Any] | str | bytes) -> Explanation:
        """Why the pattern matches an event or does not."""
        read = as_event(event)
        matched = [match.matches(requirement, read) for requirement in self._requirements]
        return explain(self.combinations, matched, read)

    def examples(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Events that it matches, made of an event by few changes: for each combination of `$or`, if one is found."""
        return examples(self.combinations, self.matches_combination, event)

    def to_json(self) -> str:
        """The pattern as compact JSON with its fields in the order written and its numbers as written."""
        return parse.to_json(self._tree)

    def __repr__(self) -> str:
        return f"Pattern.parse({self.to_json()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self._tree == other._tree

    def __hash__(self) -> int:
        return hash(self.to_json())


def as_event(given: Mapping[str, Any] | str | bytes) -> dict[str, Any]:
    """An event as a dict; PatternError when it is not a JSON object."""
    event: Any = given
    if isinstance(given, str | bytes):
        try:
            event = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise PatternError("the event", f"text that is not JSON ({error})", "JSON") from None
    if not isinstance(event, Mapping):
        raise PatternError("the event", format_value(event), 'an object, as in {"source": "shop", "detail": {}}')
    return dict(event)
