"""Patterns that EventBridge takes, and that most likely match nothing or something else than their author means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backbone.topology.models import Topology
from backbone.topology.source import KeyPath, Problem, Source, format_value, suggestion

__all__ = ["check"]

ENVELOPE = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")
"""The fields of every event (EventBridge user guide, "Events"). All but `detail` are strings, or lists of them."""

REPLAY = "replay-name"
"""The field that replayed events have besides."""

OPERATORS = ("anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard")


def check(topology: Topology, given: Source) -> Iterator[Problem]:
    """Warnings of the patterns of relays, and of the filters of subscriptions."""
    for name, service in topology.services.items():
        for key, relay in service.relays.items():
            place: KeyPath = ("services", name, "relays", key, "pattern")
            yield from (given.warning(path, message) for path, message in _envelope(relay.pattern, place))
            yield from (given.warning(path, message) for path, message in _values(relay.pattern, place))
        for index, entry in enumerate(service.subscribes):
            found = _values(entry.detail, ("services", name, "subscribes", index, "detail"))
            yield from (given.warning(path, message) for path, message in found)


def _envelope(pattern: dict[str, Any], place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The fields beside `detail` that no event has, or not like that."""
    for field, value in pattern.items():
        path = (*place, field)
        if field == "$or":
            for index, branch in enumerate(value):
                yield from _envelope(branch, (*path, index))
        elif field not in (*ENVELOPE, REPLAY) and not field.startswith("detail."):
            hint = suggestion(field.replace("_", "-"), ENVELOPE)
            yield path, f"no event has a field {format_value(field)}{hint}, so the relay may never take any"
        elif isinstance(value, tuple):
            for index, one in enumerate(value):
                if one is None or isinstance(one, bool | int | float):
                    message = f"got {format_value(one)}, and {field} is text in every event; put it in quotes"
                    yield (*path, index), message


def _values(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Operators that are not in a list, and so are fields, and text with a `*` that stands for itself."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key in OPERATORS and isinstance(below, tuple) and isinstance(path[-1], str):
                yield (
                    (*path, key),
                    f"is a field named {key} here, not the operator; the operator stands in a list, as in "
                    f"[{{{key}: ...}}]",
                )
            elif not (key in OPERATORS and isinstance(path[-1], int)):
                yield from _values(below, (*path, key))
    elif isinstance(value, tuple):
        for index, below in enumerate(value):
            yield from _values(below, (*path, index))
    elif isinstance(value, str) and len(value) > 1 and (value.endswith("*") or value.startswith("*")):
        yield (
            path,
            f"got {format_value(value)}, whose * stands for itself; for any text there, write {{wildcard: ...}}, and "
            r"for the character {wildcard: ...} with \*",
        )
