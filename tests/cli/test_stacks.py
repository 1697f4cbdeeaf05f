"""Stacks that are older than their sources are synthesized anew, or refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT
from tests.deployment.bootstrapped import document

EVENT = '{"source": "order-service", "detail-type": "Order.Updated", "account": "222222222222", "detail": {}}'


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the example's file, services and stacks."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copy(ROOT / "backbone.yaml", folder)
    shutil.copytree(ROOT / "services", folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "event.json").write_text(EVENT)
    run(BACKBONE, "synth", folder=folder)
    return folder


@pytest.fixture
def project(fresh: Path, tmp_path: Path) -> Path:
    shutil.copytree(fresh, tmp_path / "project")
    return tmp_path / "project"


COMMANDS = (("match", "-e", "event.json"), ("check",), ("simulate", "-e", "event.json"))


@pytest.mark.parametrize("command", COMMANDS)
def test_stacks_of_the_sources_are_read_as_they_are(project: Path, command: tuple[str, ...]) -> None:
    before = (project / "cdktf.out" / "backbone.json").stat().st_mtime_ns
    _, errors = run(BACKBONE, *command, "--no-synth", folder=project)
    assert errors == ""
    assert (project / "cdktf.out" / "backbone.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("changed", ["backbone.yaml", "services/order/handlers.py"])
def test_a_change_is_synthesized_or_refused(project: Path, command: tuple[str, ...], changed: str) -> None:
    with (project / changed).open("a") as file:
        file.write("\n# changed\n")
    _, errors = run(BACKBONE, *command, "--no-synth", folder=project, status=2)
    words = f"cdktf.out: changed since the last synth: {changed} (changed)"
    assert errors == f"error: {words}; run `backbone synth`\n"
    _, errors = run(BACKBONE, *command, "--stacks", "cdktf.out", folder=project, status=2)
    assert words in errors
    _, errors = run(BACKBONE, *command, folder=project)
    assert errors.startswith(f"{words}; synthesizing anew\n")
    assert run(BACKBONE, *command, "--no-synth", folder=project)[1] == ""


def test_a_change_in_the_file_of_a_team_is_synthesized(project: Path) -> None:
    (project / "teams").mkdir()
    team, main = project / "teams" / "audit.yaml", project / "backbone.yaml"
    team.write_text("services:\n  audit: {account: order, subscribes: [Order.Created]}\n")
    main.write_text(f"{main.read_text()}include: [teams/*.yaml]\nowners: {{teams/*.yaml: [order]}}\n")
    run(BACKBONE, "synth", folder=project)
    team.write_text("services:\n  audit: {account: order, subscribes: [Delivery.Updated]}\n")
    (project / "teams" / "more.yaml").write_text("services:\n  more: {account: bus, subscribes: [Order.Created]}\n")
    _, errors = run(BACKBONE, "check", "--no-synth", folder=project, status=2)
    assert "changed since the last synth: teams/audit.yaml (changed), teams/more.yaml (added); run" in errors
    _, errors = run(BACKBONE, "check", folder=project, status=2)
    assert (
        "error: teams/more.yaml:2: services.more.account: got 'bus', which owners in backbone.yaml does not" in errors
    )
    (project / "teams" / "more.yaml").unlink()
    _, errors = run(BACKBONE, "check", folder=project)
    assert "teams/audit.yaml (changed); synthesizing anew\n" in errors


@pytest.mark.parametrize("command", [*COMMANDS, ("deploy-order",), ("bootstrap",)])
def test_what_was_never_synthesized_is_synthesized_or_refused(project: Path, command: tuple[str, ...]) -> None:
    if command == ("bootstrap",):
        (project / "backbone.yaml").write_text(yaml.safe_dump(document("single")))
    shutil.rmtree(project / "cdktf.out")
    refused = (*command, "--no-synth")
    assert "; run `backbone synth` first\n" in run(BACKBONE, *refused, folder=project, status=2)[1]
    _, errors = run(BACKBONE, *command, folder=project)
    assert errors.startswith("cdktf.out: no synthesized stacks there; synthesizing\n")
    assert run(BACKBONE, *refused, folder=project)[1] == ""


def test_the_fixture_reads_no_stale_stacks(project: Path) -> None:
    (project / "test_it.py").write_text("def test_it(backbone_sim):\n    assert backbone_sim.findings == []\n")
    handlers = project / "services" / "order" / "handlers.py"
    handlers.write_text(handlers.read_text() + "\n# changed\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    def tests() -> str:
        return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stdout

    (project / "pytest.ini").write_text("[pytest]\nbackbone_no_synth = true\n")
    assert "changed since the last synth: services/order/handlers.py (changed); run `backbone synth`" in tests()
    (project / "pytest.ini").write_text("[pytest]\n")
    assert "1 passed" in tests()
    (project / "pytest.ini").write_text("[pytest]\nbackbone_no_synth = true\n")
    assert "1 passed" in tests()
