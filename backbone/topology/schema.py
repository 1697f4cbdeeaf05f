"""What the models say about each place of a file: which keys it has, what a value there may be, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from backbone.topology.fields import Allowed, Model
from backbone.topology.models import Topology
from backbone.topology.source import KeyPath

__all__ = ["CHOOSERS", "Key", "Kind", "Value", "chooser", "keys", "value_at"]

Kind = Literal["text", "whole number", "true or false", "list", "mapping", "any"]

CHOOSERS = ("backend", "by")
"""The keys that choose among models: each of these has such a key with one word."""

_KINDS: dict[Any, Kind] = {
    str: "text",
    Literal: "text",
    int: "whole number",
    bool: "true or false",
    tuple: "list",
    dict: "mapping",
}


@dataclass(frozen=True)
class Value:
    """What a value may be: a type, and what its `Annotated` says of it.

    None is left out of the type: a key whose value is None is a key that the file does not have.
    """

    type: Any
    metadata: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any) -> Value:
        """The value that an annotation describes."""
        if get_origin(annotation) is Annotated:
            inner, *metadata = get_args(annotation)
            read = cls.of(inner)
            return cls(read.type, (*read.metadata, *metadata))
        members = tuple(member for member in _members(annotation) if member is not NoneType)
        return cls.of(members[0]) if len(members) == 1 and members[0] is not annotation else cls(annotation)

    @property
    def models(self) -> tuple[type[Model], ...]:
        """The models of a mapping with fixed keys: several where the value of a key chooses among them."""
        return tuple(member for member in _members(self.type) if isinstance(member, type) and issubclass(member, Model))

    @property
    def kind(self) -> Kind:
        """The kind of value; "any" where several are allowed."""
        return "mapping" if self.models else _KINDS.get(get_origin(self.type) or self.type, "any")

    @property
    def items(self) -> Value | None:
        """What an item of a list, or the value of a key that is free to choose, may be."""
        if self.models or self.kind not in ("list", "mapping"):
            return None
        return Value.of(get_args(self.type)[0 if self.kind == "list" else 1])

    @property
    def names(self) -> Value | None:
        """What a key that is free to choose may be."""
        return None if self.models or self.kind != "mapping" else Value.of(get_args(self.type)[0])

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from, where there are only some."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The lowest and the highest number allowed, where there are such."""
        low: list[Any] = [item.ge for item in self._constraints if isinstance(item, Ge)]
        high: list[Any] = [item.le for item in self._constraints if isinstance(item, Le)]
        return (low[0], high[0]) if low and high else None

    @property
    def allowed(self) -> str:
        """Which values of the kind are allowed, in words; empty where all are."""
        for item in self._constraints:
            if isinstance(item, Allowed):
                return item.words
        return f"{self.bounds[0]:,} to {self.bounds[1]:,}" if self.bounds else ", ".join(self.choices)

    @property
    def _constraints(self) -> list[Any]:
        return [
            constraint
            for item in self.metadata
            for constraint in (item.metadata if isinstance(item, FieldInfo) else (item,))
        ]

    @property
    def chooser(self) -> Key:
        """The key whose value chooses among several models; its `choices` are those of all."""
        found = [key for model in self.models if (key := chooser(model))]
        return Key(
            found[0].name, Value(Literal[tuple(word for key in found for word in key.value.choices)]), found[0].field
        )

    def model_for(self, document: Any) -> type[Model] | None:
        """The model of a mapping with fixed keys: of several, the one that the document's choosing key names."""
        given = document if isinstance(document, dict) else {}
        found = (model for model in self.models if (key := chooser(model)) and given.get(key.name) in key.value.choices)
        return next(found, next(iter(self.models), None))


@dataclass(frozen=True)
class Key:
    """A key of a model."""

    name: str
    value: Value
    field: FieldInfo

    @property
    def description(self) -> str:
        """What the key is for, in sentences."""
        return " ".join((self.field.description or "").split())

    @property
    def purpose(self) -> str:
        """What the key is for, as part of a sentence."""
        first = self.description.partition(". ")[0].rstrip(".").replace("`", "")
        return first[:1].lower() + first[1:]

    @property
    def example(self) -> str:
        """A value for the key as YAML; empty where the model gives none."""
        return str(self.field.examples[0]) if self.field.examples else ""


@cache
def keys(model: type[Model]) -> tuple[Key, ...]:
    """The keys of a model in their order."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(Key(name, Value.of(hints[name]), field) for name, field in model.model_fields.items())


def chooser(model: type[Model]) -> Key | None:
    """The key by whose value a model is chosen among others; None where the model stands alone."""
    return next((key for key in keys(model) if key.name in CHOOSERS), None)


def value_at(path: KeyPath, document: Any) -> Value:
    """What the models allow at a path of a file; LookupError where they have no such place.

    The document's own values decide where a key chooses among several models.
    """
    value = Value(Topology)
    for step in path:
        model = value.model_for(document)
        found = {key.name: key.value for key in keys(model)}.get(str(step)) if model else value.items
        if found is None:
            raise LookupError(path)
        value = found
        document = _below(document, step)
    return value


def _below(document: Any, step: str | int) -> Any:
    if isinstance(document, dict):
        return document.get(step)
    return document[step] if isinstance(document, list) and isinstance(step, int) else None


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
