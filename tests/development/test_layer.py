"""The layer of `backbone layer`: what is in it, that its bytes repeat, and that nothing is fetched unasked."""

from __future__ import annotations

import io
import json
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backbone import locked
from backbone.development import layer as layers
from backbone.development import lock
from backbone.development.layer import LayerError, layer
from backbone.development.lock import LockCommandError
from backbone.packages import RUNTIME, installed
from backbone.sources import runtime_files
from backbone.synthesis import package
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT

LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with packages for the layer, as if they had been fetched."""
    folder = locked.lambda_folder(tmp_path, locked.key(layers.LOCK.read_bytes()))
    for path, text in {
        "words/__init__.py": "",
        "words/native.so": "binary",
        "words/__pycache__/native.pyc": "left out",
        "words-1.dist-info/METADATA": "Name: words",
        "words-1.dist-info/RECORD": "left out",
        "bin/words": "left out",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return tmp_path


def test_what_is_in_it(project: Path) -> None:
    content = layer(project, architecture="arm64", may_fetch=False)
    archive = zipfile.ZipFile(io.BytesIO(content))
    packages = ["words-1.dist-info/METADATA", "words/__init__.py", "words/native.so"]
    expected = ["backbone/__init__.py", *runtime_files(), *packages]
    assert archive.namelist() == sorted(f"python/{path}" for path in expected)
    assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_the_same_bytes_at_another_time_and_place(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (project / ".backbone").rename(other / ".backbone")
    first = layer(other, architecture="arm64", may_fetch=False)
    for file in sorted(other.rglob("*"), reverse=True):
        if file.is_file():
            text = file.read_text()
            file.unlink()
            file.write_text(text)
    assert layer(other, architecture="arm64", may_fetch=False) == first


def test_nothing_is_fetched_unasked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_uv", lambda *_: pytest.fail("uv was called"))
    layer(project, architecture="arm64", may_fetch=True)  # they are there already
    with pytest.raises(
        LayerError, match=r"packages of the layer are not in .*/lambda-x86_64; fetch them: backbone layer"
    ):
        layer(project, architecture="x86_64", may_fetch=False)


@pytest.mark.parametrize(("architecture", "platform"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_what_is_fetched_is_for_lambda(
    architecture: str, platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(lock, "_uv", lambda *words: calls.append(" ".join(words)))
    layer(tmp_path, architecture=architecture, may_fetch=True)
    (call,) = calls
    assert f"--no-deps --python-platform {platform}-manylinux_2_34 --python-version 3.13 --require-hashes" in call
    assert call.endswith(f"--requirements {layers.LOCK}")


def test_without_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_find_uv", lambda: "false")
    with pytest.raises(LockCommandError):
        layer(tmp_path, architecture="arm64", may_fetch=True)
    assert not list(tmp_path.rglob("lambda"))


def test_a_layer_that_is_too_large(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "CODE_ZIPPED_BYTES", 100)
    words = r"allowed: 0 MB in a zip \(the largest: backbone .*\); leave the packages to other layers"
    with pytest.raises(package.PackageError, match=words):
        layer(project, architecture="arm64", may_fetch=False)


def test_the_locked_versions_are_those_that_are_tested_here() -> None:
    tested = dict(LOCKED.findall((ROOT / "requirements.lock").read_text()))
    pinned = dict(LOCKED.findall(layers.LOCK.read_text()))
    assert {"aws-lambda-powertools", "pydantic", "pydantic-core"} <= pinned.keys()
    assert {name: tested[name] for name in pinned} == pinned


def test_what_the_runtime_needs_is_locked_but_for_what_lambda_has() -> None:
    (asked,) = layers.LOCK.with_suffix(".txt").read_text().splitlines()
    assert asked in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pinned = {name for name, _ in LOCKED.findall(layers.LOCK.read_text())}
    needed, lambda_has = (names(requirements) for requirements in ((asked,), RUNTIME))
    assert needed - lambda_has == pinned
    assert not pinned & lambda_has
    assert canonicalize_name(Requirement(asked).name) in pinned


def names(requirements: tuple[str, ...]) -> set[str]:
    """The packages that requirements bring along."""
    return {canonicalize_name(Path(each).name.partition("-")[0]) for each in installed(requirements).metadata}


def test_the_command(project: Path) -> None:
    output, errors = run(BACKBONE, "layer", folder=project)
    assert re.fullmatch(r"event-backbone-arm64\.zip: 0\.\d MB, SHA-256 \S{44}\n", output)
    assert "--layer-name event-backbone-python313-arm64 --zip-file fileb://event-backbone-arm64.zip" in errors
    found = json.loads(run(BACKBONE, "layer", "-o", "made/it.zip", "--json", folder=project)[0])
    assert found["file"] == "made/it.zip"
    assert found["bytes"] == (project / "made" / "it.zip").stat().st_size
    assert (project / "made" / "it.zip").read_bytes() == (project / "event-backbone-arm64.zip").read_bytes()
    _, errors = run(BACKBONE, "layer", "--architecture", "x86_64", folder=project, status=2)
    assert errors.endswith("fetch them: backbone layer --fetch\n")


@pytest.mark.e2e
def test_the_layer_of_the_public_index(tmp_path: Path) -> None:
    """What Lambda has itself is not in it, and what is native is for Lambda."""
    content = layer(tmp_path, architecture="x86_64", may_fetch=True)
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "opt")
    found = {file.name for file in (tmp_path / "opt" / "python").iterdir()}
    assert {"backbone", "aws_lambda_powertools", "pydantic", "pydantic_core"} <= found
    assert not found & {"boto3", "botocore", "bin"}
    native = [file.name for file in (tmp_path / "opt").rglob("_pydantic_core*.so")]
    assert native == ["_pydantic_core.cpython-313-x86_64-linux-gnu.so"]
