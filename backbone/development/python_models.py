"""Events as Python: pydantic models that `backbone.runtime.Consumer` takes."""

from __future__ import annotations

import json
import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel

from backbone.development import shapes
from backbone.development.shapes import Event, Field, Record, Shape

__all__ = ["module"]

WIDTH = 120
SCALARS = {
    "text": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "time": "datetime.datetime",
    "date": "datetime.date",
}
TAKEN = {"bool", "datetime", "detail_type", "dict", "float", "int", "str", "tuple", "version"}
"""Names that a field cannot have: what its class has or what annotations are made of."""


def module(events: Sequence[Event], title: str) -> str:
    """The text of a module with a model of each event; `title` is its docstring."""
    parts = [part for event in events for part in _event(event)]
    body = "\n\n\n".join("\n".join(part) for part in parts)
    names = sorted(name for event in events for name in _names(event))
    return f'"""{title}"""\n\n{_imports(body)}\n\n{_exports(names)}\n\n\n{body}\n'


def _names(event: Event) -> list[str]:
    return [record.name for record in event.records] or [event.name]


def _imports(body: str) -> str:
    of_pydantic = sorted(name for name in ("BaseModel", "ConfigDict", "Field") if re.search(rf"\b{name}\b(?!\.)", body))
    typing = sorted(name for name in ("Any", "ClassVar", "Literal") if re.search(rf"\b{name}\b", body))
    groups = [
        ["from __future__ import annotations"],
        [
            *(["import datetime"] if "datetime." in body else []),
            *([f"from typing import {', '.join(typing)}"] if typing else []),
        ],
        [
            *(["from backbone.runtime import EventData"] if body else []),
            *([f"from pydantic import {', '.join(of_pydantic)}"] if of_pydantic else []),
        ],
    ]
    return "\n\n".join("\n".join(group) for group in groups if group)


def _exports(names: Iterable[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    line = f"__all__ = [{', '.join(quoted)}]"
    return line if len(line) <= WIDTH else "\n".join(["__all__ = [", *(f"    {name}," for name in quoted), "]"])


def _event(event: Event) -> Iterator[list[str]]:
    """The classes of an event, parts first."""
    contract = event.contract
    words = f"{contract.detail_type}, version {contract.version or 1}"
    constants = [
        f"    detail_type: ClassVar[str] = {_literal(contract.detail_type)}",
        f"    version: ClassVar[int] = {contract.version or 1}",
    ]
    for record in event.records[:-1]:
        frozen = ["    model_config = ConfigDict(frozen=True)", ""]
        yield [*_head(record.name, "BaseModel", f"A part of {words}.", record.description), *frozen, *_fields(record)]
    if event.records:
        record, title = event.records[-1], f"{words}, of {contract.publisher}."
        yield [*_head(record.name, "EventData", title, record.description), *constants, "", *_fields(record)]
    else:
        open_fields = ["", '    model_config = ConfigDict(frozen=True, extra="allow")']
        unknown = f"No schema of it is published: {contract.publisher} knows its fields and its version."
        yield [*_head(event.name, "EventData", f"{contract.detail_type}.", unknown), *constants, *open_fields]


def _head(name: str, base: str, summary: str, description: str) -> list[str]:
    return [f"class {name}({base}):", *_docstring(summary, description), ""]


def _docstring(summary: str, description: str = "") -> list[str]:
    """A docstring of a class or a field; what a text has that could end or change it is written otherwise."""
    paragraphs = [summary, *description.splitlines()]
    lines = [line.replace('"""', "'''") for text in paragraphs for line in _wrapped(text)]
    prefix = "r" if any("\\" in line for line in lines) else ""
    if len(lines) == 1 and not lines[0].endswith(('"', "\\")):
        return [f'    {prefix}"""{lines[0]}"""']
    rest = lines[1:] if description and lines[1:2] == [""] else ["", *lines[1:]]
    indented = [f"    {line}" if line else "" for line in rest if len(lines) > 1]
    return [f'    {prefix}"""{lines[0]}', *indented, '    """']


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH - 12, break_long_words=False, break_on_hyphens=False) or [""]


def _fields(record: Record) -> list[str]:
    lines: list[str] = []
    taken: set[str] = set()
    for field in record.fields:
        name = _field_name(field.name, taken)
        taken.add(name)
        annotation = _annotation(field.shape)
        if not field.required and "None" not in annotation.split(" | "):
            annotation += " | None"
        given = _given(field, name)
        lines.append(f"    {name}: {annotation}{given}")
        if field.description:
            lines += [*_docstring(field.description), ""]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _given(field: Field, name: str) -> str:
    """What stands behind the annotation: the field's name in JSON where Python needs another, and None where absent."""
    if name == field.name:
        return "" if field.required else " = None"
    default = "" if field.required else "default=None, "
    return f" = Field({default}alias={_literal(field.name)})"


def _field_name(name: str, taken: set[str]) -> str:
    """A name for an attribute: in snake case, no keyword, and nothing that a model has already."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    found = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if not found[:1].isalpha():
        found = f"field_{found}".rstrip("_")
    while keyword.iskeyword(found) or found in TAKEN or found in taken or hasattr(BaseModel, found):
        found += "_"
    return found


def _annotation(shape: Shape) -> str:
    match shape:
        case shapes.Scalar(kind):
            return SCALARS[kind]
        case shapes.Constants(values):
            return f"Literal[{', '.join(map(_literal, values))}]"
        case shapes.Listed(item):
            return f"tuple[{_annotation(item)}, ...]"
        case shapes.Tuple(items):
            return f"tuple[{', '.join(map(_annotation, items)) or '()'}]"
        case shapes.Mapped(value):
            return f"dict[str, {_annotation(value)}]"
        case shapes.Union(parts):
            return " | ".join(sorted(dict.fromkeys(map(_annotation, parts)), key=lambda text: text == "None"))
        case shapes.Named(name):
            return name
        case shapes.Anything():
            return "Any"


def _literal(value: str | int | bool | None) -> str:
    if isinstance(value, str) and not ('"' in value and "'" not in value):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
