from __future__ import annotations

import pytest
import yaml

from backbone.topology.entries import ServiceEntry
from backbone.topology.fields import Model
from backbone.topology.models import Topology
from backbone.topology.reference import Section, markdown, sections
from backbone.topology.retry import Retry
from backbone.topology.schema import Key, keys, value_at

KEYS = [
    pytest.param(section, key, id=f"{section.title} {key.name}")
    for section in sections()
    for key in keys(section.model)
]


def row(section: Section, key: str) -> list[str]:
    """The cells of a key's row in the section of a model."""
    _, _, after = markdown().partition(f"## {section.title}\n")
    text, _, _ = after.partition("\n## ")
    (found,) = [line for line in text.splitlines() if line.startswith(f"| `{key}` |")]
    return [cell.strip() for cell in found.strip("|").split(" | ")]


def section(model: type[Model]) -> Section:
    (found,) = [each for each in sections() if each.model is model]
    return found


def test_every_model_of_the_file_has_a_section() -> None:
    assert {each.model for each in sections()} == set(Model.__subclasses__())


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_every_key_is_described(section: Section, key: Key) -> None:
    cells = row(section, key.name)
    assert len(cells) == 5
    assert cells[4] == key.description
    assert key.description.endswith(".")
    assert key.description[0].isupper() or key.description[0].isdigit()


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.title)
def test_the_examples_of_the_required_keys_are_valid(section: Section) -> None:
    required = [key for key in keys(section.model) if key.field.is_required()]
    examples = {key.name: yaml.safe_load(key.example or key.value.choices[0]) for key in required}
    assert section.model.model_validate(examples).model_fields_set == examples.keys()


@pytest.mark.parametrize(
    ("model", "key", "cells"),
    [
        (Topology, "layout", ["text", "`single`", "`single`, `per-account`"]),
        (Topology, "name", ["text", "required", "1 to 20 of a-z 0-9 -"]),
        (
            Topology,
            "accounts",
            ["mapping of names to mappings", "required", "names: a lower-case letter, then a-z 0-9 -; at least 1"],
        ),
        (Retry, "max_attempts", ["whole number", "`185`", "0 to 185"]),
        (
            ServiceEntry,
            "subscribes",
            ["list of mappings", "", "a detail-type, or {detail_type: ..., source: ..., detail: ...}"],
        ),
        (
            ServiceEntry,
            "settings",
            ["mapping of names to values", "", "values: true or false, a whole number, or text"],
        ),
    ],
)
def test_the_cells_of_a_key(model: type[Model], key: str, cells: list[str]) -> None:
    assert row(section(model), key)[1:4] == cells


def test_a_section_says_where_its_mapping_stands() -> None:
    titles = [each.title for each in sections()]
    assert titles[:3] == ["The file", "`accounts.<name>`", "`bus` and `buses.<name>`"]
    assert "`services.<name>.retry` and `retry`" in titles
    assert "`state`, `backend: s3`" in titles


def test_a_place_that_the_models_do_not_have() -> None:
    with pytest.raises(LookupError):
        value_at(("bus", "archive_day"), {})
    with pytest.raises(LookupError):
        value_at(("name", "first"), {})
