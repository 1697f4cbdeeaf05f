"""JSON Schemas of the files that a user writes, for editors: made of the models, so that they cannot differ from them.

A schema accepts every file that `load` accepts. It refuses what can be seen in a value alone; that the account of a
service must be declared, say, only `load` tells. The schemas are of draft 7, which editors complete best.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import yaml
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from backbone.topology.entries import AccountEntry, ServiceEntry
from backbone.topology.environments import Environment, EnvironmentAccount, EnvironmentService
from backbone.topology.fields import KNOWN_REGIONS, Model
from backbone.topology.models import TeamFile, Topology
from backbone.topology.schema import CHOOSERS

__all__ = ["FileKind", "json_schema", "text"]

FileKind = Literal["backbone", "environment", "team"]
"""`backbone.yaml`, the file of an environment, such as `backbone.prod.yaml`, or a file that `include` names."""

Schema = dict[str, Any]

_MODELS: Final[dict[FileKind, tuple[type[Model], str]]] = {
    "backbone": (Topology, "backbone.yaml"),
    "environment": (Environment, "backbone.NAME.yaml"),
    "team": (TeamFile, "teams/NAME.yaml"),
}
_COMPLETED: tuple[type[Model], ...] = (Environment, EnvironmentAccount, EnvironmentService)
"""The models with which environments say the rest of a file, of its accounts and of its services."""


def text(kind: FileKind = "backbone") -> str:
    """The schema of a kind of file as JSON, as `backbone schema` prints it and `backbone init` writes it.

    A file names its schema for yaml-language-server in a comment in its first line:
    `# yaml-language-server: $schema=FILE`, where FILE is a path from the file's own folder.
    """
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=True) + "\n"


def json_schema(kind: FileKind = "backbone") -> Schema:
    """The schema of a kind of file."""
    model, file = _MODELS[kind]
    found = model.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Generator)
    definitions = found.pop("$defs")
    for definition in definitions.values():
        chosen_by = [key for key in CHOOSERS if key in definition["properties"]]
        definition["required"] = [*dict.fromkeys([*chosen_by, *definition.get("required", ())])]
    if kind == "backbone":
        _move_conditions(found, definitions)
    if kind == "environment":
        _allow_null(found, *definitions.values())
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": file}
    schema: Schema = _tidy(
        head | {key: value for key, value in found.items() if key != "title"} | {"definitions": definitions}
    )
    return schema


class _Generator(GenerateJsonSchema):
    """Leaves out what editors would show without need: titles of keys, and defaults that say nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A key's title would be its name once more."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """Only a default that is a value."""
        found = super().default_schema(schema)
        given = found.pop("default", None)
        if isinstance(given, dict):
            given = {key: value for key, value in given.items() if value is not None}
        return found if given in (None, {}, []) else found | {"default": given}

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        """A mapping whose names match as a whole, so that a wrong name is an error."""
        found = super().dict_schema(schema)
        for pattern, values in found.pop("patternProperties", {}).items():
            names = found.get("propertyNames", {}) | {"pattern": pattern}
            found |= {"propertyNames": names, "additionalProperties": values}
        return found

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        """One type or null in the shorter form."""
        found = super().nullable_schema(schema)
        first = found["anyOf"][0] if len(found.get("anyOf", ())) == 2 else {}
        if isinstance(first.get("type"), str) and not first.keys() & {"enum", "const"}:
            return first | {"type": [first["type"], "null"]}
        return found

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> Schema:
        """Any of the models, in plain JSON Schema."""
        found = super().tagged_union_schema(schema)
        del found["discriminator"]
        return {"anyOf": found.pop("oneOf"), **found}


def _move_conditions(file: Schema, definitions: dict[str, Schema]) -> None:
    """Demand of files without environments alone what environments can say.

    Patterns stand for keys here, since editors would offer keys a second time.
    """
    places = (file, definitions[AccountEntry.__name__], definitions[ServiceEntry.__name__])
    moved: list[list[str]] = []
    for place, completing in zip(places, _COMPLETED, strict=True):
        required = [name for name in place["required"] if name in completing.model_fields]
        place["required"] = [name for name in place["required"] if name not in required]
        moved.append(required)
    own, of_account, of_service = moved
    entries = {"accounts": of_account, "services": of_service}
    file["anyOf"] = [{"required": ["bus"]}, {"required": ["buses"]}]
    file["if"] = {"required": ["environments"]}
    file["else"] = {
        "required": own,
        "patternProperties": {
            f"^{key}$": {"additionalProperties": {"required": names}} for key, names in entries.items()
        },
        "anyOf": [{"required": ["partition"]}, {"patternProperties": {"^region$": {"enum": KNOWN_REGIONS}}}],
    }


def _allow_null(*models: Schema) -> None:
    """Allow null for every key and entry: in an environment's own file it takes away what the main file says."""
    for model in models:
        for name, value in model.get("properties", {}).items():
            if isinstance(entries := value.get("additionalProperties"), dict):
                value["additionalProperties"] = {"anyOf": [entries, {"type": "null"}]}
            about = {key: value.pop(key) for key in ("description", "default", "examples") if key in value}
            model["properties"][name] = about | {"anyOf": [value, {"type": "null"}]}


def _tidy(value: Any) -> Any:
    """A schema with its texts in one line, and its examples as values: the models have them as YAML.

    Editors show `markdownDescription` as Markdown, where they have one.
    """
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _tidy(item) for key, item in value.items()}
    if isinstance(found.get("description"), str):
        words = " ".join(found["description"].split())
        found["description"] = words.replace("`", "")
        found |= {"markdownDescription": words} if "`" in words else {}
    if isinstance(found.get("examples"), list):
        found["examples"] = [yaml.safe_load(example) for example in found["examples"]]
    return found
