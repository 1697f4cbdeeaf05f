"""`backbone diff`: two states of a project, or two of its environments, without touching it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run

FILE = """\
name: shop
region: eu-west-1
accounts:
  bus: {id: "111111111111"}
  order: {id: "222222222222"}
bus: {account: bus}
services:
  order: {account: order, publishes: [Order.Created]}
  audit: {account: bus, subscribes: [Order.Created]}
"""
NEW = FILE.replace("subscribes: [Order.Created]", "subscribes: []")
STOPS = "audit stops receiving Order.Created from order"
STARTS = "audit starts receiving Order.Created from order"


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main")
    command = ["git", *settings, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def everything(folder: Path) -> dict[str, bytes]:
    """The files of a project, those of git's own folder among them."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of a repository, with a change that is not committed."""
    folder = tmp_path / "repository" / "deep"
    folder.mkdir(parents=True)
    (folder / "backbone.yaml").write_text(FILE)
    (folder / ".gitattributes").write_text("backbone.yaml export-ignore\n")
    git(folder.parent, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    (folder / "backbone.yaml").write_text(NEW)
    return folder


def test_what_is_not_committed_yet_and_nothing_is_touched(project: Path) -> None:
    git(project, "status")
    before = everything(project.parent)
    text, _ = run(BACKBONE, "diff", folder=project)
    assert text == f"from HEAD to the files here:\naudit:\n  {STOPS}\n"
    assert everything(project.parent) == before


def test_a_project_with_modules_of_the_tools_name(project: Path) -> None:
    (project / "backbone").mkdir()
    (project / "backbone" / "__init__.py").write_text("raise SystemExit(5)\n")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "two")
    (project / "backbone.yaml").write_text(FILE)
    assert run(BACKBONE, "diff", folder=project)[0] == f"from HEAD to the files here:\naudit:\n  {STARTS}\n"


def test_json_and_the_exit_status_of_a_difference(project: Path) -> None:
    found = json.loads(run(BACKBONE, "diff", "--json", "--exit-code", folder=project, status=1)[0])
    assert found == {
        "before": "HEAD",
        "after": "the files here",
        "counts": {},
        "services": {"audit": [STOPS]},
        "changes": [],
    }
    (project / "backbone.yaml").write_text(FILE)
    text, _ = run(BACKBONE, "diff", "--exit-code", folder=project)
    assert text == "from HEAD to the files here: nothing differs\n"


def test_resources_are_in_a_table(project: Path) -> None:
    (project / "backbone.yaml").write_text(FILE.replace("bus: {account: bus}", "bus: {account: bus, archive_days: 1}"))
    text, _ = run(BACKBONE, "diff", folder=project, COLUMNS="120")
    assert "global bus:\n  updates 1\n" in text
    (row,) = [line for line in text.splitlines() if "aws_cloudwatch_event_archive" in line]
    assert [cell.strip() for cell in row.split("│")][1:3] == ["backbone", "updates"]
    assert "retention_days" in row


def test_other_commits_also_from_within_a_hook(project: Path) -> None:
    git(project, "tag", "v1")
    git(project, "commit", "-qam", "two")
    text, _ = run(BACKBONE, "diff", "--against", "v1", folder=project)
    assert text == f"from v1 to the files here:\naudit:\n  {STOPS}\n"
    git(project, "config", "core.hooksPath", "hooks")
    hook = project.parent / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ncd deep && exec {BACKBONE} diff > ../said\n")
    hook.chmod(0o755)
    (project / "backbone.yaml").write_text(FILE)
    git(project, "commit", "-qam", "three")
    assert (project.parent / "said").read_text() == f"from HEAD to the files here:\naudit:\n  {STARTS}\n"


