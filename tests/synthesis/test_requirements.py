"""Packages that a module needs: locked by uv, packed by synth, run by the simulator. The wheels are made here."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbone import locked, manifest
from backbone.development.lock import LockCommandError, lock
from backbone.simulator import Simulator, SimulatorError
from backbone.synthesis import output, package
from backbone.synthesis.requirements import LockError
from backbone.topology import load

TEXT = """
name: t
region: eu-west-1
accounts: {bus: {id: "111111111111"}, a: {id: "222222222222"}}
bus: {account: bus}
services:
  a: {account: a, publishes: [T], subscribes: [T], module: needing.made}
  b: {account: bus, publishes: [T]}
"""
SERVICE = """
def build(service):
    function = service.function("f", handler="needing.made.handlers.handle")
    service.grant_publish(function, "T")
    service.subscribe("t", "T", to=function)
"""
HANDLER = """
import importlib.metadata, greeting, greeting.native
def handle(event, context):
    print(greeting.text(), greeting.native.where, importlib.metadata.version("greeting"))
"""
FILES = {
    "__init__.py": "",
    "service.py": SERVICE,
    "handlers.py": HANDLER,
    "requirements.txt": "greeting\n",
}


def wheel(folder: Path, name: str, version: str, tag: str, files: dict[str, str], needs: tuple[str, ...] = ()) -> None:
    """Write a wheel into an index."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {one}" for one in needs)]
    files = {
        **files,
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.writerow([path, f"sha256={digest}", len(text.encode())])
    rows.writerow([f"{info}/RECORD", "", ""])
    file = folder / name / f"{name}-{version}-{tag}.whl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record.getvalue()}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    links = [
        f'<a href="{one.name}#sha256={hashlib.sha256(one.read_bytes()).hexdigest()}">{one.name}</a>'
        for one in sorted(file.parent.glob("*.whl"))
    ]
    (file.parent / "index.html").write_text("\n".join(links))


