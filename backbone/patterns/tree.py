"""A pattern as a tree that keeps what JSON says and Python's own values would drop, and what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from backbone.errors import BackboneError

__all__ = ["JsonObject", "Number", "PatternError", "format_value"]

MAX_SHOWN_CHARACTERS = 60
"""A longer text is cut in messages."""


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object with its fields in the order in which they were written, repeated fields as well."""

    fields: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written: what a comparison can hold depends on that."""

    text: str


class PatternError(BackboneError):
    """EventBridge would refuse the pattern: `path` is the JSON path of the place, the text says why."""

    def __init__(self, path: str, got: str, allowed: str) -> None:
        self.path = _printable(path)
        super().__init__(_printable(f"{self.path}: got {got}; allowed: {allowed}"))


def format_value(value: object) -> str:
    """A value as JSON has it, or what kind of value it is, short enough for a line of text."""
    if isinstance(value, JsonObject | dict):
        is_empty = not (value.fields if isinstance(value, JsonObject) else value)
        return "an empty object" if is_empty else "an object"
    if isinstance(value, list | tuple):
        return "an array" if value else "an empty array"
    if isinstance(value, Number):
        return _cut(value.text)
    if value is None or isinstance(value, str | bool | int | float):
        try:
            return _cut(_printable(json.dumps(value, ensure_ascii=False)))
        except ValueError:  # Python writes out no number of more than 4,300 digits
            return "a number of thousands of digits"
    return f"a value of Python's type {type(value).__name__}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:50]}… ({len(text):,} characters)"


def _printable(text: str) -> str:
    """The text with half surrogate pairs, which no encoding can write, as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
