"""What pydantic finds wrong, in the words of the file."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import ErrorDetails

from backbone.topology.models import (
    S3,
    Account,
    Bus,
    BusLog,
    Cloud,
    Local,
    Logs,
    Model,
    Remote,
    Retry,
    Service,
    Subscription,
    Topology,
)
from backbone.topology.source import KeyPath, Problem, Source, meant, shown

_KINDS = {
    "bool_type": "true or false",
    "dict_type": "a mapping: a word, a colon and a value in each line",
    "int_type": "a whole number",
    "model_type": "a mapping: a word, a colon and a value in each line",
    "string_type": "text; put it in quotes",
    "tuple_type": "a list, as in [Order.Created, Order.Updated]",
}


def from_pydantic(error: ErrorDetails, given: Source) -> Problem:
    """A problem in the file's words for one error of the models."""
    kind, context, got = error["type"], error.get("ctx", {}), error["input"]
    path = _path_in_file(error["loc"], given.value)
    if kind == "backbone":
        return given.problem(path, error["msg"].replace("}}", "}").replace("{{", "{"))
    if kind == "missing":
        return given.problem(path, "is missing; add it")
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1], given.value)
        return given.problem(path, f"no such key; allowed: {', '.join(known)}{meant(str(path[-1]), known)}")
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        return given.problem(path, f"got {shown(got)}; allowed: {', '.join(allowed)}{meant(str(got), allowed)}")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        value = got.get("backend") if isinstance(got, dict) else got
        message = f"got {shown(value)}; allowed: local, s3, remote, cloud"
        return given.problem((*path, "backend"), message)
    if kind in ("greater_than_equal", "less_than_equal"):
        low, high = _bounds(path)
        return given.problem(path, f"got {shown(got)}; allowed: {low:,} to {high:,}")
    if kind == "too_short":
        return given.problem(path, f"got {shown(got)}; allowed: at least one entry")
    allowed_kind = _KINDS.get(kind, error["msg"])
    if path[-2:-1] == ("subscribes",):
        allowed_kind = "a detail-type, or {detail_type: ..., source: ...}"
    return given.problem(path, f"got {shown(got)}; allowed: {allowed_kind}")


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


_MODELS: list[tuple[tuple[str, ...], type[Model]]] = [
    ((), Topology),
    (("accounts", "*"), Account),
    (("bus",), Bus),
    (("services", "*"), Service),
    (("services", "*", "subscribes", "*"), Subscription),
    (("services", "*", "retry"), Retry),
    (("logs",), Logs),
    (("logs", "bus"), BusLog),
    (("retry",), Retry),
]
_STATES: dict[object, type[Model]] = {"local": Local, "s3": S3, "remote": Remote, "cloud": Cloud}


def _model_at(path: KeyPath, value: Any) -> type[Model]:
    if path == ("state",):
        state = value.get("state")
        return _STATES.get(state.get("backend") if isinstance(state, dict) else None, Local)
    for pattern, model in _MODELS:
        if len(pattern) == len(path) and all(a in ("*", b) for a, b in zip(pattern, path, strict=True)):
            return model
    raise LookupError(path)


def _known_keys(path: KeyPath, value: Any) -> list[str]:
    return list(_model_at(path, value).model_fields)


def _bounds(path: KeyPath) -> tuple[int, int]:
    found = _model_at(path[:-1], {}).model_fields[str(path[-1])].metadata
    low = next(one.ge for one in found if hasattr(one, "ge"))
    high = next(one.le for one in found if hasattr(one, "le"))
    return low, high
