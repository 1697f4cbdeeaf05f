"""A pattern as a tree that keeps what JSON says and Python would drop, and what is wrong with it, in words."""

from __future__ import annotations

from typing import Any

from backbone.errors import BackboneError

__all__ = ["Fields", "Number", "PatternError", "shown"]


class Fields(list[tuple[str, Any]]):
    """The fields of a JSON object in the order in which they were written, repeated ones as well."""


class Number(str):
    """A number as it was written: what a comparison can hold depends on that."""

    __slots__ = ()


class PatternError(BackboneError):
    """EventBridge would refuse the pattern: `path` is the JSON path of the place, the text says why."""

    def __init__(self, path: str, got: str, allowed: str) -> None:
        super().__init__(f"{path}: got {got}; allowed: {allowed}")
        self.path = path


def shown(value: object) -> str:
    """A JSON value, or what kind of value it is, short enough for a line of text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | dict):
        kind = "an object" if isinstance(value, Fields | dict) else "an array"
        return kind if value else kind.replace("an ", "an empty ")
    try:
        text = f'"{value}"' if type(value) is str else str(value)
    except ValueError:  # Python writes out no number of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text):,} characters)"
