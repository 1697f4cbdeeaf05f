"""Whether an event satisfies a rule: all of its fields, and those below one array in the same element.

The rule is a tree of the same shape as the event, so one walk over both decides. event-ruler's semantics:

- Arrays are flattened. Fields below one array of objects must match in one element of it, at each level.
- A field's value is a leaf. An object, and an array without leaves, is the same as a field that is not there.
- `exists: false` is satisfied when no element has the field, unless a present field below the same array comes
  before it in the order of names: then only that field's element counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backbone.patterns.values import Leaf, Matcher

__all__ = ["Node", "build", "leaves", "matches"]

_MISSING: Any = object()
_SCALARS = frozenset([str, int, float, bool, type(None)])


class Node:
    """What a rule wants at one place of the event: a leaf that passes `test`, and fields below.

    `absent` allows that there is no leaf, `absent_below` that no field below has one; `ordered` says whether
    `exists: false` below makes the order of the fields matter within an array.
    """

    __slots__ = ("absent", "absent_below", "below", "children", "names", "nothing", "ordered", "test")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.test: Callable[[Leaf], bool] | None = None
        self.absent = True
        self.absent_below = True
        self.nothing = True
        self.ordered = False
        self.names: tuple[tuple[str, Node, Callable[[Leaf], bool] | None], ...] = ()
        """The children by name; with the test where it alone decides on a leaf."""
        self.below: tuple[tuple[tuple[str, ...], Node], ...] = ()


def build(rule: Mapping[tuple[str, ...], tuple[Matcher, ...]]) -> Node:
    """The tree of a rule."""
    root = Node()
    for path, alternatives in rule.items():
        node = root
        for name in path:
            node = node.children.setdefault(name, Node())
        node.absent = any(one.test is None for one in alternatives)
        node.test = _any_of(alternatives)
    _finish(root)
    return root


def _any_of(alternatives: tuple[Matcher, ...]) -> Callable[[Leaf], bool]:
    """Whether a leaf passes one of the alternatives; no leaf passes `exists: false`."""
    tests = [one.test for one in alternatives if one.test is not None]
    if all(one.strings for one in alternatives):
        # Most fields are lists of strings: one look-up decides.
        strings = frozenset().union(*(one.strings for one in alternatives))
        return lambda leaf: type(leaf) is str and leaf in strings
    if len(tests) == 1:
        return tests[0]
    return lambda leaf: any(test(leaf) for test in tests)


def _finish(root: Node) -> None:
    """Settle what follows from the children, from the bottom up."""
    stack, order = [root], []
    while stack:
        node = stack.pop()
        order.append(node)
        stack += node.children.values()
    for node in reversed(order):
        node.names = tuple(
            (name, child, child.test if child.absent_below else None) for name, child in node.children.items()
        )
        below: list[tuple[tuple[str, ...], Node]] = []
        for name, child in node.children.items():
            if child.test is not None:
                below.append(((name,), child))
            below += [((name, *path), one) for path, one in child.below]
        node.below = tuple(sorted(below, key=lambda one: ".".join(one[0]).encode("utf-16-be", "surrogatepass")))
        node.absent_below = all(one.absent for _, one in node.below)
        node.nothing = node.absent and node.absent_below
        node.ordered = any(one.absent for _, one in node.below)


def matches(node: Node, event: dict[str, Any]) -> bool:
    """Whether an object has, for every field below the node, what the rule wants."""
    if "." in "".join(event):
        event = _undotted(event)
    for name, child, test in node.names:
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


def _matches_value(node: Node, value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return node.absent and matches(node, value)
    if kind is list:
        return _matches_array(node, value)
    if kind is _Several:
        return any(_matches_value(node, one) for one in value.values)
    return node.absent_below and (node.test is None or node.test(value))


def _matches_array(node: Node, array: list[Any]) -> bool:
    """Whether an array has a leaf for the node's own test, and one element for all fields below."""
    test = node.test
    if test is not None and node.absent and next(_leaves_of(array), _MISSING) is _MISSING:
        test = None
    if not node.children:
        return test is None or any(test(leaf) for leaf in _leaves_of(array))
    present: list[tuple[str, ...]] = []
    if node.ordered:
        for path, one in node.below:
            if not one.absent:
                break
            if any(_has_leaf(element, path) for element in _objects(array)):
                # Not absent before anything has chosen an element: so it must match, where it is there.
                present = [path]
                break
        else:
            if test is None:
                return True
    # Down through arrays in arrays: the way to an element fixes the index in each of them. A leaf that is an
    # element puts no constraint on its array, but on those around.
    stack = [(array, False)]
    while stack:
        current, found = stack.pop()
        found = found or test is None or any(test(one) for one in current if type(one) not in (dict, list))
        objects = False
        for element in current:
            if type(element) is dict:
                objects = True
                if found and matches(node, element) and all(_has_leaf(element, path) for path in present):
                    return True
            elif type(element) is list:
                stack.append((element, found))
        if found and node.absent_below and not objects and not present:
            return True
    return False


def _objects(array: list[Any]) -> Iterator[dict[str, Any]]:
    """The objects of an array, flattened."""
    stack = [array]
    while stack:
        for element in stack.pop():
            if type(element) is dict:
                yield element
            elif type(element) is list:
                stack.append(element)


def _leaves_of(array: list[Any]) -> Iterator[Leaf]:
    """The leaves of an array, flattened."""
    stack = [array]
    while stack:
        for element in stack.pop():
            if type(element) is list:
                stack.append(element)
            elif type(element) is not dict:
                yield element


def _has_leaf(value: Any, path: tuple[str, ...]) -> bool:
    return next(leaves(value, path), _MISSING) is not _MISSING


def leaves(value: Any, path: tuple[str, ...]) -> Iterator[Leaf]:
    """Every leaf at a path of an event, whatever arrays are on the way."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        current, depth = stack.pop()
        if type(current) is list:
            stack += [(one, depth) for one in reversed(current)]
        elif type(current) is _Several:
            stack += [(one, depth) for one in reversed(current.values)]
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
        for key, one in value.items():
            merged[key] = _Several(merged[key], one) if key in merged else one
    return _Several(merged, *others) if others else merged
