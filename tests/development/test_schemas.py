"""JSON Schemas of events, and which changes of them break a promise."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel

from backbone.development.schemas import BreakingChangeError, DriftError, SchemaError, breaking_changes, check, export
from backbone.runtime import EventData


class Part(BaseModel):
    sku: str


class Old(EventData):
    detail_type: ClassVar[str] = "T"
    version: ClassVar[int] = 1
    id: str
    count: int
    kind: Literal["a", "b"]
    parts: list[Part]


class Added(Old):
    note: str | None = None


class Removed(EventData):
    id: str
    kind: Literal["a", "b"]
    parts: list[Part]


class Changed(Old):
    count: str  # type: ignore[assignment]


class Widened(Old):
    kind: Literal["a", "b", "c"]  # type: ignore[assignment]


class OtherPart(BaseModel):
    sku: int


class Deeper(Old):
    parts: list[OtherPart]  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("new", "changes"),
    [
        (Old, []),
        (Added, []),
        (Removed, ["data.count: was removed"]),
        (Changed, ["data.count: type was 'integer' and is 'string'"]),
        (Widened, ["data.kind: enum was ['a', 'b'] and is ['a', 'b', 'c']"]),
        (Deeper, ["data.parts[].sku: type was 'string' and is 'integer'"]),
    ],
)
def test_breaking_changes(new: type[BaseModel], changes: list[str]) -> None:
    before, after = (model.model_json_schema(mode="serialization") for model in (Old, new))
    assert breaking_changes(before, after) == changes


def test_what_was_always_there_stays() -> None:
    before = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    after = {"properties": {"a": {"type": "string"}}}
    assert breaking_changes(before, after) == ["data.a: may now be absent"]


def test_export_refuses_to_break_a_promise(tmp_path: Path) -> None:
    (file,) = export({tmp_path: (Old,)})
    text = file.read_text()
    Removed.detail_type, Removed.version = "T", 1
    with pytest.raises(
        BreakingChangeError, match=r"T\.v1\.json: data\.count: was removed; give the event a new version"
    ):
        export({tmp_path: (Removed,)})
    assert file.read_text() == text
    Removed.version = 2
    assert [written.name for written in export({tmp_path: (Removed,)})] == ["T.v2.json"]
    assert file.exists()


@pytest.mark.parametrize(
    ("model", "differences"),
    [
        (Changed, ["data.count.type: the file has 'integer', the model 'string'"]),
        (
            Deeper,
            [
                "data.$defs.OtherPart: only the model has it",
                "data.$defs.Part: only the file has it",
                "data.parts.items.$ref: the file has '#/$defs/Part', the model '#/$defs/OtherPart'",
            ],
        ),
        (Added, ["data.note: only the model has it"]),
    ],
)
def test_check_names_the_file_and_the_fields_that_differ(
    tmp_path: Path, model: type[Old], differences: list[str]
) -> None:
    file = tmp_path / "T.v1.json"
    with pytest.raises(DriftError, match=r"T\.v1\.json: is not there\nrun `backbone schemas` and commit"):
        check({tmp_path: (Old,)})
    export({tmp_path: (Old,)})
    text = file.read_text()
    assert check({tmp_path: (Old,)}) == [file]
    with pytest.raises(DriftError) as found:
        check({tmp_path: (model,)})
    assert str(found.value).splitlines()[:-1] == [f"{file}: {words}" for words in differences]
    assert file.read_text() == text


class Category(EventData):
    detail_type: ClassVar[str] = "T"
    version: ClassVar[int] = 1
    name: str
    within: list[Category]


def test_a_model_that_holds_itself(tmp_path: Path) -> None:
    (file,) = export({tmp_path: (Category,)})
    assert export({tmp_path: (Category,)}) == [file]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "5", '{"properties": []}', '{"properties": {"a": 5}}', '{"items": []}', '{"$defs": {"a": []}}', "\xff"],
)
def test_a_schema_that_is_damaged(tmp_path: Path, text: str) -> None:
    file = tmp_path / "T.v1.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(
        SchemaError, match=r"T\.v1\.json: is not a JSON Schema.*; restore it from version control, or delete"
    ):
        export({tmp_path: (Old,)})
