"""Whether a pattern matches an event, decided the slow way: every choice of a value for each field is tried.

It is written from the documented semantics alone and shares nothing with the package. The pattern must be valid.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

__all__ = ["matches"]

Places = dict[tuple[Any, ...], int]
"""The index at which a value stands in each array around it."""


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    leaves = list(_leaves(event, (), {}))
    return any(
        _holds(sorted(combination.items(), key=lambda field: field[0].encode("utf-16-be")), leaves, {})
        for combination in _combinations(pattern, ())
    )


def _combinations(pattern: dict[str, Any], path: tuple[str, ...]) -> list[dict[str, list[Any]]]:
    """The fields and their alternatives, once per combination of `$or`. A field that comes again replaces the first."""
    found: list[dict[str, list[Any]]] = [{}]
    for name, value in pattern.items():
        if name == "$or":
            branches = [combination for branch in value for combination in _combinations(branch, path)]
        elif isinstance(value, dict):
            branches = _combinations(value, (*path, name))
        else:
            branches = [{".".join((*path, name)): value}]
        found = [before | branch for branch in branches for before in found]
    return found


def _leaves(value: Any, path: tuple[str, ...], places: Places) -> Iterator[tuple[str, Any, Places]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, name), places)
    elif isinstance(value, list):
        array = (path, *places.items())
        for index, element in enumerate(value):
            # The index of a scalar does not matter: only objects and arrays bind their fields together.
            is_scalar = not isinstance(element, dict | list)
            yield from _leaves(element, path, places if is_scalar else {**places, array: index})
    else:
        yield ".".join(path), value, places


def _holds(fields: list[tuple[str, list[Any]]], leaves: list[tuple[str, Any, Places]], chosen: Places) -> bool:
    """Whether values can be chosen for the fields in order, all in the same element of any array that they share."""
    if not fields:
        return True
    (path, alternatives), *others = fields
    there = [
        (leaf, places)
        for where, leaf, places in leaves
        if where == path and all(chosen.get(array, index) == index for array, index in places.items())
    ]
    for leaf, places in there:
        passes = any(_passes(alternative, leaf) for alternative in alternatives)
        if passes and _holds(others, leaves, chosen | places):
            return True
    return not there and {"exists": False} in alternatives and _holds(others, leaves, chosen)


def _passes(alternative: Any, leaf: Any) -> bool:
    if isinstance(alternative, dict):
        ((operator, operand),) = alternative.items()
        return bool(_OPERATORS[operator](operand, leaf))
    if isinstance(alternative, str):
        return isinstance(leaf, str) and (leaf == alternative or _is_same_address(alternative, leaf))
    if _is_number(alternative):
        return _is_number(leaf) and Decimal(leaf) == Decimal(alternative)
    return leaf is alternative  # null, true and false


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _double(value: Any) -> Decimal | None:
    """A number that a double holds; others take no part in comparisons."""
    return Decimal(value) if _is_number(value) and Decimal(float(value)) == Decimal(value) else None


def _is_same_address(first: str, second: str) -> bool:
    try:
        return ipaddress.ip_address(first) == ipaddress.ip_address(second)
    except ValueError:
        return False


def _is_in(network: str, leaf: str) -> bool:
    try:
        return ipaddress.ip_address(leaf) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _equals_ignoring_case(pattern: str, text: str) -> bool:
    """By the upper and the lower case of each character of the pattern."""
    if not pattern:
        return not text
    return any(
        text.startswith(form) and _equals_ignoring_case(pattern[1:], text[len(form) :])
        for form in (pattern[0].lower(), pattern[0].upper())
    )


def _like(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_like(pattern[1:], text[start:]) for start in range(len(text) + 1))
    literal = 1 if pattern[0] == "\\" else 0
    return text[:1] == pattern[literal] and _like(pattern[literal + 1 :], text[1:])


def _starts(operand: Any, leaf: str) -> bool:
    if isinstance(operand, dict):
        wanted = operand["equals-ignore-case"]
        return any(_equals_ignoring_case(wanted, leaf[:end]) for end in range(len(leaf) + 1))
    return any(leaf[:end] == operand for end in range(len(leaf) + 1))


def _ends(operand: Any, leaf: str) -> bool:
    if isinstance(operand, dict):
        wanted = operand["equals-ignore-case"]
        return any(_equals_ignoring_case(wanted, leaf[start:]) for start in range(len(leaf) + 1))
    return any(leaf[start:] == operand for start in range(len(leaf) + 1))


def _is_other(operand: Any, leaf: Any) -> bool:
    """`anything-but`: what the operand does not name, of whatever type."""
    if isinstance(operand, dict):
        ((operator, excluded),) = operand.items()
    else:
        operator, excluded = "exactly", operand
    excluded = excluded if isinstance(excluded, list) else [excluded]
    if _is_number(excluded[0]):
        return _double(leaf) is None or _double(leaf) not in map(_double, excluded)
    return not any(_OPERATORS[operator](each, leaf) for each in excluded)


def _is_within(bounds: list[Any], leaf: Any) -> bool:
    number = _double(leaf)
    if number is None:
        return False
    held = {
        "=": lambda bound: number == bound,
        "<": lambda bound: number < bound,
        "<=": lambda bound: number <= bound,
        ">": lambda bound: number > bound,
        ">=": lambda bound: number >= bound,
    }
    return all(held[sign](Decimal(bound)) for sign, bound in zip(bounds[::2], bounds[1::2], strict=True))


_OPERATORS: dict[str, Any] = {
    "anything-but": _is_other,
    "cidr": lambda operand, leaf: isinstance(leaf, str) and _is_in(operand, leaf),
    "equals-ignore-case": lambda operand, leaf: isinstance(leaf, str) and _equals_ignoring_case(operand, leaf),
    "exactly": lambda operand, leaf: isinstance(leaf, str) and leaf == operand,
    "exists": lambda operand, leaf: operand,
    "numeric": _is_within,
    "prefix": lambda operand, leaf: isinstance(leaf, str) and _starts(operand, leaf),
    "suffix": lambda operand, leaf: isinstance(leaf, str) and _ends(operand, leaf),
    "wildcard": lambda operand, leaf: isinstance(leaf, str) and _like(operand, leaf),
}