def test_folders(project: Path, tmp_path: Path) -> None:
    other, stacks = tmp_path / "other", tmp_path / "stacks"
    other.mkdir()
    (other / "backbone.yaml").write_text(FILE)
    run(BACKBONE, "synth", "-o", str(stacks), folder=other)
    shutil.rmtree(project.parent / ".git")
    for folder in (other, stacks):
        text, _ = run(BACKBONE, "diff", "--against", str(folder), folder=project, COLUMNS="500")
        assert text == f"from {folder} to the files here:\naudit:\n  {STOPS}\n"
    assert sorted(path.name for path in other.iterdir()) == ["backbone.yaml"]


def test_two_environments(project: Path) -> None:
    said = "environments: {dev: {name: shop-dev}, prod: {bus: {archive_days: 90}}}\n"
    (project / "backbone.yaml").write_text(f"{FILE}{said}")
    text, _ = run(BACKBONE, "diff", "--env", "dev", "--env", "prod", folder=project)
    assert text.startswith("from dev to prod:\nglobal bus:\n  updates 1\n┏")
    git(project, "commit", "-qam", "environments")
    (project / "backbone.yaml").write_text(f"{NEW}{said}")
    expected = f"from HEAD to the files here:\naudit:\n  {STOPS}\n"
    assert run(BACKBONE, "diff", "--env", "dev", folder=project)[0] == expected
    assert run(BACKBONE, "diff", folder=project, BACKBONE_ENV="prod")[0] == expected


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (
            ["--against", "nothing"],
            2,
            "--against: got 'nothing', which is neither a folder nor a commit that git knows",
        ),
        (["--against", "-x"], 2, "--against: got '-x', which is neither a folder nor a commit that git knows"),
        (["--against", "HEAD:deep"], 2, "which is neither a folder nor a commit"),
        (["--against", ".."], 2, "--against: .. has neither backbone.yaml nor synthesized stacks"),
        (["--env", "prod"], 2, "environments: got the environment 'prod'; allowed: none"),
        (["--env", "a", "--env", "b", "--env", "c"], 2, "--env: got 3 environments; allowed: two environments, or at"),
        (["--env", "a", "--env", "b", "--against", "HEAD"], 2, "--env: got 2 environments and --against"),
        (["none.yaml"], 2, "none.yaml: there is no such file"),
    ],
)
def test_what_cannot_be_compared(project: Path, arguments: list[str], status: int, error: str) -> None:
    text, errors = run(BACKBONE, "diff", *arguments, folder=project, status=status)
    assert (text, error in errors) == ("", True), errors


def test_a_file_that_is_wrong_on_either_side(project: Path) -> None:
    (project / "backbone.yaml").write_text(FILE.replace("region", "regon"))
    _, errors = run(BACKBONE, "diff", folder=project, status=2)
    assert "error: backbone.yaml:2: regon: no such key" in errors
    git(project, "commit", "-qam", "wrong")
    (project / "backbone.yaml").write_text(FILE)
    _, errors = run(BACKBONE, "diff", folder=project, status=2)
    assert "error: HEAD: backbone.yaml:2: regon: no such key" in errors


def test_a_file_that_is_not_committed(project: Path) -> None:
    (project / "backbone.yaml").rename(project / "shop.yaml")
    _, errors = run(BACKBONE, "diff", "shop.yaml", folder=project, status=2)
    assert "error: --against: there is no shop.yaml at HEAD; commit it first, or name another commit" in errors


def test_without_a_repository_and_without_git(project: Path) -> None:
    _, errors = run(BACKBONE, "diff", folder=project, status=3, PATH="/nowhere")
    assert "error: --against: git is not installed; install it, or name a folder to compare with" in errors
    shutil.rmtree(project.parent / ".git")
    _, errors = run(BACKBONE, "diff", folder=project, status=2)
    assert "is in no git repository" in errors
    git(project, "init", "-q")
    _, errors = run(BACKBONE, "diff", folder=project, status=2)
    assert "got 'HEAD', which is neither a folder nor a commit that git knows" in errors
