"""Right bodies of every resource type, and single edits of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.system.arguments import schema

__all__ = ["BODIES", "Mutation", "mutations"]

BODIES: Mapping[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "bodies.json").read_text())

ABSENT = object()
VALUES: Mapping[str, tuple[Any, ...]] = {
    "string": (ABSENT, None, 5, True, ["a"], {"a": "b"}, "", " ", "x" * 3000, "ä b/$", "no_such-value"),
    "number": (ABSENT, None, "5", "x", "1e1", "0x10", " 5", "5.", True, [1], 1.5, -2, -1, 0, 10**10),
    "bool": (ABSENT, None, "true", "false", "1", "True", "", 1, 0, ["a"]),
    "list": (ABSENT, None, "text", 5, {"a": "b"}, [["a"]], [5], [None], []),
    "map": (ABSENT, None, "text", ["a"], {"a": ["b"]}, {"a": 5}, {"a": None}, {}),
}


@dataclass(frozen=True)
class Mutation:
    """One edit of a right body: which, where, and what becomes of it."""

    resource_type: str
    variant: int
    path: tuple[str | int, ...]
    value: Any
    body: dict[str, Any]

    @property
    def place(self) -> str:
        """The variant and the path of the edit."""
        return " ".join(map(str, (self.variant, *self.path)))

    @property
    def schema_path(self) -> str:
        """The path of the edit in the schema."""
        return ".".join(part for part in self.path if isinstance(part, str))


def mutations() -> Iterator[Mutation]:
    """Every edit of every body, in an order that stays."""
    for name, bodies in BODIES.items():
        for variant, body in enumerate(bodies):
            for path, value in _edits(schema.types()[name], body):
                yield Mutation(name, variant, path, value, _edited(body, path, value))


def _edits(known: schema.Schema, block: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield ("nosuch",), "x"
    for name, one in known.items():
        if one.get("use") == "computed":
            yield (name,), "x"
        if name not in block or one.get("only") == 6:
            continue
        if "block" not in one:
            kind = one["type"] if isinstance(one["type"], str) else one["type"][0].replace("set", "list")
            yield from (((name,), value) for value in VALUES[kind])
            continue
        given = block[name] if isinstance(block[name], list) else [block[name]]
        yield from (((name,), value) for value in (ABSENT, "text", given + given, [], {}))
        for number, inner in enumerate(given):
            place = (name, number) if isinstance(block[name], list) else (name,)
            yield from ((place + path, value) for path, value in _edits(one["block"], inner))


def _edited(body: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    edited: Any = copy.deepcopy(body)
    place = edited
    for key in path[:-1]:
        place = place[key]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    found: dict[str, Any] = edited
    return found
