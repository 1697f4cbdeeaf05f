"""The fields of the events that others filter by, as the schemas beside a module tell them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.runtime.envelope import Meta
from backbone.sources import schema_files
from backbone.topology import Topology

__all__ = ["fields"]

Json = Mapping[str, Any]

META = tuple(f"meta.{name}" for name in Meta.model_fields)


def fields(topology: Topology, service: str) -> dict[str, tuple[str, ...]]:
    """The fields of the detail of each type of a service that some entry filters by and that has a schema.

    Those of all versions; BackboneError when a schema cannot be read.
    """
    declared = topology.services[service]
    filters = [
        entry
        for name, other in topology.services.items()
        for entry in other.subscribes
        if name != service and entry.detail is not None
    ]
    found = {}
    for detail_type in sorted(declared.detail_types) if declared.module else ():
        under = [event.source for event in topology.published_by(service) if event.detail_type == detail_type]
        is_asked_for = any(entry.takes(detail_type, source) for entry in filters for source in under)
        files = schema_files(str(declared.module), detail_type) if is_asked_for else {}
        if files:
            known = {field for file in files.values() for field in of_schema(read(file))}
            found[detail_type] = tuple(sorted({*known, *META}))
    return found


def read(file: Path) -> Any:
    """The schema that a file has."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BackboneError(
            f"{file}: is not a JSON Schema: {error}; restore it, or write it by `backbone schemas`"
        ) from None


def of_schema(schema: Any) -> Iterator[str]:
    """The fields of the detail of events whose `data` a schema describes."""
    definitions = schema.get("$defs", {}) if isinstance(schema, Mapping) else {}
    yield from _below(schema, "data", definitions, frozenset())


def _below(schema: Any, path: str, definitions: Json, within: frozenset[str]) -> Iterator[str]:
    """The leaves of a value of a schema, in arrays as in EventBridge's patterns: an element is not a step."""
    if not isinstance(schema, Mapping):
        yield f"{path}.*"
        return
    if isinstance(name := schema.get("$ref"), str):
        name = name.removeprefix("#/$defs/")
        if name in within or name not in definitions:
            yield f"{path}.*"  # it holds itself, or is elsewhere
        else:
            yield from _below(definitions[name], path, definitions, within | {name})
        return
    choices = [each for key in ("anyOf", "oneOf", "allOf") for each in schema.get(key, ())]
    for choice in choices:
        yield from _below(choice, path, definitions, within)
    items = [*schema.get("prefixItems", ()), *([schema["items"]] if "items" in schema else [])]
    for item in items:
        yield from _below(item, path, definitions, within)
    for field, inner in schema.get("properties", {}).items():
        yield from _below(inner, f"{path}.{field}", definitions, within)
    if schema.get("additionalProperties") or "patternProperties" in schema or not {*schema} - REMARKS:
        yield f"{path}.*"
    elif not (choices or items or "properties" in schema):
        yield path


REMARKS = {"default", "description", "examples", "title"}
"""What says nothing of a value: a schema with nothing else allows every value."""
