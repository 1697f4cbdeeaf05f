"""What the commands load: starting must stay quick."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {
    "aws_lambda_powertools",
    "backbone.cdk",
    "backbone.simulator",
    "backbone.topology",
    "boto3",
    "botocore",
    "cdktf",
    "jsii",
    "moto",
    "pydantic",
    "rich.table",
    "rich.tree",
    "yaml",
}


def loaded(program: str) -> tuple[set[str], float]:
    """The modules that a program has loaded at its end, and the seconds it took."""
    began = time.perf_counter()
    report = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {program}"
    done = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stderr.split()), time.perf_counter() - began


@pytest.mark.parametrize(
    ("program", "seconds"),
    [
        ("import backbone", 0.1),
        ("import backbone.cli.app", 0.3),
        ("sys.argv = ['backbone', '--help']; import backbone.cli; backbone.cli.main()", 0.3),
    ],
)
def test_a_start_is_quick(program: str, seconds: float) -> None:
    runs = [loaded(program) for _ in range(5)]
    assert runs[0][0] & HEAVY == set()
    assert min(time for _, time in runs) < seconds * 3  # a busy machine is given room; the modules are what counts


def test_the_program_of_cdktf_does_not_load_the_simulator(tmp_path: Path) -> None:
    program = f"import os; os.environ['CDKTF_OUTDIR'] = {str(tmp_path)!r}; import main"
    modules, _ = loaded(program)
    assert (tmp_path / "stacks" / "backbone" / "cdk.tf.json").exists()
    assert {name for name in modules if name.startswith(("backbone.simulator", "boto3", "moto"))} == set()
