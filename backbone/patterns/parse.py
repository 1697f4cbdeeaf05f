"""From the JSON of a pattern to rules: what each field must be, with every `$or` multiplied out.

A pattern is kept as a tree of `Fields` and lists, in the order in which it was written, since a field that is
written again overrides the first (event-ruler) and an object in Python could not hold both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.patterns import values
from backbone.patterns.tree import Fields, Number, PatternError, shown
from backbone.patterns.values import Matcher

__all__ = ["Rule", "read", "rules", "to_json"]

MAX_DEPTH = 200
"""Levels of nesting. EventBridge states no limit, but 2,048 characters leave room for few."""

MAX_RULES = 1_000
"""Combinations that the `$or`s of a pattern may have (EventBridge user guide, "complex event patterns")."""

# What may not be a field's name anywhere inside `$or`, since it could be meant as an operator (event-ruler).
RESERVED = {
    *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
    *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "in-date-range"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}

Rule = dict[tuple[str, ...], tuple[Matcher, ...]]
"""What the value at each path must be: one of the alternatives."""


def read(given: str | bytes | Mapping[str, Any]) -> Fields:
    """The tree of a pattern, given as JSON text or as Python values; raises PatternError."""
    try:
        tree = _from_text(given) if isinstance(given, str | bytes) else _from_values(given, "$", 0)
    except RecursionError:
        raise PatternError("$", "nested too deep", f"at most {MAX_DEPTH} levels") from None
    if not isinstance(tree, Fields):
        raise PatternError("$", shown(tree), 'an object, as in {"source": ["shop"]}')
    return tree


def _from_text(text: str | bytes) -> Any:
    def refuse(word: str) -> None:
        raise PatternError("$", word, "JSON, which has no such number")

    try:
        return json.loads(text, object_pairs_hook=Fields, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PatternError("$", "text that is not JSON", f"JSON: {error}") from None


def _from_values(value: Any, path: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise PatternError("$", "nested too deep", f"at most {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        fields = Fields()
        for key, each in value.items():
            if not isinstance(key, str):
                raise PatternError(path, shown(key), "text for a field's name")
            fields.append((key, _from_values(each, f"{path}.{key}", depth + 1)))
        return fields
    if isinstance(value, list | tuple):
        return [_from_values(each, f"{path}[{index}]", depth + 1) for index, each in enumerate(value)]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        if isinstance(value, float) and math.isnan(value):
            raise PatternError(path, "NaN", "a number that JSON has")
        try:
            return Number(repr(value).replace("inf", "1e999"))
        except ValueError:
            raise PatternError(path, "a number of thousands of digits", "fewer") from None
    raise PatternError(path, shown(value), "a value that JSON has")


def rules(tree: Fields) -> list[Rule]:
    """What a pattern asks for, as alternatives of which one must hold; raises PatternError."""
    found: list[Rule] = []
    try:
        _read_object(tree, (), found, "$", inside_or=False)
    except RecursionError:
        raise PatternError("$", "nested too deep", f"at most {MAX_DEPTH} levels") from None
    return found


def _read_object(tree: Fields, path: tuple[str, ...], found: list[Rule], place: str, *, inside_or: bool) -> None:
    """Add an object's fields to every alternative found so far; a `$or` multiplies the alternatives."""
    if not tree:
        raise PatternError(place, "an empty object", "at least one field")
    if len(path) > MAX_DEPTH:
        raise PatternError("$", "nested too deep", f"at most {MAX_DEPTH} levels")
    for key, value in tree:
        here = f"{place}.{key}"
        if key == "$or":
            _read_or(value, path, found, here)
        elif inside_or and key in RESERVED:
            raise PatternError(here, shown(key), "a field whose name is no operator's, since it stands inside $or")
        elif isinstance(value, Fields):
            _read_object(value, (*path, *key.split(".")), found, here, inside_or=inside_or)
        elif isinstance(value, list):
            if not value:
                raise PatternError(here, "an empty array", "at least one value")
            matchers = tuple(values.matcher(one, f"{here}[{index}]") for index, one in enumerate(value))
            if not found:
                found.append({})
            for rule in found:
                # A key with dots is the same as nesting (event-ruler).
                rule[(*path, *key.split("."))] = matchers
        else:
            raise PatternError(here, shown(value), f"an array, as in [{shown(value)}]")


def _read_or(value: Any, path: tuple[str, ...], found: list[Rule], place: str) -> None:
    if not isinstance(value, list) or len(value) < 2:
        raise PatternError(place, shown(value), "an array of at least two objects")
    before = [dict(rule) for rule in found] or [{}]
    found.clear()
    for index, one in enumerate(value):
        if not isinstance(one, Fields):
            raise PatternError(f"{place}[{index}]", shown(one), "an object")
        branch = [dict(rule) for rule in before]
        _read_object(one, path, branch, f"{place}[{index}]", inside_or=True)
        found += branch
        if len(found) > MAX_RULES:
            raise PatternError(place, f"more than {MAX_RULES:,} combinations of $or", f"at most {MAX_RULES:,}")


def to_json(tree: Any) -> str:
    """The tree as compact JSON, with numbers as they were written."""
    return "".join(_pieces(tree))


def _pieces(tree: Any) -> Iterator[str]:
    if isinstance(tree, Fields):
        yield "{"
        for index, (key, value) in enumerate(tree):
            yield ("," if index else "") + json.dumps(key, ensure_ascii=False) + ":"
            yield from _pieces(value)
        yield "}"
    elif isinstance(tree, list):
        yield "["
        for index, value in enumerate(tree):
            yield "," if index else ""
            yield from _pieces(value)
        yield "]"
    else:
        yield str(tree) if isinstance(tree, Number) else json.dumps(tree, ensure_ascii=False)
