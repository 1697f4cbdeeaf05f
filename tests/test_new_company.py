"""The walk of a new company: the built wheel in environments of its own, an empty folder, nothing of this project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from backbone.version import __version__
from tests.conftest import ROOT

TOOLS = ("mypy", "pytest", "ruff")
OURS = ("BACKBONE_", "CDKTF_", "COLUMNS", "PYTEST_", "PYTHON", "VIRTUAL_ENV")

Run = Callable[..., str]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The variables of a machine that knows nothing of this repository, except for the versions that are locked."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    return clean | {"UV_CONSTRAINT": str(ROOT / "requirements.lock")}


def run(*command: str | Path, folder: Path, environment: Mapping[str, str]) -> str:
    """What a command that succeeds prints."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = ("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    run(sys.executable, *build, folder=folder, environment=environment)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def company(wheel: Path, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Run:
    """Runs a command in the folder that `uvx … backbone init` made, with what its pyproject.toml names installed."""
    folder = tmp_path_factory.mktemp("company")
    uv, installed = Path(sys.executable).with_name("uv"), folder / ".venv"
    run(uv, "tool", "run", "--from", wheel, "backbone", "init", "--yes", folder=folder, environment=environment)
    assert f"event-backbone[synth]=={__version__}" in (folder / "pyproject.toml").read_text()
    run(uv, "venv", "-q", "--python", sys.executable, installed, folder=folder, environment=environment)
    install = (uv, "pip", "install", "-q", "--python", installed / "bin" / "python", f"{wheel}[synth]", *TOOLS)
    run(*install, folder=folder, environment=environment)
    path = {"PATH": f"{installed / 'bin'}{os.pathsep}{environment['PATH']}"}
    return lambda *command: run(*command, folder=folder, environment=environment | path)


def works(company: Run, *, tests: int) -> None:
    """The project as it is now: synthesized without a finding, tested, in good style, and typed."""
    company("backbone", "synth")
    assert company("backbone", "check", "--no-synth") == "0 errors, 0 warnings, 0 notes\n"
    assert company("pytest", "-q").splitlines()[-1].startswith(f"{tests} passed")
    company("ruff", "check")
    company("ruff", "format", "--check")
    assert company("mypy", "--strict").startswith("Success")


def test_an_empty_folder_becomes_a_tested_backbone_that_grows(company: Run) -> None:
    where = company("python", "-c", "import backbone; print(backbone.__file__)")
    assert str(ROOT) not in where
    works(company, tests=3)
    company("python", "main.py")  # as `cdktf synth` runs it
    company("backbone", "new-service", "invoice-service", "--account", "invoice", "--account-id", "444444444444")
    events = ("--subscribes", "Order.Created", "--publishes", "Parcel.Sent", "--publishes", "Parcel.Lost")
    company("backbone", "new-service", "parcels", "--account", "order", *events)
    works(company, tests=5)
    company("backbone", "schemas")
    assert company("backbone", "schemas", "--check") == "5 schemas match their models\n"
    works(company, tests=5)


def test_strict_mypy_knows_the_types_of_all_that_a_project_uses(company: Run) -> None:
    code = (
        "from backbone import Fault, Pattern, Simulator, Topology, Trace, load, synth",
        "from backbone.runtime import Consumer, EventData, Outbox, Received, answer, client, lambda_handler, logger",
        "def test_it(backbone_sim: Simulator) -> None:",
        *(f"    reveal_type({each})" for each in ("backbone_sim.run_until_idle()", "load", "answer", "Consumer().on")),
    )
    company("python", "-c", f"open('typed.py', 'w').write({chr(10).join(code)!r})")
    notes = [line for line in company("mypy", "--strict", "typed.py").splitlines() if "Revealed" in line]
    known = ("backbone.trace.Trace", "backbone.topology.models.Topology", "Response[", "backbone.runtime.envelope.")
    assert [word in note for word, note in zip(known, notes, strict=True)] == [True] * len(known), notes
