"""The shapes of events' data: what a JSON Schema of an event says, in terms that types of a language can be made of.

The schemas are those that pydantic writes for event models. A constraint such as `maxLength` says nothing of a type and
is left out; what a type cannot say, such as `allOf` of several schemas, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backbone.development.contracts import Contract
from backbone.development.schemas import SchemaError

__all__ = ["Anything", "Constants", "Event", "Field", "Listed", "Mapped", "Named", "Record", "Scalar", "Shape", "Tuple"]
__all__ += ["Union", "events"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Scalar:
    """A value that is not composed. Times and dates are texts in ISO 8601."""

    kind: Literal["text", "integer", "number", "boolean", "null", "time", "date"]


@dataclass(frozen=True)
class Constants:
    """One of some values."""

    values: tuple[str | int | bool | None, ...]


@dataclass(frozen=True)
class Listed:
    """An array of values of a shape."""

    item: Shape


@dataclass(frozen=True)
class Tuple:
    """An array with a shape for each place."""

    items: tuple[Shape, ...]


@dataclass(frozen=True)
class Mapped:
    """An object with any keys and values of a shape."""

    value: Shape


@dataclass(frozen=True)
class Union:
    """A value of one of some shapes."""

    parts: tuple[Shape, ...]


@dataclass(frozen=True)
class Named:
    """An object that is a record, by the record's name."""

    name: str


@dataclass(frozen=True)
class Anything:
    """Any JSON value."""


Shape = Scalar | Constants | Listed | Tuple | Mapped | Union | Named | Anything


@dataclass(frozen=True)
class Field:
    """A field of a record; one that is not `required` may be absent."""

    name: str
    shape: Shape
    required: bool
    description: str


@dataclass(frozen=True)
class Record:
    """An object with the fields that are known of it: others may be added at any time."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Event:
    """An event type in a version: its data is the last of its records, which the others are parts of.

    Without records nothing is known of its data.
    """

    contract: Contract
    name: str
    records: tuple[Record, ...]


def events(contracts: Iterable[Contract]) -> list[Event]:
    """The shapes of events. Equal schemas of several publishers are one event; others have names that tell them apart.

    SchemaError, with the file's name and the place in it, when a schema says what a type cannot.
    """
    kept: dict[tuple[str, int | None], list[Contract]] = {}
    for contract in contracts:
        same = kept.setdefault((contract.detail_type, contract.version), [])
        if all(other.schema != contract.schema for other in same):
            same.append(contract)
    found: list[Event] = []
    taken = set(TAKEN)
    for same in kept.values():
        for contract in same:
            name = class_name(contract.detail_type)
            name += f"V{contract.version}" if (contract.version or 1) > 1 else ""
            name += f"Of{class_name(contract.publisher)}" if len(same) > 1 else ""
            found.append(_Reader(contract, _free(name, taken, "Event"), taken).event())
    return found


def class_name(words: str) -> str:
    """A class's name made of the letters and digits of some words."""
    found = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", words))
    return found if found[:1].isalpha() else f"Event{found}"


def _free(name: str, taken: set[str], suffix: str = "") -> str:
    """The name, or the first that is free with a number after it; it and the one with the suffix are taken then."""
    free, number = name, 2
    while not taken.isdisjoint({free, free + suffix}):
        free, number = f"{name}{number}", number + 1
    taken |= {free, free + suffix}
    return free


TAKEN = {
    *("Any", "BaseModel", "ClassVar", "ConfigDict", "EventData", "False", "Field", "Literal", "None", "True"),
    *("AnyEvent", "EventOf", "Meta", "Readonly", "ReadonlyArray", "Record"),
}
"""Names that a record cannot have: the languages' own, and what the modules import or define."""

SCALARS: dict[str, Scalar] = {
    "string": Scalar("text"),
    "integer": Scalar("integer"),
    "number": Scalar("number"),
    "boolean": Scalar("boolean"),
    "null": Scalar("null"),
}
FORMATS: dict[str, Scalar] = {"date-time": Scalar("time"), "date": Scalar("date")}


