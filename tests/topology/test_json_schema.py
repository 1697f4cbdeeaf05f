"""The schemas that editors complete and check files by."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from backbone.topology import TopologyError, json_schema, parse, source
from backbone.topology.fields import Matching
from backbone.topology.models import Topology
from backbone.topology.schema import Value, keys
from tests.conftest import ROOT, TOPOLOGIES
from tests.documents import documents
from tests.topology.test_environments import CASES as ENVIRONMENT_CASES
from tests.topology.test_load import CASES, VALUES, changed

FILES = [ROOT / "backbone.yaml", *sorted(TOPOLOGIES.glob("*.yaml")), *sorted(ROOT.glob("examples/*/backbone.yaml"))]
MAIN = Draft7Validator(json_schema.json_schema())
ENVIRONMENT = Draft7Validator(json_schema.json_schema("environment"))


def document(text: str) -> Any:
    """What a file says, as the loader reads it: YAML itself takes some texts for numbers and dates."""
    return source.parse(text, file="backbone.yaml").value


@pytest.mark.parametrize("validator", [MAIN, ENVIRONMENT], ids=["backbone", "environment"])
def test_a_schema_is_valid_itself(validator: Draft7Validator) -> None:
    Draft7Validator.check_schema(validator.schema)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_that_loads_is_accepted(file: Path) -> None:
    assert [error.message for error in MAIN.iter_errors(source.read(file).value)] == []


@given(documents())
def test_every_backbone_is_accepted(declared: dict[str, Any]) -> None:
    text = yaml.safe_dump(declared, sort_keys=False, allow_unicode=True)
    assert parse(text).environments == {}
    assert [error.message for error in MAIN.iter_errors(document(text))] == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if "not YAML" not in case["errors"][0]], ids=lambda c: c["name"]
)
def test_what_load_refuses_is_refused_unless_entries_disagree(case: dict[str, Any]) -> None:
    try:
        read = document(case["file"] if "file" in case else changed(case["change"]))
    except source.SourceError:
        assert "only_load" not in case
        return
    assert MAIN.is_valid(read) is case.get("only_load", False)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("{}", True),
        ("{tags: null, services: {order-service: null}, accounts: {bus: {profile: null}}}", True),
        ("{changes_events: true, services: {extra: {account: bus, subscribes: [A.B]}}}", True),
        ("{changes_events: true, services: {extra: {subscribes: [A.B, {detail_type: C.D, source: s}]}}}", True),
        ("{changes_events: true, services: {extra: {publishes: [A.B, {detail_type: C.D, source: s}]}}}", True),
        ("{changes_events: true, services: {extra: {subscribes: [{detail_typ: C.D}]}}}", False),
        ("{changes_events: true, services: {extra: {subscribes: [1]}}}", False),
        ("{changes_events: true, services: {extra: {publishes: [{source: s, of: t}]}}}", False),
        ("{logs: {retention_days: 2}}", False),
        ("{routing: subscribed}", False),
        ("{accounts: {bus: {rol: x}}}", False),
        ("{state: {backend: s4}}", False),
        ("{state: {}}", False),
        ("[1]", False),
    ],
)
def test_the_file_of_an_environment(text: str, valid: bool) -> None:
    assert ENVIRONMENT.is_valid(document(text)) is valid


def test_what_environments_complete_is_demanded_of_a_file_without_them_alone() -> None:
    said = '{name: a, region: eu-west-1, accounts: {hub: {id: "111111111111"}}}'
    text = f"bus: {{account: hub}}\naccounts: {{hub: {{}}}}\nenvironments: {{dev: {said}}}"
    parse(text, environment="dev")
    read = document(text)
    assert MAIN.is_valid(read)
    del read["environments"]
    assert {error.message for error in MAIN.iter_errors(read)} == {
        f"{name!r} is a required property" for name in ("name", "region", "id")
    }


def test_a_key_has_its_description_default_and_example() -> None:
    schema: Any = MAIN.schema
    assert schema["properties"]["layout"]["default"] == "single"
    assert schema["properties"]["layout"]["enum"] == ["single", "per-account"]
    account = schema["definitions"]["AccountEntry"]["properties"]["id"]
    assert (account["examples"], account["description"]) == (["111111111111"], "The account's number, in quotes.")
    role = schema["definitions"]["AccountEntry"]["properties"]["deploy_role"]
    assert (role["description"][-8:], role["markdownDescription"][-10:]) == ("profile.", "`profile`.")
    assert "\\n" not in json.dumps([found["description"] for found in schema["definitions"].values()])


def test_every_key_is_described() -> None:
    schema: Any = MAIN.schema
    for definition in (schema, *schema["definitions"].values()):
        assert all("description" in value for value in definition["properties"].values())


def test_patterns_are_of_the_kind_that_editors_have() -> None:
    patterns = sorted({found for schema in (MAIN.schema, ENVIRONMENT.schema) for found in _patterns(schema)})
    program = "for (const each of JSON.parse(require('fs').readFileSync(0))) new RegExp(each, 'u')"
    ended = subprocess.run(["node", "-e", program], input=json.dumps(patterns), capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(patterns) > 10


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from ([schema["pattern"]] if isinstance(schema.get("pattern"), str) else ())
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _patterns(inner)


def _places(value: Value, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Value]]:
    """The places of a file, with a name of the example for each name that is free to choose."""
    yield path, value
    for model in value.models:
        for key in keys(model):
            yield from _places(key.value, (*path, key.name))
    if value.items and path:
        names: dict[object, str] = {"accounts": "order", "services": "order-service", "environments": "dev"}
        yield from _places(value.items, (*path, 0 if value.kind == "list" else names.get(path[-1], "name")))


def put(place: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Put a value at a path of a document, and lists and mappings on the way to it."""
    step, *rest = path
    below = place[step] if step in (place if isinstance(place, dict) else range(len(place))) else None
    if rest:
        wanted = list if isinstance(rest[0], int) else dict
        below = below if isinstance(below, wanted) else wanted()
        put(below, tuple(rest), value)
    if isinstance(place, list):
        place[:1] = [below if rest else value]
    else:
        place[step] = below if rest else value


