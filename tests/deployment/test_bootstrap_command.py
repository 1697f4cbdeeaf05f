"""`backbone bootstrap`, and what `backbone check` says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.command import BACKBONE, run
from tests.deployment.bootstrapped import document

STACKS = ["_pipeline", "bus", "delivery", "order"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that a pipeline deploys, synthesized; its services' code is elsewhere."""
    folder = tmp_path_factory.mktemp("project")
    given = document("single")
    for service in given["services"].values():
        service.pop("module")
        service.pop("settings")
    (folder / "backbone.yaml").write_text(yaml.safe_dump(given))
    run(BACKBONE, "synth", folder=folder)
    return folder


def test_bootstrap_is_written_and_asked_for(project: Path) -> None:
    found, _ = run(BACKBONE, "check", folder=project, status=1)
    assert "error BB520: deployment: there is nothing in bootstrap\n" in found
    listed, _ = run(BACKBONE, "bootstrap", folder=project)
    assert [Path(line) for line in listed.splitlines()] == [Path("bootstrap/stacks") / name for name in STACKS]
    run(BACKBONE, "check", folder=project)
    found, _ = run(BACKBONE, "check", "--bootstrap", "elsewhere", "--json", folder=project, status=1)
    assert [one["rule"] for one in json.loads(found) if one["severity"] == "error"] == ["BB520"]
    files = {path: path.read_bytes() for path in (project / "bootstrap").rglob("*.json")}
    assert {path.name for path in files} == {"cdk.tf.json"}
    run(BACKBONE, "bootstrap", folder=project)
    assert files == {path: path.read_bytes() for path in (project / "bootstrap").rglob("*.json")}


def test_states_of_bootstrap_move_into_the_bucket_and_stay(project: Path, tmp_path: Path) -> None:
    written, _ = run(BACKBONE, "bootstrap", "--output", str(tmp_path), "--backend", "--json", folder=project)
    assert json.loads(written) == [str(tmp_path / "stacks" / name) for name in STACKS]
    file = tmp_path / "stacks" / "order" / "backend.tf.json"
    backend = json.loads(file.read_text())["terraform"]["backend"]["s3"]
    assert backend == {
        "bucket": "acme-states",
        "encrypt": True,
        "key": "backbone/shop-111111111111-eu-west-1/bootstrap/order.tfstate",
        "region": "eu-west-1",
        "use_lockfile": True,
    }
    run(BACKBONE, "bootstrap", "--output", str(tmp_path), folder=project)
    assert file.exists()
    run(BACKBONE, "check", "--bootstrap", str(tmp_path), folder=project)
    listed, _ = run(BACKBONE, "bootstrap", "--output", str(tmp_path), "--stack-set", folder=project)
    assert listed.splitlines()[-1] == str(tmp_path / "stack-set.json")
    template = json.loads((tmp_path / "stack-set.json").read_text())
    assert template["Resources"]["Accounts"]["Type"] == "AWS::CloudFormation::StackSet"


def test_nobody_deploys(tmp_path: Path) -> None:
    given = document("single")
    for service in given["services"].values():
        service.pop("module")
        service.pop("settings")
    given.pop("deployment")
    (tmp_path / "backbone.yaml").write_text(yaml.safe_dump(given))
    run(BACKBONE, "synth", folder=tmp_path)
    _, errors = run(BACKBONE, "bootstrap", folder=tmp_path, status=2)
    assert errors == (
        "error: deployment: is missing: who deploys; add it to the file, as in deployment: {by: github, repository: "
        "acme/backbone}\n"
    )
    given |= {"deployment": {"by": "github", "repository": "acme/backbone"}, "state": {"backend": "local"}}
    (tmp_path / "backbone.yaml").write_text(yaml.safe_dump(given))
    run(BACKBONE, "bootstrap", folder=tmp_path)
    _, errors = run(BACKBONE, "bootstrap", "--backend", folder=tmp_path, status=2)
    assert errors == "error: state: has no bucket; --backend needs state: {backend: s3, bucket: ...}\n"