class _Reader:
    """Reads the schema of an event; the records that it comes across are collected, parts first."""

    def __init__(self, contract: Contract, name: str, taken: set[str]) -> None:
        self._contract, self._name, self._taken = contract, name, taken
        self._definitions: dict[str, Json] = (contract.schema or {}).get("$defs", {})
        self._names: dict[str, str] = {}
        self._open: list[str] = []
        self._records: list[Record] = []

    def event(self) -> Event:
        schema = self._contract.schema
        if schema is not None:
            if "$ref" in schema:  # a model that holds itself
                definition = schema["$ref"].removeprefix("#/$defs/")
                self._names[definition] = self._name
                self._record(self._definition(definition, "data"), self._name, "data", schema.get("description"))
            else:
                self._record(schema, self._name, "data")
        return Event(self._contract, self._name, tuple(self._records))

    def _record(self, schema: Json, name: str, path: str, description: str | None = None) -> None:
        required = schema.get("required", ())
        fields = tuple(
            Field(
                field,
                self._shape(part, f"{path}.{field}", f"{name}{class_name(field)}"),
                field in required,
                part.get("description", "") if isinstance(part, dict) else "",
            )
            for field, part in schema.get("properties", {}).items()
        )
        self._records.append(Record(name, description or schema.get("description", ""), fields))

    def _definition(self, name: str, path: str) -> Json:
        if name not in self._definitions:
            raise self._wrong(path, f"refers to {name!r}, which $defs does not have")
        return self._definitions[name]

    def _wrong(self, path: str, words: str) -> SchemaError:
        contract = self._contract
        file = f"{contract.detail_type}.v{contract.version}.json"
        return SchemaError(f"{file} of {contract.publisher}: {path}: {words}")

    def _shape(self, schema: Any, path: str, name: str) -> Shape:
        """The shape of a part; `name` is for a record that is written in place."""
        if schema is False:
            raise self._wrong(path, "allows no value; remove the field")
        if schema is True or not schema.keys() - {"title", "description", "default", "examples"}:
            return Anything()
        if "$ref" in schema:
            return self._referred(schema["$ref"].removeprefix("#/$defs/"), path)
        if "const" in schema or "enum" in schema:
            return self._constants(schema.get("enum", [schema.get("const")]), path)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return _union([self._shape(part, path, name) for part in schema[key]])
        if len(schema.get("allOf", ())) == 1:
            return self._shape(schema["allOf"][0], path, name)
        return self._typed(schema, path, name)

    def _typed(self, schema: Json, path: str, name: str) -> Shape:
        kind = schema.get("type")
        if isinstance(kind, list):
            return _union([self._typed({**schema, "type": part}, path, name) for part in kind])
        if kind == "string":
            return FORMATS.get(schema.get("format", ""), SCALARS["string"])
        if kind in SCALARS:
            return SCALARS[kind]
        if kind == "array":
            if "prefixItems" in schema:
                return Tuple(tuple(self._shape(part, f"{path}[]", name) for part in schema["prefixItems"]))
            return Listed(self._shape(schema.get("items", True), f"{path}[]", name))
        if kind == "object":
            return self._object(schema, path, name)
        raise self._wrong(path, f"no type says what {', '.join(sorted(schema))} says; give the field a plainer type")

    def _object(self, schema: Json, path: str, name: str) -> Shape:
        if schema.get("properties"):
            free = _free(name, self._taken)
            self._record(schema, free, path)
            return Named(free)
        values = schema.get("additionalProperties", True)
        return Mapped(Anything() if values is False else self._shape(values, f"{path}.*", name))

    def _referred(self, definition: str, path: str) -> Shape:
        if definition in self._names:
            return Named(self._names[definition])
        schema = self._definition(definition, path)
        name = f"{self._name}{class_name(definition)}"
        if not schema.get("properties"):
            return self._plain(definition, schema, path, name)
        self._names[definition] = _free(name, self._taken)
        self._record(schema, self._names[definition], path)
        return Named(self._names[definition])

    def _plain(self, definition: str, schema: Json, path: str, name: str) -> Shape:
        """The shape of a definition that is no record: written where it is referred to."""
        if definition in self._open:
            raise self._wrong(path, f"{definition} holds itself; let a model stand between")
        self._open.append(definition)
        shape = self._shape(schema, path, name)
        self._open.pop()
        return shape

    def _constants(self, values: Sequence[Any], path: str) -> Shape:
        if any(not isinstance(value, str | int | bool | None) for value in values):
            raise self._wrong(
                path, f"got the values {list(values)!r}; allowed in a type: texts, whole numbers, booleans"
            )
        return Constants(tuple(values))


def _union(parts: Sequence[Shape]) -> Shape:
    distinct = tuple(dict.fromkeys(_flat(parts)))
    if any(isinstance(part, Anything) for part in distinct):
        return Anything()
    return distinct[0] if len(distinct) == 1 else Union(distinct)


def _flat(parts: Sequence[Shape]) -> Iterator[Shape]:
    for part in parts:
        if isinstance(part, Union):
            yield from part.parts
        else:
            yield part
