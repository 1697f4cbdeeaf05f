"""The example broken by hand in many ways, each of which must be noticed, and edited in ways that must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from backbone.errors import BackboneError
from backbone.simulator.verdict import ALLOWABLE
from backbone.synthesis import output
from backbone.topology import load
from mutants.scenario import warm_functions
from tests.conftest import TOPOLOGIES
from tests.synthesis import Json, Stacks
from tests.system.edits import EXAMPLE, edited, read_edits, reading, simulated

BROKEN = read_edits("broken")
HARMLESS = read_edits("harmless.yaml")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """The folder of a topology's stacks, synthesized once. Functions keep their processes between the tests."""

    @cache
    def of(name: str) -> Path:
        made = tmp_path_factory.mktemp(name)
        output.synth(load(TOPOLOGIES / f"{name}.yaml"), made)
        return made

    with warm_functions():
        yield of


def of(edit: Json) -> str:
    return str(edit.get("of", EXAMPLE))


def stacks_in(folder: Path) -> Stacks:
    return {file.parent.name: json.loads(file.read_text()) for file in folder.glob("stacks/*/cdk.tf.json")}


@pytest.mark.parametrize("name", sorted({of(edit) for edit in (*BROKEN.values(), *HARMLESS.values())}))
def test_nothing_is_wrong_without_an_edit(folder_of: Callable[[str], Path], name: str) -> None:
    folder = folder_of(name)
    read = reading(stacks_in(folder), folder)
    assert [str(finding) for finding in read.findings if finding.severity != "note"] == []
    assert simulated(read, name) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_example_is_noticed(folder_of: Callable[[str], Path], name: str) -> None:
    edit = BROKEN[name]
    folder = folder_of(of(edit))
    stacks = stacks_in(folder)
    if "says" in edit:
        with pytest.raises(BackboneError, match=re.escape(edit["says"])):
            reading(edited(stacks, edit), folder)
        return
    read = reading(edited(stacks, edit), folder)
    found = [finding.rule for finding in read.findings if finding.severity != "note"]
    if "finds" in edit:
        assert edit["finds"] in found
    else:
        assert not found
        assert any(f" {edit['ends']}: " in problem for problem in simulated(read, of(edit)))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not(folder_of: Callable[[str], Path], name: str) -> None:
    edit = HARMLESS[name]
    folder = folder_of(of(edit))
    read = reading(edited(stacks_in(folder), edit), folder)
    assert [str(finding) for finding in read.findings if finding.severity != "note"] == []
    assert simulated(read, of(edit)) == []


def test_the_files_say_what_is_noticed() -> None:
    assert all(len({"finds", "ends", "says"} & {*edit}) == 1 for edit in BROKEN.values())
    assert {edit["ends"] for edit in BROKEN.values() if "ends" in edit} <= {*ALLOWABLE}
