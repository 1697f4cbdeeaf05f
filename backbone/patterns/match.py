"""Whether an event satisfies the conditions of a pattern, those on fields of one array in the same element of it.

The conditions are a tree of the same shape as the event, so one walk over both decides. event-ruler's semantics:

- Arrays are flattened. Fields below one array of objects must match in one element of it, at each level.
- A field's value is a leaf. An object, and an array without leaves, is the same as a field that is not there.
- `exists: false` is satisfied when no element has the field, unless a present field below the same array comes
  before it in the order of names: then only that field's element counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from backbone.patterns.parse import Conditions, Path, order_of_names
from backbone.patterns.values import Alternative, Leaf

__all__ = ["Requirement", "build", "leaves", "matches"]

_MISSING: Any = object()
_SCALARS = frozenset([str, int, float, bool, type(None)])


class Requirement:
    """What must hold at one place of the event: a leaf that passes `test`, and requirements on the fields below.

    `absent` allows that there is no leaf here, `absent_below` that no field below has one, `nothing` both.
    """

    __slots__ = ("absent", "absent_below", "children", "first_absent", "names", "nothing", "paths", "test")

    def __init__(self) -> None:
        self.children: dict[str, Requirement] = {}
        self.test: Callable[[Leaf], bool] | None = None
        self.absent = True
        self.absent_below = True
        self.nothing = True
        self.names: tuple[tuple[str, Requirement, Callable[[Leaf], bool] | None], ...] = ()
        """The children by name; with the test where it alone decides on a leaf."""
        self.paths: tuple[tuple[Path, Requirement], ...] = ()
        """Everything below that tests a leaf, in event-ruler's order."""
        self.first_absent: tuple[Path, ...] = ()
        """The paths below that come before the first one that must be there."""


def build(conditions: Conditions) -> Requirement:
    """The tree of a combination's conditions."""
    root = Requirement()
    for path, alternatives in conditions.items():
        requirement = root
        for name in path:
            requirement = requirement.children.setdefault(name, Requirement())
        requirement.absent = any(alternative.test is None for alternative in alternatives)
        requirement.test = _any_of(alternatives)
    _finish(root)
    return root


def _any_of(alternatives: tuple[Alternative, ...]) -> Callable[[Leaf], bool]:
    """Whether a leaf passes one of the alternatives; no leaf passes `exists: false`."""
    if all(alternative.strings for alternative in alternatives):
        # Most fields are lists of strings: one look-up decides.
        strings = frozenset().union(*(alternative.strings for alternative in alternatives))
        return lambda leaf: type(leaf) is str and leaf in strings
    tests = [alternative.test for alternative in alternatives if alternative.test is not None]
    if len(tests) == 1:
        return tests[0]
    return lambda leaf: any(test(leaf) for test in tests)


def _finish(root: Requirement) -> None:
    """Settle what follows from the children, from the bottom up."""
    stack, order = [root], []
    while stack:
        requirement = stack.pop()
        order.append(requirement)
        stack += requirement.children.values()
    for requirement in reversed(order):
        children = requirement.children.items()
        requirement.names = tuple((name, child, child.test if child.absent_below else None) for name, child in children)
        paths: list[tuple[Path, Requirement]] = [((name,), child) for name, child in children if child.test is not None]
        paths += [((name, *path), below) for name, child in children for path, below in child.paths]
        requirement.paths = tuple(sorted(paths, key=lambda place: order_of_names(place[0])))
        requirement.first_absent = tuple(
            path for path, _ in takewhile(lambda place: place[1].absent, requirement.paths)
        )
        requirement.absent_below = len(requirement.first_absent) == len(requirement.paths)
        requirement.nothing = requirement.absent and requirement.absent_below


def matches(requirement: Requirement, event: dict[str, Any]) -> bool:
    """Whether an object has, for every field below the requirement, what it demands."""
    if "." in "".join(event):
        event = _undotted(event)
    for name, child, test in requirement.names:
        value = event.get(name, _MISSING)
        kind = type(value)
        if test is not None and kind in _SCALARS:
            if not test(value):
                return False
        elif kind is dict:
            if not child.absent or (child.children and not matches(child, value)):
                return False
        elif value is _MISSING:
            if not child.nothing:
                return False
        elif not _matches_value(child, value):
            return False
    return True