def greeting(folder: Path, version: str, text: str) -> None:
    """A package that has a wheel for Lambda and another for every other machine, and needs a second package."""
    for tag, where in (("py3-none-any", "here"), ("cp313-cp313-manylinux_2_28_aarch64", "Lambda")):
        files = {"greeting/__init__.py": f"from words import hello\ndef text(): return hello + {text!r}"}
        wheel(folder, "greeting", version, tag, {**files, "greeting/native.py": f"where = {where!r}"}, ("words",))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a module that needs a package, and an index with nothing but that."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    greeting(wheels, "1.0", "!")
    wheel(wheels, "words", "3", "py3-none-any", {"words.py": "hello = 'hello'"})
    folder = tmp_path / "project"
    made = folder / "needing" / "made"
    made.mkdir(parents=True)
    (made.parent / "__init__.py").write_text("")
    for name, text in FILES.items():
        (made / name).write_text(text)
    (folder / "backbone.yaml").write_text(TEXT)
    monkeypatch.setenv("UV_DEFAULT_INDEX", wheels.as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder
    for name in [one for one in sys.modules if one.partition(".")[0] == "needing"]:
        del sys.modules[name]


def module(project: Path) -> Path:
    return project / "needing" / "made"


def synthesized(project: Path) -> bytes:
    output.synth(load(project / "backbone.yaml"), project / "cdktf.out")
    return (project / "cdktf.out" / "stacks" / "backbone" / "assets" / "a.zip").read_bytes()


def run(project: Path) -> str:
    bus = "arn:aws:events:eu-west-1:111111111111:event-bus/t-global"
    with Simulator.load(project / "cdktf.out") as simulator:
        entry = {"Source": "b", "DetailType": "T", "Detail": "{}", "EventBusName": bus}
        simulator.put_events([entry], caller="b")
        (invoked,) = simulator.run_until_idle().of("invoked")
        return str(invoked.data["printed"])


def test_what_is_locked_ships_for_lambda_and_runs_here(project: Path) -> None:
    written = lock(module(project), project)
    text = written.read_text()
    assert written == module(project) / "requirements.lock"
    assert re.findall(r"^(\S+==\S+)", text, re.MULTILINE) == ["greeting==1.0", "words==3"]
    assert text.count("--hash=sha256:") == 3
    assert str(project) not in text
    assert "wheels" not in text
    archive = zipfile.ZipFile(io.BytesIO(synthesized(project)))
    assert [one for one in archive.namelist() if not one.startswith("backbone/")] == [
        "greeting-1.0.dist-info/METADATA",
        "greeting-1.0.dist-info/WHEEL",
        "greeting-1.0.dist-info/entry_points.txt",
        "greeting/__init__.py",
        "greeting/native.py",
        "needing/__init__.py",
        "needing/made/__init__.py",
        "needing/made/handlers.py",
        "words-3.dist-info/METADATA",
        "words-3.dist-info/WHEEL",
        "words-3.dist-info/entry_points.txt",
        "words.py",
    ]
    assert archive.read("greeting/native.py") == b"where = 'Lambda'"
    assert run(project) == "hello! here 1.0\n"


def test_the_same_lock_gives_the_same_bytes_elsewhere(project: Path, tmp_path: Path) -> None:
    lock(module(project), project)
    before = synthesized(project)
    shutil.rmtree(project / ".backbone")
    greeting(tmp_path / "wheels", "2.0", "!!")
    text = (module(project) / "requirements.lock").read_text()
    lock(module(project), project)
    assert (module(project) / "requirements.lock").read_text() == text
    shutil.rmtree(project / "cdktf.out")
    assert synthesized(project) == before


def test_versions_stay_until_newer_ones_are_asked_for(project: Path, tmp_path: Path) -> None:
    file = lock(module(project), project)
    greeting(tmp_path / "wheels", "2.0", "!!")
    (module(project) / "requirements.txt").write_text("words\ngreeting\n")
    assert "greeting==1.0" in lock(module(project), project).read_text()
    assert "greeting==2.0" in lock(module(project), project, upgrade=True).read_text()
    synthesized(project)
    assert run(project) == "hello!! here 2.0\n"
    known = manifest.read(project / "cdktf.out").services["a"].packages
    assert known == locked.key(file.read_bytes())


def test_a_wheel_that_is_not_the_locked_one_is_refused(project: Path, tmp_path: Path) -> None:
    lock(module(project), project)
    shutil.rmtree(project / ".backbone")
    greeting(tmp_path / "wheels", "1.0", "?")
    with pytest.raises(LockCommandError, match=r"(?s)uv cannot do it:.*greeting"):
        lock(module(project), project)
    assert not list((project / ".backbone").rglob("*.py"))


def test_what_uv_says_is_told(project: Path) -> None:
    (module(project) / "requirements.txt").write_text("greeting>=7\n")
    with pytest.raises(LockCommandError, match=r"(?s)uv cannot do it:.*greeting"):
        lock(module(project), project)
    assert not (module(project) / "requirements.lock").exists()


def test_without_uv(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LockCommandError, match="needs uv, which is not installed; pip install"):
        lock(module(project), project)


def test_synth_asks_for_the_lock(project: Path) -> None:
    place = "services.a.module: made/requirements.txt"
    mend = "run `backbone lock a`"
    with pytest.raises(LockError, match=f"{place} has no requirements.lock beside it; {mend}"):
        synthesized(project)
    lock(module(project), project)
    (module(project) / "requirements.txt").write_text("words\n")
    with pytest.raises(LockError, match=f"{place} changed since requirements.lock was written; {mend}"):
        synthesized(project)
    lock(module(project), project)
    shutil.rmtree(project / ".backbone")
    with pytest.raises(LockError, match=f"{place}: the packages that requirements.lock names are not in .*; {mend}"):
        synthesized(project)


def test_the_simulator_asks_for_this_machines_packages(project: Path) -> None:
    key = locked.key(lock(module(project), project).read_bytes())
    synthesized(project)
    shutil.rmtree(locked.host_folder(project, key))
    with pytest.raises(
        SimulatorError, match=r"aws_lambda_function\S+: the packages .* are not there .*; run `backbone lock`"
    ):
        run(project)


def test_a_package_with_a_file_of_the_modules(project: Path, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "other", "1", "py3-none-any", {"needing/__init__.py": ""})
    (module(project) / "requirements.txt").write_text("other\n")
    lock(module(project), project)
    with pytest.raises(package.PackageError, match=r"needing/__init__\.py is a file of the code and of a package"):
        synthesized(project)


def test_code_that_is_too_large(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(module(project), project)
    monkeypatch.setattr(package, "CODE_ZIPPED_BYTES", 100)
    with pytest.raises(package.PackageError, match=r"the code has 0\.1 MB; allowed: 0 MB in a zip \(the largest: "):
        synthesized(project)


def command(project: Path, *arguments: str, status: int = 0) -> str:
    words = [sys.executable, "-m", "backbone.cli", "lock", *arguments]
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_the_command(project: Path) -> None:
    assert command(project) == f"{module(project)}/requirements.lock\n"
    assert command(project, "a", "--upgrade") == f"{module(project)}/requirements.lock\n"
    assert command(project, "b", status=2) == "error: lock: got 'b'; allowed: a service with a module: a\n"
    (module(project) / "requirements.txt").unlink()
    assert command(project) == ""
    words = f"error: lock: a has no requirements.txt in {module(project)}; name its packages there\n"
    assert command(project, "a", status=2) == words


def test_a_change_of_the_lock_is_a_change_of_the_sources(project: Path) -> None:
    lock(module(project), project)
    synthesized(project)
    known = manifest.read(project / "cdktf.out")
    assert "needing/made/requirements.lock" in known.sources
    (module(project) / "requirements.lock").write_text("")
    assert [str(one) for one in manifest.stale(known, project)] == ["needing/made/requirements.lock (changed)"]
    assert json.loads((project / "cdktf.out" / "backbone.json").read_text())["services"]["a"]["packages"]


@pytest.mark.e2e
def test_packages_of_the_public_index(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    (module(project) / "requirements.txt").write_text("iniconfig\nmarkupsafe\n")
    (module(project) / "handlers.py").write_text(
        "import iniconfig, markupsafe._speedups\ndef handle(event, context): print(markupsafe.escape('<'))"
    )
    lock(module(project), project)
    names = zipfile.ZipFile(io.BytesIO(synthesized(project))).namelist()
    assert "iniconfig/__init__.py" in names
    assert "markupsafe/_speedups.cpython-313-aarch64-linux-gnu.so" in names
    assert run(project) == "&lt;\n"
