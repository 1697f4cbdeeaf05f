"""The examples of the documentation do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from backbone.synthesis import output
from backbone.topology import parse
from tests.conftest import ROOT, example
from tests.docs.documents import DOCUMENTS, Block, blocks

PYTHON = [block for file in DOCUMENTS for block in blocks(file, "python")]
YAML = [block for file in DOCUMENTS for block in blocks(file, "yaml")]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_can_be_read(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_a_backbone_or_a_part_of_it(block: Block) -> None:
    if "name" in yaml.safe_load(block.text):
        assert parse(block.text).warnings == ()
    else:  # added to the example
        whole, part = (yaml.safe_load(text) for text in ((ROOT / "backbone.yaml").read_text(), block.text))
        for key, entries in part.items():
            whole[key] |= entries
        parse(yaml.safe_dump(whole))


def test_the_tests_of_the_guide_pass(tmp_path: Path) -> None:
    stacks = tmp_path / "cdktf.out"
    output.synth(example("single"), stacks)
    examples = blocks(ROOT / "docs" / "testing.md", "python")
    for block in examples:
        (tmp_path / f"test_line_{block.line}.py").write_text(block.text)
    fixture = f"@pytest.fixture\ndef stacks():\n    return {str(stacks)!r}\n"
    (tmp_path / "conftest.py").write_text(f"import pytest\n\n{fixture}")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    count = sum(len(re.findall(r"^def test_", block.text, re.MULTILINE)) for block in examples)
    assert f"{count} passed" in done.stdout


def test_the_program_of_the_api_runs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    (block,) = blocks(ROOT / "docs" / "api.md", "python")
    done = subprocess.run([sys.executable, "-c", block.text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "backbone\n"), done.stderr
