"""Snapshots that a reviewer reads: JSON in as few lines as fit, sorted, without what CDKTF writes for itself."""

from __future__ import annotations

import json
from typing import Any

from syrupy.extensions.json import JSONSnapshotExtension

__all__ = ["ReviewedJson"]

WIDTH = 120


class ReviewedJson(JSONSnapshotExtension):
    def serialize(self, data: Any, **_options: Any) -> str:
        return _lines(_without_metadata(data), indent=0, before=0) + "\n"


def _without_metadata(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_metadata(below) for key, below in sorted(value.items()) if key != "//"}
    return [_without_metadata(below) for below in value] if isinstance(value, list) else value


def _lines(value: Any, *, indent: int, before: int) -> str:
    """A value as JSON. `before` is the length of what stands before it on its line."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or before + len(line) < WIDTH:
        return line
    start, end = "{}" if isinstance(value, dict) else "[]"
    names = [f"{json.dumps(name)}: " for name in value] if isinstance(value, dict) else [""] * len(value)
    below = value.values() if isinstance(value, dict) else value
    inner = indent + 2
    parts = [
        " " * inner + name + _lines(each, indent=inner, before=inner + len(name))
        for name, each in zip(names, below, strict=True)
    ]
    return "\n".join([start, ",\n".join(parts), " " * indent + end])
