"""The reference of the file's keys, as Markdown: made of the models, so that it cannot differ from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from annotated_types import MaxLen, MinLen

from backbone.topology.fields import Model
from backbone.topology.models import TeamFile, Topology
from backbone.topology.schema import Key, Value, chooser, keys

__all__ = ["Section", "markdown", "sections"]

INTRODUCTION = """\
# Reference of backbone.yaml

Every key of the file, by the mapping that it stands in. `<name>` is a name of your choice, and `[]` is each item of a
list. A key is optional unless its default is "required"; where the default is empty, the last column says what applies
without the key.
"""


@dataclass(frozen=True)
class Section:
    """A mapping of the file with fixed keys, and the places where it may stand."""

    model: type[Model]
    paths: tuple[str, ...]

    @property
    def title(self) -> str:
        """Where the mapping stands, not counting environments for one that stands elsewhere; of several, which."""
        elsewhere = [path for path in self.paths if not path.startswith("environments.")] or self.paths
        places = " and ".join(f"`{path}`" for path in elsewhere if path)
        choosing = chooser(self.model)
        which = f", `{choosing.name}: {choosing.value.allowed}`" if choosing else ""
        return f"{places}{which}" or "The file"


def sections() -> list[Section]:
    """The mappings with fixed keys, those that contain others before them."""
    found: dict[type[Model], list[str]] = {}
    for path, model in _walk(Topology, ""):
        found.setdefault(model, []).append(path)
    found[TeamFile] = ["teams/*.yaml"]
    return [Section(model, tuple(paths)) for model, paths in found.items()]


def markdown() -> str:
    """The reference: a section for each mapping, with a table of its keys."""
    return "\n".join([INTRODUCTION, *map(_section, sections())])


def _walk(model: type[Model], path: str) -> Iterator[tuple[str, type[Model]]]:
    yield path, model
    for key in keys(model):
        inner, here = key.value, f"{path}.{key.name}".lstrip(".")
        while inner.items:
            here += "[]" if inner.kind == "list" else ".<name>"
            inner = inner.items
        for child in inner.models:
            yield from _walk(child, here)


def _section(section: Section) -> str:
    description = " ".join((section.model.__doc__ or "").split())
    rows = [_row(key) for key in keys(section.model)]
    head = ["| key | type | default | allowed | what it is for |", "|---|---|---|---|---|"]
    return "\n".join([f"## {section.title}", "", description, "", *head, *rows, ""])


def _row(key: Key) -> str:
    cells = [f"`{key.name}`", _kind(key.value), _default(key), _allowed(key), key.description]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(value: Value) -> str:
    if value.items is None:
        return "" if value.kind == "any" else value.kind
    items = {"mapping": "mappings", "any": "values"}.get(value.items.kind, value.items.kind)
    return f"list of {items}" if value.kind == "list" else f"mapping of names to {items}"


def _default(key: Key) -> str:
    if key.field.is_required():
        return "required"
    default = key.field.get_default(call_default_factory=True)
    if default is None or isinstance(default, Model) or (not default and key.value.items):
        return ""
    return f"`{json.dumps(default)}`".replace('"', "")


def _allowed(key: Key) -> str:
    value = key.value
    parts = [_words(value)]
    if value.names and value.items:
        parts += [
            f"{what}: {words}"
            for what, of in (("names", value.names), ("values", value.items))
            if (words := _words(of))
        ]
    elif value.items:
        parts.append(_words(value.items))
    parts += [f"at least {item.min_length}" for item in key.field.metadata if isinstance(item, MinLen)]
    parts += [f"at most {item.max_length}" for item in key.field.metadata if isinstance(item, MaxLen)]
    return "; ".join(filter(None, parts))


def _words(value: Value) -> str:
    return ", ".join(f"`{choice}`" for choice in value.choices) or value.allowed
