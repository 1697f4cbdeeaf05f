"""From the JSON of a pattern to conditions: what each field must be, with every `$or` multiplied out.

A pattern is kept as a tree of `JsonObject` and lists, in the order in which it was written, since a field that is
written again overrides the first (event-ruler) and an object in Python could not hold both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.patterns import values
from backbone.patterns.tree import JsonObject, Number, PatternError, format_value
from backbone.patterns.values import Alternative

__all__ = ["Conditions", "Path", "combinations", "order_of_names", "read", "to_json"]

MAX_DEPTH = 200
"""Levels of nesting. EventBridge states no limit, but 2,048 characters leave room for few."""

MAX_COMBINATIONS = 1_000
"""Combinations that the `$or`s of a pattern may have (EventBridge user guide, "complex event patterns")."""

MAX_FIELDS = 256
"""Fields of a pattern, of each combination if it has `$or`: the largest rule that event-ruler takes."""

# What may not be a field's name anywhere inside `$or`, since it could be meant as an operator (event-ruler).
RESERVED = {
    *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
    *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "in-date-range"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}

Path = tuple[str, ...]
"""The names of fields from the top of an event down to a value."""

Conditions = dict[Path, tuple[Alternative, ...]]
"""What the value at each path must be: any of the alternatives."""


def order_of_names(path: Path) -> bytes:
    """The key by which event-ruler sorts fields: the names as Java compares strings."""
    return ".".join(path).encode("utf-16-be", "surrogatepass")


def read(given: str | bytes | Mapping[str, Any]) -> JsonObject:
    """The tree of a pattern, given as JSON text or as Python values; raises PatternError."""
    try:
        tree = _from_text(given) if isinstance(given, str | bytes) else _from_values(given, "$")
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(tree, JsonObject):
        raise PatternError("$", format_value(tree), 'an object, as in {"source": ["shop"]}')
    return tree


def _too_deep() -> PatternError:
    return PatternError("$", f"more than {MAX_DEPTH} levels of nesting", f"at most {MAX_DEPTH}")


def _from_text(text: str | bytes) -> Any:
    def refuse(word: str) -> None:
        raise PatternError("$", word, "a number that JSON has, so neither NaN nor Infinity")

    try:
        return json.loads(
            text, object_pairs_hook=JsonObject, parse_int=Number, parse_float=Number, parse_constant=refuse
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PatternError("$", f"text that is not JSON ({error})", "JSON") from None


def _from_values(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        fields = []
        for key, entry in value.items():
            if not isinstance(key, str):
                raise PatternError(path, format_value(key), "text for a field's name")
            fields.append((key, _from_values(entry, f"{path}.{key}")))
        return JsonObject(fields)
    if isinstance(value, list | tuple):
        return [_from_values(entry, f"{path}[{index}]") for index, entry in enumerate(value)]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return _number(value, path)
    raise PatternError(path, format_value(value), "a value that JSON has")


def _number(value: float, path: str) -> Number:
    if isinstance(value, float):
        if math.isnan(value):
            raise PatternError(path, "NaN", "a number that JSON has")
        return Number(float.__repr__(value).replace("inf", "1e999"))
    try:
        return Number(int.__repr__(value))
    except ValueError:  # Python writes out no number of more than 4,300 digits
        raise PatternError(path, format_value(value), "fewer digits") from None


def combinations(tree: JsonObject) -> list[Conditions]:
    """What a pattern asks for: one of the combinations of its `$or`s must hold. Raises PatternError."""
    found: list[Conditions] = [{}]
    _read_object(tree, (), found, "$", ors=0)
    largest = max(map(len, found))
    if largest > MAX_FIELDS:
        raise PatternError("$", f"{largest:,} fields", f"at most {MAX_FIELDS}; split the rule")
    return found


def _read_object(tree: JsonObject, path: Path, found: list[Conditions], place: str, *, ors: int) -> None:
    """Add an object's fields to every combination found so far. `ors` counts the `$or`s that it stands in."""
    if not tree.fields:
        raise PatternError(place, "an empty object", "at least one field")
    for name, value in tree.fields:
        here = f"{place}.{name}"
        below = (*path, *name.split("."))  # a name with dots is the same as nesting (event-ruler)
        if len(below) + ors > MAX_DEPTH:
            raise _too_deep()
        if name == "$or":
            _read_or(value, path, found, here, ors=ors)
        elif ors and name in RESERVED:
            raise PatternError(here, format_value(name), "inside $or, a field whose name no operator has")
        else:
            _read_field(value, below, found, here, ors=ors)


def _read_field(value: Any, path: Path, found: list[Conditions], place: str, *, ors: int) -> None:
    if isinstance(value, JsonObject):
        _read_object(value, path, found, place, ors=ors)
        return
    if not isinstance(value, list):
        raise PatternError(place, format_value(value), f"an array, as in [{format_value(value)}]")
    if not value:
        raise PatternError(place, "an empty array", "at least one value")
    alternatives = tuple(values.alternative(entry, f"{place}[{index}]") for index, entry in enumerate(value))
    for conditions in found:
        conditions[path] = alternatives


def _read_or(value: Any, path: Path, found: list[Conditions], place: str, *, ors: int) -> None:
    """Multiply the combinations found so far by the branches of a `$or`."""
    if not isinstance(value, list) or len(value) < 2:
        got = "an array of one" if isinstance(value, list) and value else format_value(value)
        raise PatternError(place, got, "an array of at least two objects")
    before = list(found)
    found.clear()
    for index, branch in enumerate(value):
        if not isinstance(branch, JsonObject):
            raise PatternError(f"{place}[{index}]", format_value(branch), "an object")
        multiplied = [dict(conditions) for conditions in before]
        _read_object(branch, path, multiplied, f"{place}[{index}]", ors=ors + 1)
        found += multiplied
        if len(found) > MAX_COMBINATIONS:
            got = f"more than {MAX_COMBINATIONS:,} combinations of $or"
            raise PatternError(place, got, f"at most {MAX_COMBINATIONS:,}")


def to_json(tree: Any) -> str:
    """The tree as compact JSON, with numbers as they were written."""
    return "".join(_pieces(tree))


def _pieces(tree: Any) -> Iterator[str]:
    if isinstance(tree, JsonObject):
        yield "{"
        for index, (name, value) in enumerate(tree.fields):
            yield ("," if index else "") + json.dumps(name, ensure_ascii=False) + ":"
            yield from _pieces(value)
        yield "}"
    elif isinstance(tree, list):
        yield "["
        for index, value in enumerate(tree):
            yield "," if index else ""
            yield from _pieces(value)
        yield "]"
    else:
        yield tree.text if isinstance(tree, Number) else json.dumps(tree, ensure_ascii=False)
