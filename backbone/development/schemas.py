"""The JSON Schemas of the events that services publish: written out, and compared with what was promised."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError

__all__ = ["EventModel", "SchemaError", "breaking_changes", "export", "published", "schema"]

Json = dict[str, Any]

REMARKS = {"title", "description", "default", "examples", "$defs", "properties", "required", "items"}
"""Keys that promise nothing, or that are compared by their parts."""


class SchemaError(BackboneError):
    """A schema changed so that consumers of the published one would fail."""


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


def export(models: tuple[EventModel, ...], folder: Path) -> list[Path]:
    """Write the schema of each model, by type and version; SchemaError before that if one breaks its promise.

    Files of older versions stay: their events may still be in archives and queues.
    """
    written: dict[Path, Json] = {}
    wrong: list[str] = []
    for model in models:
        file, new = folder / f"{model.detail_type}.v{model.version}.json", schema(model)
        if file.exists():
            old: Json = json.loads(file.read_text(encoding="utf-8"))
            wrong += [f"{file}: {one}; give the event a new version" for one in breaking_changes(old, new)]
        written[file] = new
    if wrong:
        raise SchemaError("\n".join(wrong))
    folder.mkdir(exist_ok=True)
    for file, new in written.items():
        file.write_text(json.dumps(new, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return list(written)


def breaking_changes(old: Json, new: Json) -> list[str]:
    """What a consumer of the old schema could trip over in events of the new one."""
    return list(_breaking(old, new, old, new, "data"))


def _breaking(old: Json, new: Json, old_root: Json, new_root: Json, path: str) -> Iterator[str]:
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
            yield f"{here}: is not always there any more"
        yield from _breaking(was, new["properties"][name], old_root, new_root, here)
    if ("items" in old) is not ("items" in new):
        yield f"{path}: items was {old.get('items')!r} and is {new.get('items')!r}"
    elif "items" in old:
        yield from _breaking(old["items"], new["items"], old_root, new_root, f"{path}[]")


def _referred(part: Json, root: Json) -> Json:
    while "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        part = {key: value for key, value in part.items() if key != "$ref"} | root["$defs"][name]
    return part