PLACES = sorted({path: value for path, value in _places(Value(Topology), ()) if path}.items(), key=str)
LIKELY = st.sampled_from(
    [
        *[
            "aws",
            "order",
            "eu-west-9",
            "Order.Created",
            "a b",
            "ünïcode",
            "x" * 64,
            "services.größe",
            "",
            "create",
            "-1",
            "9",
        ],
        *[
            "arn:aws:kms:eu-west-1:111111111111:key/a",
            "arn:aws:iam::111111111111:role/x",
            "111111111111",
            "o-a1b2c3d4e5",
        ],
        *[0, 1, 7, 30, 60, 185, 36_500, 86_400, True, False, None, [], {}, ["Order.Created"], [{"detail_type": "A"}]],
        *[
            {"backend": "s3", "bucket": "abc"},
            {"by": "github", "repository": "a/b"},
            {"level": "INFO"},
            {"max_attempts": 3},
        ],
    ]
)


def fitting(value: Value) -> st.SearchStrategy[Any]:
    """Values of the kind that a place has, most of which are valid there."""
    if value.choices:
        return st.sampled_from(value.choices)
    if value.bounds:
        return st.integers(*value.bounds)
    matching = [item.pattern for item in value.metadata if isinstance(item, Matching)]
    if matching:
        return st.from_regex(matching[0], fullmatch=True)
    if value.items and value.names:
        return st.dictionaries(
            fitting(value.names).filter(lambda name: isinstance(name, str)), fitting(value.items), max_size=2
        )
    return st.lists(fitting(value.items), max_size=2) if value.items else LIKELY


@st.composite
def changes(draw: st.DrawFn) -> tuple[tuple[str | int, ...], Any]:
    """A place of a file, and a value for it."""
    path, value = draw(st.sampled_from(PLACES))
    return path, draw(fitting(value) | LIKELY | VALUES)


@settings(max_examples=500)
@given(changes())
def test_what_load_accepts_is_accepted(change: tuple[tuple[str | int, ...], Any]) -> None:
    path, value = change
    in_environment = path[:1] == ("environments",)
    read: Any = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    read["environments"] = {"dev": {}} if in_environment else {}
    put(read, path, value)
    text = yaml.safe_dump(read)
    try:
        parse(text, environment="dev" if in_environment else None)
    except TopologyError:
        return
    assert [error.message for error in MAIN.iter_errors(document(text))] == []


def test_the_cases_of_environments_that_a_schema_can_tell() -> None:
    told = {
        case["name"]
        for case in ENVIRONMENT_CASES
        if "file" not in case
        and not MAIN.is_valid(document(f"bus: {{account: a}}\nenvironments: {{prod: {case['environment']}}}"))
    }
    assert {"a key that environments do not have", "a value that is wrong", "a state that is none"} <= told
