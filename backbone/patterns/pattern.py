"""One event pattern."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backbone.aws.limits import PATTERN_CHARACTERS
from backbone.patterns import match, parse
from backbone.patterns.explain import Explanation, explain
from backbone.patterns.tree import Fields, PatternError, shown

__all__ = ["Pattern"]


class Pattern:
    """An event pattern that EventBridge would accept, ready to be matched. Made by `parse`."""

    __slots__ = ("_nodes", "_tree", "rules")

    def __init__(self, tree: Fields) -> None:
        self._tree = tree
        self.rules = tuple(parse.rules(tree))
        """What must hold at each path, once per combination of `$or`."""
        self._nodes = tuple(match.build(rule) for rule in self.rules)

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

        PatternError when it is no JSON object.
        """
        read = event if type(event) is dict else as_event(event)
        # Not any(): a generator would cost a third of the time of a small pattern.
        for node in self._nodes:  # noqa: SIM110
            if match.matches(node, read):
                return True
        return False

    def matches_combination(self, number: int, event: dict[str, Any]) -> bool:
        """Whether one combination of `$or`, by its place in `rules`, holds."""
        return match.matches(self._nodes[number], event)

    def explain(self, event: Mapping[str, Any] | str | bytes) -> Explanation:
        """Why the pattern matches an event or does not."""
        read = as_event(event)
        return explain(self.rules, [match.matches(node, read) for node in self._nodes], read)

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
    """An event as a dict; PatternError when it is none."""
    event: Any = given
    if isinstance(given, str | bytes):
        try:
            event = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise PatternError("the event", "text that is not JSON", f"JSON: {error}") from None
    if not isinstance(event, Mapping):
        raise PatternError("the event", shown(event), 'an object, as in {"source": "shop", "detail": {}}')
    return dict(event)
