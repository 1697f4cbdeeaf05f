"""The fields of events, as JSON Schemas tell them."""

from __future__ import annotations

from typing import Any

import pytest

from backbone.errors import BackboneError
from backbone.synthesis import fields
from backbone.topology import parse
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, ["a"]),
        ({"properties": {"a": {"items": {"properties": {"b": {"type": "integer"}}}}}}, ["a.b"]),
        (
            {"properties": {"a": {"prefixItems": [{"type": "string"}], "items": {"properties": {"b": {}}}}}},
            ["a", "a.b.*"],
        ),
        ({"properties": {"a": {"anyOf": [{"type": "null"}, {"properties": {"b": {"const": 1}}}]}}}, ["a", "a.b"]),
        ({"properties": {"a": {}}}, ["a.*"]),
        ({"properties": {"a": {"title": "A", "description": "Anything."}}}, ["a.*"]),
        ({"properties": {"a": True}}, ["a.*"]),
        ({"properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}}, ["a.*"]),
        ({"properties": {"a": {"type": "string"}}, "additionalProperties": True}, ["a", "*"]),
        (
            {
                "$defs": {"Node": {"properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}}}},
                "properties": {"first": {"$ref": "#/$defs/Node"}},
            },
            ["first.name", "first.next.*"],
        ),
        ({"properties": {"a": {"$ref": "https://example.com/elsewhere"}}}, ["a.*"]),
    ],
)
def test_the_fields_of_a_schema(schema: dict[str, Any], expected: list[str]) -> None:
    assert sorted(fields.of_schema(schema)) == sorted(f"data.{field}" for field in expected)


def test_only_types_that_are_filtered_by_and_have_a_schema() -> None:
    text = (ROOT / "backbone.yaml").read_text()
    assert fields.fields(parse(text), "order-service") == {}
    filtered = parse(
        text.replace(
            "[Order.Created]\n    module", "[{detail_type: Order.Created, detail: {data: {total: ['1']}}}]\n    module"
        )
    )
    found = fields.fields(filtered, "order-service")
    assert list(found) == ["Order.Created"]
    assert {"data.total", "data.items.sku", "meta.correlation_id"} < set(found["Order.Created"])


def test_a_schema_that_is_none(tmp_path: Any) -> None:
    file = tmp_path / "A.v1.json"
    file.write_text("{")
    with pytest.raises(BackboneError, match="is not a JSON Schema"):
        fields.read(file)
