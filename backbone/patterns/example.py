"""An event that a pattern matches."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import islice, product
from typing import Any

from backbone.patterns.match import leaves
from backbone.patterns.parse import Conditions, Path
from backbone.patterns.values import Alternative, Leaf

__all__ = ["examples"]

ABSENT = object()
MAX_TRIED = 1_000
"""How many choices of values are tried for a combination of `$or`."""


def examples(
    combinations: Sequence[Conditions], holds: Callable[[int, dict[str, Any]], bool], event: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Events that a pattern matches, made of an event by as few changes as are seen to be needed.

    There is an event for each combination of `$or`, but for those of which no event was found. `holds` tells whether
    a combination, by its number, matches.
    """
    found = []
    for number, conditions in enumerate(combinations):
        choices = [_choices(path, alternatives, event) for path, alternatives in conditions.items()]
        tried = (_with(event, conditions, chosen) for chosen in islice(product(*choices), MAX_TRIED))
        made = next((each for each in tried if holds(number, each)), None)
        if made is not None:
            found.append(made)
    return found


def _choices(path: Path, alternatives: tuple[Alternative, ...], event: Mapping[str, Any]) -> list[Any]:
    """What to try at a path, the best first: what is there already, where it will do."""
    there: list[Leaf] = list(leaves(dict(event), path))
    kept = [leaf for leaf in there if any(one.test is not None and one.test(leaf) for one in alternatives)]
    absent = [ABSENT] if any(one.test is None for one in alternatives) else []
    made = [leaf for one in alternatives if one.test is not None for leaf in one.examples if one.test(leaf)]
    return [*kept, *(absent if not there else ()), *made, *absent]


def _with(event: Mapping[str, Any], conditions: Conditions, chosen: tuple[Any, ...]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(event))
    for path, leaf in zip(conditions, chosen, strict=True):
        if leaf is ABSENT:
            _remove(made, path)
        elif not any(type(there) is type(leaf) and there == leaf for there in leaves(made, path)):
            _set(made, path, leaf)
    return made


def _set(event: dict[str, Any], path: Path, leaf: Leaf) -> None:
    *above, last = path
    for name in above:
        if not isinstance(event.get(name), dict):
            event[name] = {}
        event = event[name]
    event[last] = leaf


def _remove(event: dict[str, Any], path: Path) -> None:
    *above, last = path
    for name in above:
        below = event.get(name)
        if not isinstance(below, dict):
            return
        event = below
    event.pop(last, None)