def _matches_value(requirement: Requirement, value: Any) -> bool:
    """Whether a value other than an object satisfies a requirement."""
    if type(value) is list:
        return _matches_array(requirement, value)
    if type(value) is _Several:
        return _matches_several(requirement, value)
    return requirement.absent_below and (requirement.test is None or requirement.test(value))


def _matches_array(requirement: Requirement, array: list[Any]) -> bool:
    """Whether an array has a leaf for the requirement's own test, and one element for all fields below."""
    test = requirement.test
    if test is None or (requirement.absent and next(_leaves_of(array), _MISSING) is _MISSING):
        return _matches_below(requirement, array)
    stack = [array]
    while stack:
        current = stack.pop()
        # A leaf puts no constraint on the array that it stands in, but stands in one element of those around.
        if any(test(leaf) for leaf in current if type(leaf) not in (dict, list)) and _matches_below(
            requirement, current
        ):
            return True
        stack += [element for element in current if type(element) is list]
    return False


def _matches_below(requirement: Requirement, array: list[Any]) -> bool:
    """Whether one object in an array, flattened, satisfies all fields below."""
    # A field that may be absent but is there, before another field has chosen an element, chooses: it must match.
    chosen = next((path for path in requirement.first_absent if _has_leaf(array, path)), None)
    if chosen is None and requirement.absent_below:
        return True
    stack = [array]
    while stack:
        for element in stack.pop():
            if type(element) is list:
                stack.append(element)
            elif (
                type(element) is dict
                and matches(requirement, element)
                and (chosen is None or _has_leaf(element, chosen))
            ):
                return True
    return False


def _leaves_of(array: list[Any]) -> Iterator[Leaf]:
    """The leaves of an array, flattened."""
    stack = [array]
    while stack:
        for element in stack.pop():
            if type(element) is list:
                stack.append(element)
            elif type(element) is not dict:
                yield element


def _has_leaf(value: Any, path: Path) -> bool:
    return next(leaves(value, path), _MISSING) is not _MISSING


def leaves(value: Any, path: Path) -> Iterator[Leaf]:
    """Every leaf at a path of an event, whatever arrays are on the way."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        current, depth = stack.pop()
        if type(current) is list:
            stack += [(element, depth) for element in reversed(current)]
        elif type(current) is _Several:
            stack += [(each, depth) for each in reversed(current.values)]
        elif type(current) is dict:
            if depth < len(path):
                if "." in "".join(current):
                    current = _undotted(current)
                if path[depth] in current:
                    stack.append((current[path[depth]], depth + 1))
        elif depth == len(path):
            yield current


class _Several:
    """The values of an event that have one path, since a key with dots is the same as nesting."""

    __slots__ = ("values",)

    def __init__(self, *values: Any) -> None:
        self.values = values


def _matches_several(requirement: Requirement, several: _Several) -> bool:
    """Whether each field is satisfied by one of several values.

    That fields of one array must match in the same element is not checked here: it takes an event with an array `a`
    beside a field `a.b`, and a pattern with two fields below `a`, to tell the difference.
    """
    for path, below in (((), requirement), *requirement.paths):
        found = list(leaves(several, path))
        passes = below.test is None or any(below.test(leaf) for leaf in found)
        if not passes and (found or not below.absent):
            return False
    return True


def _undotted(event: dict[str, Any]) -> dict[str, Any]:
    """An object with its dotted keys nested."""
    parts: dict[str, list[Any]] = {}
    for key, value in event.items():
        first, dot, rest = key.partition(".")
        parts.setdefault(first, []).append({rest: value} if dot else value)
    return {name: values[0] if len(values) == 1 else _together(values) for name, values in parts.items()}


def _together(values: list[Any]) -> Any:
    """The values of one path: objects become one object."""
    merged: dict[str, Any] = {}
    others = []
    for value in values:
        if type(value) is not dict:
            others.append(value)
            continue
        for key, each in value.items():
            merged[key] = _Several(merged[key], each) if key in merged else each
    return _Several(merged, *others) if others else merged
