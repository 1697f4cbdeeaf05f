"""How complex the wildcards of a pattern are: EventBridge refuses a rule over a complexity of 10.

The complexity of a field is the largest number of beginnings of its wildcard patterns that a single value matches:
`*a*a` has 4, since a value such as `aa` matches `*`, `*a`, `*a*` and `*a*a`. It is event-ruler's measure of how many
states its automaton can be in at once; where `$or` repeats wildcards, event-ruler's number can be slightly higher. The
limit is what that engine's README recommends, and what was observed: a pattern of 9 was accepted, patterns of 11 and 12
were refused.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from backbone.patterns.parse import Conditions, Path, order_of_names
from backbone.patterns.tree import PatternError
from backbone.patterns.values import Alternative

__all__ = ["MAX_COMPLEXITY", "check", "complexities"]

MAX_COMPLEXITY = 10

_QUOTE = b'"'
"""In event-ruler's automaton strings have their quotes as first and last character."""

_STAR = -1
"""Stands for `*` among bytes."""


def check(combinations: Sequence[Conditions]) -> tuple[str, ...]:
    """Warnings about wildcards that are as complex as EventBridge takes; PatternError for those that are more."""
    warnings = []
    for path, found in complexities(combinations).items():
        place = ".".join(("$", *path))
        if found > MAX_COMPLEXITY:
            got = f"wildcards that EventBridge finds too complex (over {MAX_COMPLEXITY} by event-ruler's measure)"
            raise PatternError(place, got, "fewer *, fewer wildcards in one field, or prefix and suffix instead")
        if found == MAX_COMPLEXITY:
            warnings.append(f"{place}: the wildcards are as complex as EventBridge takes; one more * may be refused")
    return tuple(warnings)


def complexities(combinations: Sequence[Conditions]) -> dict[Path, int]:
    """The complexity of each field that has wildcards; above 10, some number above 10."""
    found: dict[Path, int] = {}
    for (_, path), wildcards in _automata(combinations).items():
        found[path] = max(found.get(path, 0), _complexity(wildcards))
    return found


def _automata(combinations: Sequence[Conditions]) -> dict[tuple[int, Path], Counter[Alternative]]:
    """The wildcards that event-ruler puts into one automaton, with how often, by the field and what comes before it.

    Fields are read in order. Combinations with the same fields so far share the automaton of the next field, as long as
    none of them has a wildcard: then each combination goes its own way.
    """
    found: dict[tuple[int, Path], Counter[Alternative]] = defaultdict(Counter)
    numbers: dict[tuple[int, Path, tuple[Alternative, ...]], int] = {}
    own = itertools.count(-1, -1)
    for conditions in combinations:
        if not any(alternative.wildcards for alternatives in conditions.values() for alternative in alternatives):
            continue
        before = 0
        for path in sorted(conditions, key=order_of_names):
            alternatives = conditions[path]
            if all(alternative.test is None for alternative in alternatives):
                break  # event-ruler's measure goes no further than a field that must be absent
            if wildcards := [alternative for alternative in alternatives if alternative.wildcards]:
                found[before, path].update(wildcards)
                before = next(own)
            else:
                before = numbers.setdefault((before, path, alternatives), len(numbers) + 1)
    return found


def _complexity(alternatives: Mapping[Alternative, int]) -> int:
    """The complexity of wildcard alternatives, given with how often each is there; above 10, some number above 10.

    Takes time proportional to the length of the patterns. A value may be what patterns have before their first `*`.
    Any other value can pass all `*` of those patterns that it begins like, and go on with the text that makes most
    beginnings match, which is itself a text that follows some `*`.
    """
    if len(alternatives) > MAX_COMPLEXITY:
        return len(alternatives)  # the opening quote is a beginning of each
    automaton = _Automaton(alternatives)
    greatest = 0
    for states in automaton.worst_cases():
        greatest = max(greatest, len(states))
        if greatest > MAX_COMPLEXITY:
            break
    return greatest


def _has_case(token: int) -> bool:
    """Whether a byte is a letter; the first byte of a character beyond ASCII counts as one."""
    return token >= 0xC0 or chr(max(token, 0)).isalpha()


class _Automaton:
    """A state for each beginning of each wildcard pattern, which is active while the value matches the beginning.

    As in event-ruler, equal alternatives (combinations of `$or` repeat those that stand beside it) and the patterns of
    one `anything-but` share the states of the same beginning up to the first letter after a `*`, and their last state.
    """

    def __init__(self, alternatives: Mapping[Alternative, int]) -> None:
        self._next: list[dict[int, set[int]]] = [{}]
        """By state, the states to which a byte leads. The first state is the start."""
        self._star: dict[int, int] = {}
        """By state, the state of the `*` that follows it: what matches a beginning matches it with the `*` as well."""
        self._stars: set[int] = set()
        self._heads: list[bytes] = []
        """The text before the first `*` of each pattern."""
        self._parts: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        """By the state of a pattern's first `*`, the states of all its `*`, each with the text that follows."""
        for alternative, count in alternatives.items():
            end, shared = self._new(), dict[tuple[int, int], int]()
            for pieces in alternative.wildcards:
                for _ in range(min(count, MAX_COMPLEXITY + 1)):
                    self._add([piece.encode("utf-8", "replace") for piece in pieces], end, shared)

    def _new(self) -> int:
        self._next.append({})
        return len(self._next) - 1

    def _add(self, pieces: list[bytes], end: int, shared: dict[tuple[int, int], int]) -> None:
        pieces[0] = _QUOTE + pieces[0]
        pieces[-1] += _QUOTE
        tokens = [token for piece in pieces for token in (_STAR, *piece)][1:]
        stars: list[int] = []
        state = 0
        for token in tokens[:-1]:
            following = shared.get((state, token))
            if following is None or (stars and _has_case(token)):
                following = shared[state, token] = self._new()
            if token == _STAR:
                self._star[state] = following
                self._stars.add(following)
                stars.append(following)
            else:
                self._next[state].setdefault(token, set()).add(following)
            state = following
        self._next[state].setdefault(tokens[-1], set()).add(end)
        self._heads.append(pieces[0])
        if stars:
            self._parts[stars[0]] += zip(stars, pieces[1:], strict=True)

    def worst_cases(self) -> Iterator[frozenset[int]]:
        """Sets of states that are active at once; the largest such set is among them."""
        passed = set()
        for head in self._heads:
            along = list(self._run(frozenset([0]), head))
            yield from along
            first_stars = frozenset(along[-1] & self._parts.keys())
            if first_stars not in passed:
                passed.add(first_stars)
                parts = [part for first_star in first_stars for part in self._parts[first_star]]
                stars = frozenset(star for star, _ in parts)
                for _, text in parts:
                    yield from self._run(stars, text)

    def _run(self, states: frozenset[int], text: bytes) -> Iterator[frozenset[int]]:
        """The active states after each byte of a text."""
        for byte in text:
            reached = {following for state in states for following in self._next[state].get(byte, ())}
            reached |= {self._star[state] for state in reached if state in self._star}
            states = frozenset(reached | (states & self._stars))
            yield states
