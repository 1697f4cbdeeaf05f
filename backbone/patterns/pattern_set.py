"""Many patterns against one event, as a bus has them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import chain
from typing import Any, Generic, TypeVar

from backbone.patterns.match import leaves
from backbone.patterns.parse import Conditions, Path
from backbone.patterns.pattern import Pattern, as_event

__all__ = ["PatternSet"]

Key = TypeVar("Key", bound=Hashable)


class PatternSet(Generic[Key]):
    """Patterns by a key of the caller's, found by look-up where a value of the event tells which can match.

    A pattern that lists strings for some field is looked up by the strings that the event has there, in the field
    that the fewest other patterns share. Patterns of a single `anything-but` field are taken all at once, without
    those that exclude the event's value. The others are tried one by one. With `$or` this holds for each combination.
    """

    def __init__(self, patterns: Mapping[Key, Pattern] | Iterable[tuple[Key, Pattern]]) -> None:
        given = list(patterns.items() if isinstance(patterns, Mapping) else patterns)
        self._keys = [key for key, _ in given]
        self._patterns = [pattern for _, pattern in given]
        combinations = [
            (place, number, conditions)
            for place, pattern in enumerate(self._patterns)
            for number, conditions in enumerate(pattern.combinations)
        ]
        shared = Counter(
            (path, value)
            for *_, conditions in combinations
            for path in conditions
            for value in _strings(conditions, path)
        )
        self._by_string: dict[Path, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        self._but: dict[Path, _AnythingBut] = defaultdict(_AnythingBut)
        self._rest: list[tuple[int, int]] = []
        for place, number, conditions in combinations:
            listed = {path: strings for path in conditions if (strings := _strings(conditions, path))}
            if listed:
                rarest = min(listed, key=lambda path: sum(shared[path, value] for value in listed[path]))
                for value in listed[rarest]:
                    self._by_string[rarest][value].append((place, number))
            elif excluded := _excluded(conditions):
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
    """Patterns that differ only in the strings that they exclude at one path."""

    def __init__(self) -> None:
        self._all: set[int] = set()
        self._excluding: dict[str, set[int]] = defaultdict(set)

    def add(self, place: int, excluded: frozenset[str]) -> None:
        self._all.add(place)
        for value in excluded:
            self._excluding[value].add(place)

    def matching(self, values: list[Any]) -> set[int]:
        """The patterns that allow any of the values."""
        if not values:
            return set()
        nobody: set[int] = set()
        excluding = [self._excluding.get(value, nobody) if type(value) is str else nobody for value in values]
        return self._all.difference(excluding[0].intersection(*excluding[1:]))


def _strings(conditions: Conditions, path: Path) -> frozenset[str]:
    """The strings of which the value at a path must be one; empty when other values would do as well."""
    alternatives = conditions[path]
    if not all(alternative.strings for alternative in alternatives):
        return frozenset()
    return frozenset().union(*(alternative.strings for alternative in alternatives))


def _excluded(conditions: Conditions) -> tuple[Path, frozenset[str]] | None:
    """The path and the strings of conditions that are nothing but one `anything-but` of strings."""
    if len(conditions) != 1:
        return None
    ((path, alternatives),) = conditions.items()
    return (path, alternatives[0].others) if len(alternatives) == 1 and alternatives[0].others else None


def _texts(event: dict[str, Any], path: Path) -> Iterable[str]:
    return (leaf for leaf in leaves(event, path) if type(leaf) is str)
