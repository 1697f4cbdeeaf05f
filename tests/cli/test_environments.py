"""Commands on a file with environments."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT, TOPOLOGIES


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file of two environments, and the services' modules."""
    shutil.copy(TOPOLOGIES / "environments.yaml", tmp_path / "backbone.yaml")
    shutil.copytree(ROOT / "services", tmp_path / "services")
    return tmp_path


def test_every_environment_is_validated(project: Path) -> None:
    assert run(BACKBONE, "validate", folder=project)[0].splitlines() == [
        "backbone.yaml: valid in dev: 2 services in 3 accounts",
        "backbone.yaml: valid in prod: 2 services in 3 accounts",
    ]
    file = project / "backbone.yaml"
    file.write_text(file.read_text().replace("max_attempts: 100", "max_attempts: 1000"))
    errors = run(BACKBONE, "validate", folder=project, status=2)[1]
    assert "environments.prod.retry.max_attempts: got 1000; allowed: 0 to 185" in errors
    assert run(BACKBONE, "validate", "--env", "dev", folder=project, status=2)[1] == errors
    got = json.loads(run(BACKBONE, "validate", "--json", folder=project, status=2)[0])
    assert [problem["key"] for problem in got["errors"]] == ["environments.prod.retry.max_attempts"]


def test_commands_work_on_the_environment_that_is_named(project: Path) -> None:
    for command in ("synth", "check"):
        assert "say which is meant, as in --env dev" in run(BACKBONE, command, folder=project, status=2)[1]
        errors = run(BACKBONE, command, "--env", "prd", folder=project, status=2)[1]
        assert "got the environment 'prd'; allowed: dev, prod (did you mean 'prod'?)" in errors
    run(BACKBONE, "synth", "--env", "dev", folder=project)
    assert sorted(path.name for path in project.glob("cdktf*")) == ["cdktf.dev.out"]
    assert "0 errors" in run(BACKBONE, "check", "--env", "dev", folder=project)[0]
    assert "cdktf.prod.out" in run(BACKBONE, "check", "--env", "prod", "--no-synth", folder=project, status=2)[1]
    event = json.dumps({"source": "order-service", "detail-type": "Order.Created", "detail": {}})
    (project / "event.json").write_text(event)
    matched = run(BACKBONE, "match", "--json", "--event", "event.json", BACKBONE_ENV="dev", folder=project)[0]
    assert "shop-dev-forward-delivery-service" in matched


def test_a_change_of_the_environments_own_file_is_seen(project: Path) -> None:
    run(BACKBONE, "synth", "--env", "dev", folder=project)
    (project / "backbone.dev.yaml").write_text("bus: {archive_days: 3}\n")
    assert "backbone.dev.yaml (added)" in run(BACKBONE, "check", "--env", "dev", folder=project)[1]
    stack = json.loads((project / "cdktf.dev.out" / "stacks" / "backbone" / "cdk.tf.json").read_text())
    (archive,) = stack["resource"]["aws_cloudwatch_event_archive"].values()
    assert archive["retention_days"] == 3
    (project / "backbone.dev.yaml").write_text("bus: {archive_days: 4}\n")
    assert (
        "backbone.dev.yaml (changed)"
        in run(BACKBONE, "check", "--env", "dev", "--no-synth", folder=project, status=2)[1]
    )
