"""What all commands have in common: JSON, colours, narrow terminals, pipes and exit statuses."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from backbone.cli import commands  # noqa: F401  (adds them)
from backbone.cli.app import app
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT

WITHOUT_JSON = {
    "bus-policy": "prints JSON in any case",
    "key-policy": "prints JSON in any case",
    "schema": "prints a JSON Schema",
    "up": "has no result: it serves until it is stopped",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, synthesized, with an event and a pattern."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "backbone.yaml", folder)
    shutil.copytree(ROOT / "services", folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
    event = {"Source": "order-service", "DetailType": "Order.Updated", "Detail": "{}"}
    (folder / "event.json").write_text(json.dumps([event]))
    (folder / "pattern.json").write_text('{"source": ["order-service"]}')
    run(BACKBONE, "synth", folder=folder)
    return folder


def test_every_command_that_has_a_result_prints_it_as_json() -> None:
    command = typer.main.get_command(app)
    without = {
        name
        for name, each in command.commands.items()  # type: ignore[attr-defined]
        if not any("--json" in parameter.opts for parameter in each.params)
    }
    assert without == WITHOUT_JSON.keys()


@pytest.mark.parametrize(
    "line",
    [
        "validate",
        "synth",
        "check",
        "deploy-order",
        "bootstrap --output boot --stacks cdktf.out",
        "ci github --output pipeline",
        "ci gitlab --output pipeline",
        "diff --against cdktf.out",
        "init new --yes",
        "key-policy order",
        "lock",
        "match -e event.json",
        "match -e event.json -p pattern.json",
        "move-layout --from deployed",
        "new-service invoice --account order",
        "schema",
        "schemas",
        "simulate -e event.json --as order-service",
    ],
)
def test_json_is_all_that_is_printed(project: Path, tmp_path: Path, line: str) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    name, *words = line.split()
    if name == "bootstrap":
        with (folder / "backbone.yaml").open("a") as file:
            file.write("deployment: {by: github, repository: acme/backbone}\n")
        run(BACKBONE, "synth", folder=folder)
    if name == "move-layout":
        (folder / "cdktf.out").rename(folder / "deployed")
        declared = (folder / "backbone.yaml").read_text()
        (folder / "backbone.yaml").write_text(declared.replace("layout: single", "layout: per-account"))
    if name not in WITHOUT_JSON:
        words.append("--json")
    output, _ = run(BACKBONE, name, *words, folder=folder, COLUMNS="40")
    assert json.loads(output) is not None


def on_terminal(folder: Path, *words: str, **environment: str) -> str:
    """What a command shows on a terminal."""
    terminal, end = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    with subprocess.Popen(
        [BACKBONE, *words], cwd=folder, stdout=end, stderr=end, env=clean | {"TERM": "xterm-256color"} | environment
    ):
        os.close(end)
        seen = b""
        while part := _read(terminal):
            seen += part
    os.close(terminal)
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other end is closed
        return b""


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


@pytest.mark.parametrize("words", [("validate", "none.yaml"), ("simulate", "-e", "event.json", "--as", "order")])
def test_colours_are_for_terminals_and_for_those_who_want_them(project: Path, words: tuple[str, ...]) -> None:
    assert COLOUR.search(on_terminal(project, *words)) is not None
    assert COLOUR.search(on_terminal(project, *words, NO_COLOR="1")) is None
    done = subprocess.run([BACKBONE, *words], cwd=project, capture_output=True, check=False)
    assert b"\x1b" not in done.stdout + done.stderr


TABLES = [("synth",), ("deploy-order",), ("match", "-e", "event.json")]


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_a_narrow_terminal_shows_every_value_in_one_piece(project: Path, words: tuple[str, ...]) -> None:
    narrow, _ = run(BACKBONE, *words, folder=project, COLUMNS="40")
    wide, _ = run(BACKBONE, *words, folder=project, COLUMNS="500")
    cells = {cell.strip() for line in wide.splitlines() for cell in re.split("[│┃]", line)[1:-1] if cell.strip()}
    assert len(cells) > 5
    assert [cell for cell in cells if cell not in narrow] == []
    assert not set("│┃─━") & set(narrow)


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_a_pipe_gets_lines_that_are_not_cut(project: Path, words: tuple[str, ...]) -> None:
    piped, _ = run(BACKBONE, *words, folder=project)
    assert piped == run(BACKBONE, *words, folder=project, COLUMNS="1000")[0]
    longest = max(len(cell.strip()) for line in piped.splitlines() for cell in re.split("[│┃]", line))
    assert longest > 20
    assert max(map(len, piped.splitlines())) < 200  # not a line of the log of a pipeline that nobody scrolls to the end


def test_a_pipe_that_is_closed_early_is_no_error(project: Path) -> None:
    line = f"set -o pipefail; {BACKBONE} synth | head -n 1; {BACKBONE} schema | head -n 1"
    done = subprocess.run(["bash", "-c", line], cwd=project, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 2


STATUSES = [
    (0, ("validate",), {}),
    (0, ("--help",), {}),
    (1, ("match", "-e", "event.json", "-p", "other.json"), {}),
    (1, ("simulate", "-e", "event.json", "--as", "delivery-service"), {}),
    (2, ("validate", "none.yaml"), {}),
    (2, ("validate", "--nonsense"), {}),
    (2, ("nonsense",), {}),
    (2, ("handover", "nobody", "-o", "x"), {}),
    (2, ("check", "--env", "prod"), {}),
    (3, ("synth", "-o", "event.json/x"), {}),
    (3, ("synth",), {"JSII_NODE": "none"}),
]


@pytest.mark.parametrize(("status", "words", "variables"), STATUSES)
def test_statuses_are_what_the_documentation_says(
    project: Path, status: int, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    (project / "other.json").write_text('{"source": ["other"]}')
    run(BACKBONE, *words, folder=project, status=status, **variables)


def test_all_statuses_are_tried() -> None:
    documented = re.findall(r"^\| (\d+) \| ", (ROOT / "docs" / "cli.md").read_text(), re.MULTILINE)
    assert {int(status) for status in documented} == {
        *(status for status, *_ in STATUSES),
        130,
    }  # 130: test_failures.py
