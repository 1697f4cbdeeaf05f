"""`backbone init` writes a project that works at once, or nothing."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from backbone.development.project import Draft, ProjectError, new_project
from backbone.errors import BackboneError, MachineError
from backbone.topology import json_schema, load
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT

TOOLS = Path(sys.executable).parent
SERVICES = ("order-service", "delivery-service")


def contents(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder: the bytes of files, nothing for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--service", "ping"), {"services": ["ping"], "accounts": {"bus": "111111111111", "ping": "222222222222"}}),
        (
            (
                *("--name", "acme", "--region", "us-gov-west-1", "--ci", "gitlab", "--account", "bus=444444444444"),
                *("--service", "a-service=shared", "--service", "b=shared", "--service", "type=bus"),
            ),
            {
                "name": "acme",
                "region": "us-gov-west-1",
                "services": ["a-service", "b", "type"],
                "accounts": {"bus": "444444444444", "shared": "111111111111"},
            },
        ),
        (
            ("--name", "123", "--ci", "none", "--service", "no", "--service", "a-b-c-service", "--service", "x-2"),
            {"name": "123", "services": ["no", "a-b-c-service", "x-2"]},
        ),
    ],
)
def test_what_it_writes_works_at_once(tmp_path: Path, options: tuple[str, ...], expected: dict[str, Any]) -> None:
    folder = tmp_path / "new"
    written = json.loads(run(BACKBONE, "init", "new", "--yes", "--json", *options, folder=tmp_path)[0])
    assert sorted(written) == sorted(f"new/{path}" for path, text in contents(folder).items() if text is not None)
    topology = load(folder / "backbone.yaml")
    found: dict[str, Any] = {"name": topology.name, "region": topology.region, "services": list(topology.services)}
    found["accounts"] = {name: account.id for name, account in topology.accounts.items()}
    assert found | expected == found
    assert topology.warnings == ()
    run(BACKBONE, "synth", folder=folder)
    assert run(BACKBONE, "check", "--no-synth", folder=folder)[0] == "0 errors, 0 warnings, 0 notes\n"
    tests = len(topology.services) + 1
    out, _ = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=folder, PYTHONPATH=str(ROOT))
    assert out.splitlines()[-1].startswith(f"{tests} passed")
    for check in (["check"], ["format", "--check"]):
        run(str(TOOLS / "ruff"), *check, "--no-cache", folder=folder)


def test_editors_get_the_schema_and_hosts_the_pipeline_of_the_commands(tmp_path: Path) -> None:
    run(BACKBONE, "init", "--yes", folder=tmp_path)
    assert (tmp_path / "backbone.yaml").read_text().startswith("# yaml-language-server: $schema=backbone.schema.json\n")
    schema = (tmp_path / "backbone.schema.json").read_text()
    assert schema == json_schema.text()
    Draft7Validator(json.loads(schema)).validate(yaml.safe_load((tmp_path / "backbone.yaml").read_text()))
    workflow = Path(".github") / "workflows" / "backbone.yml"
    run(BACKBONE, "ci", "github", "--output", "again", folder=tmp_path)
    assert (tmp_path / workflow).read_bytes() == (tmp_path / "again" / workflow).read_bytes()
    (hooks,) = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = hooks["hooks"]
    assert (hook["language"], hook["pass_filenames"]) == ("system", False)
    run(*hook["entry"].replace("backbone", BACKBONE, 1).split(), folder=tmp_path)


def draft(folder: Path) -> Draft:
    return Draft.of(folder, {}, SERVICES, "eu-west-1")


def test_no_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    files = [path.relative_to(tmp_path / "a") for path in new_project(tmp_path / "a", draft(tmp_path))]
    assert len(files) == 20
    for number, path in enumerate(files):
        folder = tmp_path / str(number)
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text("mine")
        (folder / "README.md").write_text("of the repository")
        before = contents(folder)
        with pytest.raises(ProjectError, match=f"{path}: already there, and nothing is replaced"):
            new_project(folder, draft(folder))
        assert contents(folder) == before
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "main.py").symlink_to("nowhere")
    with pytest.raises(ProjectError, match=r"main\.py: already there"):
        new_project(tmp_path / "link", draft(tmp_path))


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "tests").write_text("in the way of a folder")
    before = contents(tmp_path)
    for name in ("file", "half"):
        with pytest.raises((MachineError, ProjectError)):
            new_project(tmp_path / name, draft(tmp_path))
        assert contents(tmp_path) == before
    replace, steps = Path.replace, iter(range(100))

    def interrupted(self: Path, target: Path) -> Path:
        if next(steps) == 7:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        new_project(tmp_path / "new" / "project", draft(tmp_path))
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--name", "Shop!"), "name: got 'Shop!'; allowed: 1 to 20 of a-z 0-9 -"),
        (("--name", "shop: x\nregion: y"), "name: got 'shop: x"),
        (("--region", "eu-west-9x"), "region: got 'eu-west-9x'"),
        (("--account", "bus=1"), "accounts.bus.id: got '1'; allowed: 12 digits in quotes, but this has 1"),
        (("--account", "bus="), "accounts.bus.id: got ''"),
        (("--account", "bus"), "--account: got 'bus'; allowed: NAME=ID, as in bus=111111111111"),
        (("--account", "order=111111111111", "--account", "bus=111111111111"), "111111111111"),
        (("--account", "A B=111111111111"), "accounts.A B: got 'A B'; allowed: a lower-case letter"),
        (("--service", "class"), "class: its package would be 'class', a keyword of Python; choose another name"),
        (("--service", "Order"), "got the service 'Order'; allowed: a lower-case letter, then a-z 0-9 -"),
        (("--service", "a", "--service", "a-service"), "services: several would be in the package 'a'"),
        (("--service", "a", "--service", "a"), "services: got a twice"),
        (("--service", "a=B!"), "accounts.B!"),
        (("--service", ""), "got the service ''; allowed: a lower-case letter"),
        (("--service", "order service"), "got the service 'order service'; allowed: a lower-case letter"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    _, errors = run(BACKBONE, "init", "new", "--yes", *options, folder=tmp_path, status=2)
    assert message in errors
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["ACME Events", "___", "x" * 40, "über", "-a-", "a.b", "42"])
def test_any_folder_gives_a_name(tmp_path: Path, name: str) -> None:
    new_project(tmp_path / name, Draft.of(tmp_path / name, {}, SERVICES, "eu-west-1"))
    assert load(tmp_path / name / "backbone.yaml").name


def test_many_services_have_ids_of_their_own(tmp_path: Path) -> None:
    many = draft(tmp_path).with_services([f"s{number}" for number in range(30)])
    assert len(set(many.accounts.values())) == 31
    with pytest.raises(BackboneError, match="ci: got 'x'; allowed: github, gitlab, none"):
        many.checked_by("x")


def talk(folder: Path, answers: bytes, *, interrupt: bool = False) -> tuple[int, str]:
    """Run `backbone init` on a terminal; returns its exit status and what was to be seen."""
    terminal, end = pty.openpty()
    process = subprocess.Popen([BACKBONE, "init", "new"], cwd=folder, stdin=end, stdout=end, stderr=end, close_fds=True)
    os.close(end)
    os.write(terminal, answers)
    seen = b""
    for _ in range(120):
        if select.select([terminal], [], [], 0.5)[0]:
            if not (part := _read(terminal)):
                break
            seen += part
        elif interrupt and b"AWS region" in seen:  # it waits for an answer; a signal just before it waits would be late
            process.send_signal(signal.SIGINT)
    else:
        process.kill()
    os.close(terminal)
    return process.wait(timeout=60), seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_is_asked_again_until_the_answer_is_right(tmp_path: Path) -> None:
    answers = ["Shop!", "shop", "", "invoice class", "invoice parcels=invoice", "12", "444444444444", "", "svn", "none"]
    status, seen = talk(tmp_path, "".join(f"{answer}\n" for answer in answers).encode())
    assert status == 0, seen
    for words in (
        "Name of the backbone [new]",
        "name: got 'Shop!'",
        "a keyword of Python",
        "12 digits",
        "ci: got 'svn'",
    ):
        assert words in seen
    topology = load(tmp_path / "new" / "backbone.yaml")
    assert (topology.name, topology.region) == ("shop", "eu-west-1")
    assert {name: account.id for name, account in topology.accounts.items()} == {
        "bus": "444444444444",
        "invoice": "111111111111",
    }
    assert not (tmp_path / "new" / ".github").exists()


@pytest.mark.parametrize("interrupt", [False, True], ids=["ctrl-d", "ctrl-c"])
def test_a_talk_that_ends_early_writes_nothing(tmp_path: Path, interrupt: bool) -> None:
    status, seen = talk(tmp_path, b"shop\n" if interrupt else b"shop\n\x04", interrupt=interrupt)
    assert status == (130 if interrupt else 2), seen
    assert "Traceback" not in seen
    assert contents(tmp_path) == {}


def test_without_a_terminal_it_asks_for_yes(tmp_path: Path) -> None:
    _, errors = run(BACKBONE, "init", folder=tmp_path, status=2)
    assert "there is no terminal to ask on; give --yes" in errors
    assert contents(tmp_path) == {}
