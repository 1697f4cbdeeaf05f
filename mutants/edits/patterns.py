"""Event patterns: each field, value and operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mutants.documents import JSON, REMOVED, Path, Rename
from mutants.edits.places import of_arns
from mutants.edits.values import Change, misspelt, texts

__all__ = ["of_pattern"]

OPERATORS = ("prefix", "suffix", "anything-but", "equals-ignore-case", "wildcard", "exists", "cidr", "numeric")


def of_pattern(pattern: dict[str, Any], path: Path, accounts: list[str]) -> Iterator[Change]:
    """Every edit of the pattern in the text at a place."""
    here = (*path, JSON)
    yield "emptied", here, {}
    yield "text for a pattern", here, "text"
    yield "list for a pattern", here, []
    yield "over-long", (*here, "detail"), {"kind": [{"prefix": "x" * 2_100}]}
    yield "too complex", (*here, "detail"), {"kind": [{"wildcard": "*a*b*" * 8 + str(n)} for n in range(20)]}
    yield "unknown field", (*here, "no_such_field"), ["text"]
    yield from _of_fields(pattern, here, accounts)


def _of_fields(fields: dict[str, Any], path: Path, accounts: list[str]) -> Iterator[Change]:
    for key, value in fields.items():
        here = (*path, key)
        yield "removed", here, REMOVED
        yield "null", here, None
        yield "key misspelt", here, Rename(misspelt(key))
        if isinstance(value, dict):
            yield from _of_fields(value, here, accounts)
        else:
            yield from _of_values(value, here, accounts)


def _of_values(values: list[Any], path: Path, accounts: list[str]) -> Iterator[Change]:
    yield "emptied", path, []
    yield "without a list", path, values[0]
    yield "value added", path, [*values, "another"]
    yield "value duplicated", path, [*values, values[-1]]
    for index, value in enumerate(values):
        here = (*path, index)
        yield "value removed", here, REMOVED
        yield "null for a value", here, None
        yield "number for a value", here, 1
        if isinstance(value, dict):
            for operator, operand in value.items():
                yield from _of_operator(operator, operand, here, accounts)
        else:
            yield from texts(value, here)
            for operator in ("prefix", "anything-but"):
                yield "operator added", here, {operator: value}


def _of_operator(operator: str, operand: Any, path: Path, accounts: list[str]) -> Iterator[Change]:
    here = (*path, operator)
    yield "operator misspelt", here, Rename(misspelt(operator))
    for other in OPERATORS:
        if other != operator:
            yield "other operator", here, Rename(other)
    yield "operator emptied", path, {}
    yield "second operator", (*path, "suffix"), "x"
    for what, after in (("null for an operand", None), ("number for an operand", 1), ("flag for an operand", True)):
        yield what, here, after
    for index, value in enumerate(operand if isinstance(operand, list) else [operand]):
        place = (*here, index) if isinstance(operand, list) else here
        if isinstance(operand, list):
            yield "emptied", here, []
            yield "operand removed", place, REMOVED
        if isinstance(value, dict):
            for inner, within in value.items():
                yield from _of_operator(inner, within, place, accounts)
        elif isinstance(value, str):
            yield from texts(value, place)
            if value in accounts:
                yield from (("other account", place, other) for other in accounts if other != value)
            yield from of_arns(value, place, accounts)
