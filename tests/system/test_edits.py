"""The example broken by hand in many ways, each of which must be noticed, and edited in ways that must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbone.errors import BackboneError
from backbone.simulator.verdict import ALLOWABLE
from backbone.synthesis import output
from mutants.scenario import warm_functions
from tests.conftest import example
from tests.synthesis import Stacks
from tests.system.edits import edited, read_edits, reading, simulated

BROKEN = read_edits("broken")
HARMLESS = read_edits("harmless.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example, with an order service that has no buffer. Its functions keep their processes between the tests."""
    made = tmp_path_factory.mktemp("example")
    output.synth(example("direct"), made)
    with warm_functions():
        yield made


@pytest.fixture
def stacks(folder: Path) -> Stacks:
    return {file.parent.name: json.loads(file.read_text()) for file in folder.glob("stacks/*/cdk.tf.json")}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_example_is_noticed(stacks: Stacks, folder: Path, name: str) -> None:
    edit = BROKEN[name]
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
        assert any(f" {edit['ends']}: " in problem for problem in simulated(read))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not(stacks: Stacks, folder: Path, name: str) -> None:
    read = reading(edited(stacks, HARMLESS[name]), folder)
    assert [str(finding) for finding in read.findings if finding.severity != "note"] == []
    assert simulated(read) == []


def test_the_files_say_what_is_noticed() -> None:
    assert all(len({"finds", "ends", "says"} & {*edit}) == 1 for edit in BROKEN.values())
    assert {edit["ends"] for edit in BROKEN.values() if "ends" in edit} <= {*ALLOWABLE}
