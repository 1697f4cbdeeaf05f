"""The examples of the documentation do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from backbone.system import acceptance
from backbone.topology import load, parse
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT
from tests.docs.documents import DOCUMENTS, Block, blocks

PYTHON = [block for file in DOCUMENTS for block in blocks(file, "python")]
YAML = [block for file in DOCUMENTS if file.name != "files.md" for block in blocks(file, "yaml")]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_can_be_read(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_what_the_backbone_reads(block: Block, tmp_path: Path) -> None:
    read = yaml.safe_load(block.text)
    if isinstance(read, list):
        (tmp_path / acceptance.FILE_NAME).write_text(block.text)
        assert acceptance.load(tmp_path / acceptance.FILE_NAME)
    elif "name" in read:
        for environment in read.get("environments", [None]):
            assert parse(block.text, environment=environment).warnings == ()
    else:  # entries to be added to the example
        whole = yaml.safe_load((ROOT / "backbone.yaml").read_text())
        for key, entries in read.items():
            whole[key] = whole.get(key, {}) | entries
        parse(yaml.safe_dump(whole))


def test_the_files_of_teams_are_what_the_backbone_reads(tmp_path: Path) -> None:
    texts: dict[str, str] = {}
    for block in blocks(ROOT / "docs" / "files.md", "yaml"):
        named = re.match(r"# ([a-z./]+\.yaml)", block.text)
        texts[named[1] if named else "more"] = block.text
    more, prod = yaml.safe_load(texts.pop("more")), texts.pop("teams/order.prod.yaml")
    delivery = {"delivery-service": {"account": "delivery", "publishes": ["Delivery.Updated"]}}
    texts["teams/delivery.yaml"] = yaml.safe_dump({"services": delivery})
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    main = tmp_path / "backbone.yaml"
    assert load(main).services.keys() == {"order-service", "delivery-service"}
    (tmp_path / "teams" / "order.prod.yaml").write_text(prod)
    whole = yaml.safe_load(texts["backbone.yaml"]) | {"environments": {"prod": {}}}
    whole = {**whole, "accounts": whole["accounts"] | more["accounts"], "owners": whole["owners"] | more["owners"]}
    main.write_text(yaml.safe_dump(whole))
    assert load(main, environment="prod").retention_days("order-service") == 90


def test_the_tests_of_the_guide_pass(tmp_path: Path) -> None:
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    run(BACKBONE, "synth", folder=tmp_path)
    examples = blocks(ROOT / "docs" / "testing.md", "python")
    for block in examples:
        (tmp_path / f"test_line_{block.line}.py").write_text(block.text)
    fixture = "@pytest.fixture\ndef stacks():\n    return 'cdktf.out'\n"
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


def test_the_service_of_the_guide_works(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    whole = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    (entries,) = (yaml.safe_load(block.text) for block in blocks(ROOT / "docs" / "runtime.md", "yaml"))
    for key, added in entries.items():
        whole[key] |= added
    (tmp_path / "backbone.yaml").write_text(yaml.safe_dump(whole))
    (tmp_path / "services" / "invoice").mkdir()
    (tmp_path / "services" / "invoice" / "__init__.py").touch()
    for block in blocks(ROOT / "docs" / "runtime.md", "python"):
        name, code = block.text.split("\n", 1)
        (tmp_path / name.removeprefix("# ")).write_text(code)
    run(BACKBONE, "synth", folder=tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "services/invoice"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
