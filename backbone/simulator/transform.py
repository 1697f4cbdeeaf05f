"""What a target is given of an event: all of it, a part, a constant, or a template filled from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from backbone.errors import BackboneError

__all__ = ["at_path", "transformed"]


def transformed(
    event: Mapping[str, Any],
    *,
    input: str | None,
    path: str | None,
    transformer: Mapping[str, Any] | None,
    known: Mapping[str, str] | None = None,
) -> Any:
    """The input of a target (EventBridge user guide, "Input transformation"); `known` has reserved variables."""
    if input is not None:
        return json.loads(input)
    if path is not None:
        return at_path(event, path)
    if transformer is None:
        return event
    values: dict[str, Any] = {"aws.events.event.json": event, "aws.events.event.ingestion-time": event.get("time")}
    values |= known or {}
    values |= {name: at_path(event, one) for name, one in (transformer.get("input_paths") or {}).items()}
    template = str(transformer["input_template"])
    quoted = re.sub(r'"(?:[^"\\]|\\.)*"', lambda one: _filled(one[0], values, inside=True), template)
    filled = _filled(quoted, values, inside=False)
    try:
        return json.loads(filled)
    except ValueError:
        return filled


def _filled(text: str, values: Mapping[str, Any], *, inside: bool) -> str:
    """Placeholders are texts within quotes, and JSON values outside of them."""

    def fill(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value = values[match[1]]
        if not inside:
            return json.dumps(value)
        written = value if isinstance(value, str) else json.dumps(value)
        return json.dumps(written)[1:-1]

    return re.sub(r"<([A-Za-z0-9_.-]+)>", fill, text)


def at_path(event: Any, path: str) -> Any:
    """The value at a JSON path such as `$.detail.items[0]`; None when there is none."""
    if not path.startswith("$"):
        raise BackboneError(f"the JSON path {path!r} does not begin with $")
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path[1:]):
        if name:
            event = event.get(name) if isinstance(event, Mapping) else None
        else:
            event = event[int(index)] if isinstance(event, list) and int(index) < len(event) else None
    return event
