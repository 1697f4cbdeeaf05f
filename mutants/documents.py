"""Places in JSON values, also within JSON that stands in texts, and the values with one place changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

__all__ = ["JSON", "REMOVED", "Path", "Rename", "changed", "format_change", "format_path", "value_at"]

Path = tuple[str | int, ...]

JSON: Final = "(json)"
"""The step from a text into the JSON that it holds."""


class Removed(Enum):
    """Stands for what is not there."""

    REMOVED = "removed"


REMOVED: Final[Literal[Removed.REMOVED]] = Removed.REMOVED
"""The new value of a place that is taken out."""


@dataclass(frozen=True)
class Rename:
    """The new value of a place whose key is written otherwise."""

    key: str


def value_at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at a place; REMOVED when there is no such place."""
    for step in path:
        if step == JSON:
            value = json.loads(value)
        elif isinstance(value, list):
            value = value[int(step)]
        else:
            value = value.get(step, REMOVED)
    return value


def changed(value: Any, path: Sequence[str | int], after: Any) -> Any:
    """A copy with another value at one place, which may be a new key. What is not on the way there is shared."""
    if not path:
        return after
    step, *rest = path
    if step == JSON:
        return json.dumps(changed(json.loads(value), rest, after), separators=(",", ":"))
    if isinstance(value, list):
        index = int(step)
        new = [] if after is REMOVED and not rest else [changed(value[index], rest, after)]
        return [*value[:index], *new, *value[index + 1 :]]
    if rest:
        return {**value, step: changed(value[step], rest, after)}
    if after is REMOVED:
        return {key: part for key, part in value.items() if key != step}
    if isinstance(after, Rename):
        return {after.key if key == step else key: part for key, part in value.items()}
    return {**value, step: after}


def format_path(path: Sequence[str | int]) -> str:
    """A place as people write it: `policy.Statement[0].Effect`."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path if step != JSON]
    return "".join(parts).removeprefix(".")


def format_change(before: Any, after: Any) -> str:
    """A value and what it becomes; of long texts what differs, with a little around it."""
    ours, theirs = _written(before), _written(after)
    if len(ours) + len(theirs) <= 160:
        return f"{ours} -> {theirs}"
    begin = _same(ours, theirs)
    end = _same(ours[begin:][::-1], theirs[begin:][::-1])
    return f"{_part(ours, begin, end)} -> {_part(theirs, begin, end)}"


def _same(ours: str, theirs: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(ours), len(theirs)))


def _part(text: str, begin: int, end: int) -> str:
    part = text[max(0, begin - 25) : len(text) - max(0, end - 10)]
    return part if len(part) <= 100 else f"{part[:70]}…{part[-25:]}"


def _written(value: Any) -> str:
    if value is REMOVED:
        return "nothing"
    return f"the key {value.key}" if isinstance(value, Rename) else json.dumps(value, ensure_ascii=False)
