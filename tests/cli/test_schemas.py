"""`backbone schemas`: what it writes, and whether what is there is right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

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


def test_models(project: Path) -> None:
    command = (BACKBONE, "schemas", "--for", "delivery-service", "--models")
    python, _ = run(*command, "python", folder=project)
    assert "class OrderCreated(EventData):" in python
    assert "export interface OrderCreated {" in run(*command, "typescript", folder=project)[0]
    assert run(*command, "python", "-o", "types", folder=project)[0] == "types/events.py\n"
    assert (project / "types" / "events.py").read_text() == python


def test_asyncapi(project: Path) -> None:
    assert run(BACKBONE, "schemas", "--asyncapi", "events.json", folder=project)[0] == "events.json\n"
    run(BACKBONE, "schemas", "--asyncapi", "events.yaml", folder=project)
    read = json.loads((project / "events.json").read_text())
    assert read["asyncapi"] == "3.0.0"
    assert read == yaml.safe_load((project / "events.yaml").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "python"], "--models needs --for SERVICE"),
        (["--for", "order-service"], "--models needs --for SERVICE"),
        (["--output", "x"], "--models needs --for SERVICE"),
        (["--check", "--asyncapi", "x"], "got several of --check, --models and --asyncapi; give one of them"),
        (["--models", "python", "--for", "x"], "got the service 'x'; allowed: delivery-service, order-service"),
        (["--asyncapi", "backbone.yaml/x"], "backbone.yaml/x: cannot be written: "),
    ],
)
def test_wrong_options(project: Path, arguments: list[str], message: str) -> None:
    file = (project / "backbone.yaml").read_text()
    status = 3 if "backbone.yaml/x" in arguments else 2
    assert run(BACKBONE, "schemas", *arguments, folder=project, status=status)[1].startswith(f"error: {message}")
    assert (project / "backbone.yaml").read_text() == file
