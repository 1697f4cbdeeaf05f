"""What is no bug ends without a traceback and with a status of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"JSII_NODE": "none"}, "JSII_NODE: got 'none', which is not Node; allowed: the path of Node 22 or newer"),
        ({"JSII_NODE": "/bin/false"}, "JSII_NODE: got '/bin/false', which is not Node; allowed"),
        (
            {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": "/dev/null"},
            "Node cannot load the AWS bindings: Cannot use the jsii package",
        ),
        ({"TMPDIR": "/dev/null"}, "Node cannot load the AWS bindings: "),
    ],
)
def test_what_the_machine_lacks_is_status_3(project: Path, environment: dict[str, str], message: str) -> None:
    output, errors = run(BACKBONE, "synth", folder=project, status=3, **environment)
    assert output == ""
    assert errors.startswith(f"error: {message}")


def test_a_full_disk(project: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BACKBONE, "validate"], cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (3, "error: No space left on device\n")


def test_a_port_that_does_not_exist(project: Path) -> None:
    errors = run(BACKBONE, "up", "--port", "99999", folder=project, status=2)[1]
    assert "'--port'" in errors
    assert "65535" in errors


def test_a_call_that_aws_refuses_as_a_whole_is_status_1(project: Path) -> None:
    (project / "large.json").write_text(
        json.dumps({"source": "a", "detail-type": "T", "detail": {"text": "x" * 1024**2}}), encoding="utf-8"
    )
    run(BACKBONE, "synth", folder=project)
    errors = run(BACKBONE, "simulate", "--as", "order", "--event", "large.json", folder=project, status=1)[1]
    assert "Total size of the entries in the request is over the limit." in errors


def test_output_in_ascii(project: Path) -> None:
    (project / "event.json").write_text('{"source": "bücher"}')
    (project / "pattern.json").write_text('{"source": ["bücher"]}')
    command = (BACKBONE, "match", "-e", "event.json", "-p", "pattern.json")
    output, _ = run(*command, folder=project, PYTHONIOENCODING="ascii")
    assert output == 'matches\n  source: "b\\xfccher" satisfies "b\\xfccher"\n'


def test_what_users_wrote_is_printed_as_they_wrote_it(project: Path) -> None:
    name = "aws:x: :smile: [red]text[/red]"
    (project / "event.json").write_text(f'{{"source": "{name}"}}')
    (project / "pattern.json").write_text(f'{{"source": ["{name}"]}}')
    command = (BACKBONE, "match", "-e", "event.json", "-p", "pattern.json")
    assert run(*command, folder=project)[0] == f'matches\n  source: "{name}" satisfies "{name}"\n'
    errors = run(BACKBONE, "validate", f"{name}.yaml", folder=project, status=2)[1]
    assert errors.startswith(f"error: {name}.yaml: there is no such file")


@pytest.mark.parametrize("module", ["backbone.cli.app", "backbone.cli.development", "backbone.topology"])
def test_ctrl_c_while_modules_are_imported(project: Path, module: str) -> None:
    program = f"""
import sys
from importlib.abc import MetaPathFinder
class Interrupted(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
sys.argv = ["backbone", "validate"]
from backbone.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
