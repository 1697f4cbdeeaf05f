"""The provider's own schema: which arguments a resource has, of which type, and what Terraform makes of a value.

The data is of provider 5.100 and of provider 6, see scripts/provider_schema.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import backbone.aws
from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved, listed
from backbone.system.findings import Severity

__all__ = ["META", "Reading", "Value", "known", "read", "types"]

META = frozenset({"//", "connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"})
"""What Terraform itself takes in every resource."""

Schema = Mapping[str, Mapping[str, Any]]


@cache
def types() -> Mapping[str, Schema]:
    """The arguments of each resource type that is known here, by name."""
    text = (Path(backbone.aws.__file__).parent / "data" / "provider.json").read_text(encoding="utf-8")
    found: dict[str, Schema] = json.loads(text)
    del found["versions"]
    return found


def known(schema: Schema) -> Iterator[str]:
    """The path of every argument and block of a type that a configuration may set."""
    for name, argument in schema.items():
        if "block" in argument:
            yield name
            yield from (f"{name}.{inner}" for inner in known(argument["block"]))
        elif argument["use"] != "computed":
            yield name
            yield from (f"{name}.{inner}" for inner in _attributes(argument["type"]))


def _attributes(kind: Any) -> Iterable[str]:
    while isinstance(kind, list) and kind[0] in ("list", "set"):
        kind = kind[1]
    return kind[1] if isinstance(kind, list) and kind[0] == "object" else ()


@dataclass(frozen=True)
class Value:
    """A value that a body gives: where, under which path of the schema, and what Terraform makes of it."""

    path: str
    schema_path: str
    value: Any
    is_optional: bool = True
    is_sensitive: bool = False


@dataclass
class Reading:
    """What a body comes to: its arguments as Terraform converts them, each value by itself, and the problems.

    In `body` every block is a list of objects, absent arguments are left out, and so are those of a wrong type. A value
    that only Terraform could evaluate stays as it is.
    """

    body: dict[str, Any] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)
    problems: list[ArgumentProblem] = field(default_factory=list)


def read(schema: Schema, body: Mapping[str, Any], providers: Collection[int]) -> Reading:
    """A resource's body by the schema of its type; `providers` are the provider's major versions that may read it."""
    reading = Reading()
    given = {name: value for name, value in body.items() if name not in META}
    reading.body = _Reader(reading, providers).block(schema, given, "", "")
    return reading


class _WrongTypeError(Exception):
    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


class _Reader:
    def __init__(self, reading: Reading, providers: Collection[int]) -> None:
        self._values, self._problems, self._providers = reading.values, reading.problems, providers

    def block(self, schema: Schema, body: Mapping[str, Any], path: str, schema_path: str) -> dict[str, Any]:
        """The arguments of a block as Terraform takes them."""
        found: dict[str, Any] = {}
        dynamic = {*body["dynamic"]} if isinstance(body.get("dynamic"), dict) else set()
        for name, value in body.items():
            if value is None or name in ("//", "dynamic"):
                continue
            argument = schema.get(name)
            if argument is None:
                allowed = [key for key, each in schema.items() if each.get("use") != "computed"]
                self._problem(path + name, f"no such argument; allowed: {listed(name, allowed)}")
                continue
            self._version(argument, path + name)
            if "block" in argument:
                found[name] = self._blocks(argument, value, path + name, schema_path + name)
            elif (converted := self._attribute(argument, value, path + name, schema_path + name)) is not None:
                found[name] = converted
        for name, argument in schema.items():
            if name not in dynamic and (body.get(name) is None or ("block" in argument and body[name] == [])):
                self._missing(argument, path + name)
        return found

    def _missing(self, argument: Mapping[str, Any], path: str) -> None:
        if argument.get("use") == "required":
            self._problem(path, f"is required; add it ({_type_name(argument['type'])})")
        elif least := argument.get("min"):
            self._problem(path, f"is required: {_count(least, 'block')}; add it")

    def _version(self, argument: Mapping[str, Any], path: str) -> None:
        if argument.get("deprecated"):
            self._problems.append(ArgumentProblem(path, "deprecated by the AWS provider", "note"))
        only = argument.get("only")
        if only and (others := {*self._providers} - {only}):
            message = f"AWS provider {min(others)} has no such argument; require version {only} of the provider"
            severity: Severity = "warning" if only in self._providers else "error"
            self._problems.append(ArgumentProblem(path, message, severity))

    def _blocks(self, argument: Mapping[str, Any], value: Any, path: str, schema_path: str) -> list[dict[str, Any]]:
        given = value if isinstance(value, list) else [value]
        most, least = argument.get("max"), argument.get("min", 0)
        if most is not None and len(given) > most:
            self._problem(path, f"got {_count(len(given), 'block')}; allowed: {'at most ' if most > 1 else ''}{most}")
        elif 0 < len(given) < least:
            self._problem(path, f"got {_count(len(given), 'block')}; allowed: at least {least}")
        self._values.append(Value(path, schema_path, given))
        found = []
        for number, each in enumerate(given):
            place = path if len(given) == 1 else f"{path}[{number}]"
            if isinstance(each, dict):
                found.append(self.block(argument["block"], each, f"{place}.", f"{schema_path}."))
            else:
                self._problem(place, f"got {format_value(each)}; allowed: a block, as an object of its arguments")
        return found

    def _attribute(self, argument: Mapping[str, Any], value: Any, path: str, schema_path: str) -> Any:
        if argument["use"] == "computed":
            self._problem(path, "AWS decides it, and no configuration may set it; leave it out")
            return None
        try:
            converted = _convert(value, argument["type"], "")
        except _WrongTypeError as error:
            self._problem(path + error.place, str(error))
            return None
        whole = Value(path, schema_path, converted, argument["use"] == "optional", bool(argument.get("sensitive")))
        self._values += _values(whole, argument["type"])
        return converted

    def _problem(self, path: str, message: str) -> None:
        self._problems.append(ArgumentProblem(path, message))


def _values(whole: Value, kind: Any) -> Iterator[Value]:
    """A value, and what is in it."""
    if is_unresolved(whole.value) or whole.value is None:
        return
    yield whole
    if isinstance(kind, str):
        return
    if kind[0] in ("list", "set"):
        for number, value in enumerate(whole.value):
            yield from _values(_within(whole, f"[{number}]", "[]", value), kind[1])
    elif kind[0] == "map":
        for key, value in whole.value.items():
            yield _within(whole, f'["{key}"]', "{key}", key)
            yield from _values(_within(whole, f'["{key}"]', "{}", value), kind[1])
    else:
        for key, value in whole.value.items():
            yield from _values(_within(whole, f".{key}", f".{key}", value), kind[1][key])


def _within(whole: Value, place: str, schema_place: str, value: Any) -> Value:
    return replace(whole, path=whole.path + place, schema_path=whole.schema_path + schema_place, value=value)


def _convert(value: Any, kind: Any, place: str) -> Any:
    """A value as Terraform converts it to a type of the schema; _WrongTypeError when it cannot.

    Terraform converts between text, numbers and booleans where nothing is lost: "5" to 5, true to "true", "true" (and
    "1") to true, but no number to a boolean (language documentation, "Type Conversion").
    """
    if value is None or is_unresolved(value):
        return value
    if isinstance(kind, str):
        return _primitive(value, kind, place)
    if kind[0] in ("list", "set"):
        if isinstance(value, dict) and isinstance(kind[1], list):
            value = [value]  # a block in all but name
        if not isinstance(value, list):
            raise _wrong(value, kind, place)
        if None in value:
            raise _wrong(None, kind[1], f"{place}[{value.index(None)}]")
        return [_convert(part, kind[1], f"{place}[{number}]") for number, part in enumerate(value)]
    if not isinstance(value, dict):
        raise _wrong(value, kind, place)
    if kind[0] == "map":
        return {key: _convert(part, kind[1], f'{place}["{key}"]') for key, part in value.items()}
    return {key: _convert(value.get(key), type_, f"{place}.{key}") for key, type_ in kind[1].items()}


def _primitive(value: Any, kind: str, place: str) -> Any:
    if isinstance(value, list | dict):
        raise _wrong(value, kind, place)
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value)
    found = _boolean(value) if kind == "bool" else _number(value)
    if found is None:
        raise _wrong(value, kind, place)
    return found


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else {"true": True, "1": True, "false": False, "0": False}.get(value)


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value, re.ASCII):
            return None
        value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)


def _wrong(value: Any, kind: Any, place: str) -> _WrongTypeError:
    return _WrongTypeError(place, f"got {format_value(value)}; allowed: {_type_name(kind)}")


def _type_name(kind: Any) -> str:
    if isinstance(kind, str):
        return {"string": "text", "number": "a number", "bool": "true or false"}[kind]
    if kind[0] == "object":
        return "an object"
    plural = {"string": "texts", "number": "numbers", "bool": "booleans"}
    inner = plural[kind[1]] if isinstance(kind[1], str) else "objects"
    return f"{'an object' if kind[0] == 'map' else 'a list'} of {inner}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
