"""Shells complete commands, options and what the file declares."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run

PROJECT = """
name: shop
region: eu-west-1
accounts: {bus: {}, order: {}}
bus: {account: bus}
services: {order-service: {account: order}, other: {account: order}}
include: [teams/*.yaml]
environments:
  dev: {accounts: {bus: {id: "111111111111"}, order: {id: "222222222222"}}}
  prod: {accounts: {bus: {id: "333333333333"}, order: {id: "444444444444"}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "backbone.yaml").write_text(PROJECT)
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "invoice.yaml").write_text("services: {invoice: {account: order}}\n")
    return tmp_path


CASES = [
    ("backbone sch", ["schema", "schemas"]),
    ("backbone deploy-", ["deploy-order"]),
    ("backbone synth --o", ["--output"]),
    ("backbone check --env ", ["dev", "prod"]),
    ("backbone synth --env p", ["prod"]),
    ("backbone lock o", ["order-service", "other"]),
    ("backbone handover ", ["invoice", "order-service", "other"]),
    ("backbone schemas --for i", ["invoice"]),
    ("backbone key-policy ", ["bus", "order"]),
    ("backbone new-service x --account o", ["order"]),
    ("backbone init --ci ", ["github", "gitlab", "none"]),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_each_shell_is_told_the_same(project: Path, line: str, expected: list[str]) -> None:
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    bash = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    out, _ = run(BACKBONE, folder=project, status=0, _BACKBONE_COMPLETE="complete_bash", **bash)
    assert sorted(out.split()) == expected
    out, _ = run(BACKBONE, folder=project, status=0, _BACKBONE_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=line)
    assert [word for word in expected if f'"{word}"' not in out] == []
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": line}
    out, _ = run(BACKBONE, folder=project, status=0, _BACKBONE_COMPLETE="complete_fish", **fish)
    assert sorted(found.split("\t")[0] for found in out.splitlines()) == expected


@pytest.mark.parametrize("text", [None, "services: [", "services: 5\nenvironments: x\n", "\0", "include: 5\n"])
def test_a_file_that_cannot_be_read_completes_nothing_and_says_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "backbone.yaml").write_text(text)
    for words in ("backbone lock ", "backbone check --env "):
        variables = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        assert run(BACKBONE, folder=tmp_path, status=0, _BACKBONE_COMPLETE="complete_bash", **variables) == ("\n", "")


def test_bash_itself_completes(project: Path) -> None:
    """The script that `--show-completion` prints in a bash, in that bash."""
    ask = 'COMP_WORDS=(backbone check --env d) COMP_CWORD=3; _backbone_completion backbone; echo "${COMPREPLY[@]}"'
    script = f'eval "$(backbone --show-completion)"; {ask}'
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("dev\n", "")
