"""Many patterns against one event, as a bus has them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import chain
from typing import Any, Generic, TypeVar

from backbone.patterns.match import leaves
from backbone.patterns.parse import Rule
from backbone.patterns.pattern import Pattern, as_event

__all__ = ["PatternSet"]

Key = TypeVar("Key", bound=Hashable)
Path = tuple[str, ...]


class PatternSet(Generic[Key]):
    """Patterns by a key of the caller's, found by look-up where a value of the event tells which can match.

    A rule that lists strings for some field is looked up by the strings that the event has there, in the field
    that the fewest other rules share. Rules of a single `anything-but` field are taken all at once, without those
    that exclude the event's value. The others are tried one by one.
    """

    def __init__(self, patterns: Mapping[Key, Pattern] | Iterable[tuple[Key, Pattern]]) -> None:
        given = list(patterns.items() if isinstance(patterns, Mapping) else patterns)
        self._keys = [key for key, _ in given]
        self._patterns = [pattern for _, pattern in given]
        rules = [
            (place, number, rule)
            for place, pattern in enumerate(self._patterns)
            for number, rule in enumerate(pattern.rules)
        ]
        shared = Counter((path, value) for *_, rule in rules for path in rule for value in _strings(rule, path))
        self._by_string: dict[Path, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        self._but: dict[Path, _AnythingBut] = defaultdict(_AnythingBut)
        self._rest: list[tuple[int, int]] = []
        for place, number, rule in rules:
            listed = [path for path in rule if _strings(rule, path)]
            if listed:
                path = min(listed, key=lambda one: sum(shared[one, value] for value in _strings(rule, one)))
                for value in _strings(rule, path):
                    self._by_string[path][value].append((place, number))
            elif excluded := _excluded(rule):
                path, values = excluded
                self._but[path].add(place, values)
            else:
                self._rest.append((place, number))

    def __len__(self) -> int:
        return len(self._keys)

    def matching(self, event: Mapping[str, Any] | str | bytes) -> list[Key]:
        """The keys of the patterns that match, in the order in which the patterns were given."""
        read = event if type(event) is dict else as_event(event)
        candidates = [self._rest]
        for path, by_value in self._by_string.items():
            for leaf in set(_texts(read, path)):
                if leaf in by_value:
                    candidates.append(by_value[leaf])
        found = {
            place
            for place, number in chain.from_iterable(candidates)
            if self._patterns[place].matches_combination(number, read)
        }
        for path, group in self._but.items():
            found |= group.matching(list(leaves(read, path)))
        return [self._keys[place] for place in sorted(found)]


class _AnythingBut:
    """Rules that differ only in the strings that they exclude at one path."""

    def __init__(self) -> None:
        self.every: set[int] = set()
        self.excluding: dict[str, set[int]] = defaultdict(set)

    def add(self, place: int, excluded: frozenset[str]) -> None:
        self.every.add(place)
        for value in excluded:
            self.excluding[value].add(place)

    def matching(self, values: list[Any]) -> set[int]:
        """The rules that allow any of the values."""
        if not values:
            return set()
        nothing: set[int] = set()
        excluding = [self.excluding.get(one, nothing) if type(one) is str else nothing for one in values]
        return self.every.difference(excluding[0].intersection(*excluding[1:]))


def _strings(rule: Rule, path: Path) -> frozenset[str]:
    """The strings one of which must be at a path; none when something else would do as well."""
    alternatives = rule[path]
    if not all(one.strings for one in alternatives):
        return frozenset()
    return frozenset().union(*(one.strings for one in alternatives))


def _excluded(rule: Rule) -> tuple[Path, frozenset[str]] | None:
    """The path and the strings of a rule that is nothing but one `anything-but` of strings."""
    if len(rule) != 1:
        return None
    ((path, alternatives),) = rule.items()
    return (path, alternatives[0].others) if len(alternatives) == 1 and alternatives[0].others else None


def _texts(event: dict[str, Any], path: Path) -> Iterable[str]:
    return (leaf for leaf in leaves(event, path) if type(leaf) is str)
