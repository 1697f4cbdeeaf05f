"""The JSON Schemas of the events that services publish: written out, and compared with what was promised."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backbone.development.files import write_all
from backbone.errors import BackboneError

__all__ = [
    "BreakingChangeError",
    "DriftError",
    "EventModel",
    "SchemaError",
    "breaking_changes",
    "check",
    "export",
    "published",
    "read",
    "schema",
]

Json = dict[str, Any]

REMARKS = {"title", "description", "default", "examples", "$defs", "properties", "required", "items"}
"""Keys that promise nothing, or that are compared by their parts."""


class SchemaError(BackboneError):
    """There are no event models, or no schema, where they should be."""


class BreakingChangeError(SchemaError):
    """An event changed so that consumers of its published schema would fail."""

    exit_status = 1


class DriftError(SchemaError):
    """The schema files are not those of the models."""

    exit_status = 1


EventModel = Any
"""A pydantic model of the data of an event type, with a `detail_type` and a `version`."""


def published(module: str) -> tuple[EventModel, ...]:
    """The models that a service's module says it publishes, in `events.py`."""
    try:
        found: tuple[EventModel, ...] = importlib.import_module(f"{module}.events").PUBLISHES
    except (ModuleNotFoundError, AttributeError):
        raise SchemaError(f"{module}: there is no PUBLISHES in {module}.events; it lists the event models") from None
    return found


def schema(model: EventModel) -> Json:
    """The JSON Schema of `detail.data` of an event type."""
    read: Json = model.model_json_schema(mode="serialization")
    return read | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{model.detail_type}, version {model.version}",
    }


def export(models: Mapping[Path, Sequence[EventModel]]) -> list[Path]:
    """Write the schemas of models into their folders, a file for each type and version; returns the files.

    BreakingChangeError, before anything is written, when consumers of a schema as it was would fail. Files of older
    versions stay: their events may still be in archives and queues.
    """
    schemas = _files(models)
    broken = [
        f"{file}: {change}; give the event a new version"
        for file, new in schemas.items()
        if file.exists()
        for change in breaking_changes(read(file), new)
    ]
    if broken:
        raise BreakingChangeError("\n".join(broken))
    write_all({file: json.dumps(new, indent=2, sort_keys=True) + "\n" for file, new in schemas.items()})
    return list(schemas)


def check(models: Mapping[Path, Sequence[EventModel]]) -> list[Path]:
    """The schema files of models, where each says what its model says; DriftError with every difference otherwise."""
    schemas = _files(models)
    differences = [f"{file}: {words}" for file, new in schemas.items() for words in _drift(file, new)]
    if differences:
        raise DriftError("\n".join([*differences, "run `backbone schemas` and commit what it writes"]))
    return list(schemas)


def _files(models: Mapping[Path, Sequence[EventModel]]) -> dict[Path, Json]:
    """The schema of each model by the file it belongs in."""
    return {
        folder / f"{model.detail_type}.v{model.version}.json": schema(model)
        for folder, some in models.items()
        for model in some
    }


def _drift(file: Path, new: Json) -> Iterator[str]:
    if file.exists():
        yield from _differences(read(file), json.loads(json.dumps(new)), "data")
    else:
        yield "is not there"


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{path}: the file has {old!r}, the model {new!r}"
        return
    for key in sorted(old.keys() | new.keys()):
        here = path if key == "properties" else f"{path}.{key}"
        if key in old and key in new:
            yield from _differences(old[key], new[key], here)
        else:
            yield f"{here}: only the {'file' if key in old else 'model'} has it"


def read(file: Path) -> Json:
    """The JSON Schema of an event that a file has; SchemaError when it has none."""
    advice = "restore it from version control, or delete it to have it written anew"
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SchemaError(f"{file}: is not a JSON Schema: {error}; {advice}") from None
    if not _is_schema(read) or not all(map(_is_schema, read.get("$defs", {}).values())):
        raise SchemaError(f"{file}: is not a JSON Schema of an event; {advice}")
    found: Json = read
    return found


def _is_schema(part: Any) -> bool:
    """Whether the parts that are compared have the form that JSON Schema gives them."""
    if not isinstance(part, dict) or not isinstance(part.get("$defs", {}), dict):
        return False
    parts, required = part.get("properties", {}), part.get("required", [])
    if not isinstance(parts, dict) or not isinstance(required, list):
        return False
    return all(map(_is_schema, [*parts.values(), *([part["items"]] if "items" in part else [])]))


def breaking_changes(old: Json, new: Json) -> list[str]:
    """What a consumer of the old schema could trip over in events of the new one."""
    return list(_breaking(old, new, "data", old, new, frozenset()))


def _breaking(
    old: Json, new: Json, path: str, old_root: Json, new_root: Json, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    if "$ref" in old and "$ref" in new:
        names = old["$ref"], new["$ref"]
        if names in seen:  # a model that holds itself
            return
        seen |= {names}
    old, new = _referred(old, old_root), _referred(new, new_root)
    for key in sorted((old.keys() | new.keys()) - REMARKS - {"$schema"}):
        if old.get(key) != new.get(key):
            yield f"{path}: {key} was {old.get(key)!r} and is {new.get(key)!r}"
    for name, was in old.get("properties", {}).items():
        here = f"{path}.{name}"
        if name not in new.get("properties", {}):
            yield f"{here}: was removed"
            continue
        if name in old.get("required", ()) and name not in new.get("required", ()):
            yield f"{here}: may now be absent"
        yield from _breaking(was, new["properties"][name], here, old_root, new_root, seen)
    if ("items" in old) is not ("items" in new):
        yield f"{path}: items was {old.get('items')!r} and is {new.get('items')!r}"
    elif "items" in old:
        yield from _breaking(old["items"], new["items"], f"{path}[]", old_root, new_root, seen)


def _referred(part: Json, root: Json) -> Json:
    """A part with what it refers to in its place; without it when the schema does not have it."""
    while "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        part = {key: value for key, value in part.items() if key != "$ref"} | root.get("$defs", {}).get(name, {})
    return part
