"""`backbone schemas`: what it writes, and whether what is there is right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example and its services."""
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_check(project: Path) -> None:
    assert run(BACKBONE, "schemas", "--check", folder=project)[0] == "3 schemas match their models\n"
    file = project / "services" / "order" / "schemas" / "Order.Updated.v1.json"
    read = json.loads(file.read_text())
    read["properties"]["status"]["type"] = "number"
    file.write_text(json.dumps(read))
    output, errors = run(BACKBONE, "schemas", "--check", folder=project, status=1)
    assert output == ""
    words = "data.status.type: the file has 'number', the model 'string'"
    assert errors.splitlines()[0] == f"error: {file}: {words}"
    assert json.loads(file.read_text()) == read
