"""What pydantic finds wrong, in the words of the file."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from backbone.topology.schema import Key, Kind, Value, keys, value_at
from backbone.topology.source import KeyPath, Problem, Source, format_value, suggestion

__all__ = ["from_pydantic"]

_KINDS: dict[Kind, str] = {
    "text": "text",
    "whole number": "a whole number",
    "true or false": "true or false",
    "list": "a list",
    "mapping": "a mapping: a name, a colon and a value for each entry",
}


def from_pydantic(error: ErrorDetails, given: Source) -> Problem:
    """A problem in the file's words for one error of the models."""
    path, got = _path_in_file(error["loc"], given.value), error["input"]
    match error["type"]:
        case "backbone":
            message = error["msg"]
        case "missing":
            key = _keys(path[:-1], given.value)[str(path[-1])]
            message = f"is missing: {key.purpose}; add it, as in {key.name}: {key.example}"
        case "extra_forbidden":
            known = _keys(path[:-1], given.value)
            message = f"no such key; allowed: {', '.join(known)}{suggestion(str(path[-1]), known)}"
        case "union_tag_not_found":
            choosing, whole = value_at(path, given.value).chooser, _keys(path[:-1], given.value)[str(path[-1])]
            path = (*path, choosing.name)
            message = f"is missing: {whole.purpose}; allowed: {choosing.value.allowed}"
        case "union_tag_invalid":
            choosing = value_at(path, given.value).chooser
            path, tag, choices = (*path, choosing.name), got[choosing.name], choosing.value.choices
            message = f"got {format_value(tag)}; allowed: {', '.join(choices)}{suggestion(str(tag), choices)}"
        case "too_short":
            message = f"got {format_value(got)}; allowed: at least one entry"
        case "too_long":
            message = f"got {len(got)} entries; allowed: at most {error['ctx']['max_length']}, which is AWS's limit"
        case _:
            message = f"got {format_value(got)}; allowed: {_allowed(value_at(path, given.value), got)}"
    return given.problem(path, message)


def _keys(path: KeyPath, document: Any) -> dict[str, Key]:
    """The keys of the mapping at a path."""
    model = value_at(path, document).model_for(_at(path, document))
    return {key.name: key for key in keys(model)} if model else {}


def _allowed(value: Value, got: Any) -> str:
    """What is allowed in place of a value that is of another kind, or not among those allowed."""
    if value.choices:
        return value.allowed + (suggestion(got, value.choices) if isinstance(got, str) else "")
    is_number = isinstance(got, int) and not isinstance(got, bool)
    if value.bounds and not is_number:
        words = f"a whole number from {value.allowed}"
    elif model := not value.allowed and value.model_for(got):
        words = f"a mapping with these keys: {', '.join(key.name for key in keys(model))}"
    else:
        words = value.allowed or _KINDS[value.kind]
    return words + _hint(value.kind, got)


def _hint(kind: Kind, got: Any) -> str:
    """How to write a value of which only the notation is wrong."""
    match kind, got:
        case "text", bool():
            return "; put it in quotes, since YAML reads yes, no, on and off as true and false"
        case "text", list() | tuple():
            return "; write one value, without brackets"
        case "text", int() | float():
            return f'; put it in quotes: "{format_value(got)}"'
        case ("whole number", str()) if got.isdecimal():
            return "; write it without quotes"
        case "true or false", "true" | "false":
            return "; write it without quotes"
        case "list", str():
            return f"; put it in brackets: [{got}]"
    return ""


def _at(path: KeyPath, document: Any) -> Any:
    """The document's value at a path that it has."""
    for step in path:
        document = document[step]
    return document


def _path_in_file(loc: tuple[int | str, ...], value: Any) -> KeyPath:
    """An error's location without the steps that pydantic adds and the file does not have."""
    path: list[int | str] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(value, dict) and (step in value or last) and step != "[key]":
            path.append(step)
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path.append(step)
            value = value[step]
    return tuple(path)
