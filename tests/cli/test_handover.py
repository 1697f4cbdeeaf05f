"""`backbone handover`: what it prints and refuses; what it writes is tested in `tests/development`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example, and a service whose team deploys it."""
    text = (ROOT / "backbone.yaml").read_text()
    more = "  invoice-service: {account: order, publishes: [Invoice.Paid], subscribes: [Order.Created]}\n"
    (tmp_path / "backbone.yaml").write_text(text.replace("services:\n", f"services:\n{more}"))
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_it_lists_what_it_writes_and_replaces_it_with_force(project: Path) -> None:
    command = (BACKBONE, "handover", "invoice-service", "-o", "handed", "--models", "typescript", "--to", "queue")
    output, errors = run(*command, folder=project)
    assert all((project / name).is_file() for name in output.splitlines())
    assert {"handed/README.md", "handed/terraform/main.tf.json", "handed/events/events.ts"} <= {*output.splitlines()}
    assert errors == "next: give handed to the team; its README.md says how to use it\n"
    _, errors = run(*command, folder=project, status=2)
    assert errors == "error: handed/README.md: is there already; name another folder, or replace it with --force\n"
    again, _ = run(*command, "--force", "--json", folder=project)
    assert json.loads(again) == output.splitlines()


def test_a_service_that_is_none(project: Path) -> None:
    _, errors = run(BACKBONE, "handover", "nobody", "--output", "handed", folder=project, status=2)
    assert errors == "error: got the service 'nobody'; allowed: delivery-service, invoice-service, order-service\n"
    assert not (project / "handed").exists()
