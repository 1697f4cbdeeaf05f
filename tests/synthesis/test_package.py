"""The zip of a function's code depends on nothing but the code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from backbone import __version__
from backbone.sources import ModuleFiles, runtime_files
from backbone.synthesis.modules import ModuleError, load
from backbone.synthesis.package import package
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["order", "delivery"])
def test_what_ships(name: str) -> None:
    content = load("service", f"services.{name}", ROOT).code.content
    assert len(content) < 100 * 1024
    names = zipfile.ZipFile(BytesIO(content)).namelist()
    assert names == sorted(names)
    assert {"services/__init__.py", f"services/{name}/handlers.py", "backbone/runtime/publisher.py"} <= set(names)
    assert f"services/{name}/service.py" not in names
    assert not any("test" in one or "pycache" in one or "schemas" in one for one in names)
    other = {"order": "delivery", "delivery": "order"}[name]
    assert not any(one.startswith(f"services/{other}/") for one in names)


def test_the_same_bytes_in_another_place_later_and_after_use(tmp_path: Path) -> None:
    before = package(ModuleFiles(ROOT, ("services/order",)))
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    for number, file in enumerate((tmp_path / "services").rglob("*.py")):
        os.utime(file, (number, number))
        file.chmod(0o755)
        if number % 2:
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    subprocess.run(
        [sys.executable, "-c", "import services.order.handlers"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        check=True,
    )
    (tmp_path / "services" / "order" / "test_more.py").write_text("")
    after = package(ModuleFiles(tmp_path, ("services/order",)))
    assert after.content == before.content
    assert after.sources == before.sources
    assert after.source_code_hash == before.source_code_hash
    (tmp_path / "services" / "order" / "more.py").write_text("")
    assert package(ModuleFiles(tmp_path, after.folders)).source_code_hash != before.source_code_hash


def test_data_files_ship_as_they_are_and_tests_schemas_and_hidden_files_do_not(tmp_path: Path) -> None:
    files = {
        "a/__init__.py": b"",
        "a/b/__init__.py": b"one\r\n",
        "a/b/service.py": b"",
        "a/b/deep/service.py": b"ships",
        "a/b/templates/mail.txt": b"two\r\n",
        "a/b/model.bin": bytes(range(256)),
        "a/b/schemas/E.v1.json": b"{}",
        "a/b/deep/schemas/kept.json": b"{}",
        "a/b/tests/helper.py": b"",
        "a/b/test_b.py": b"",
        "a/b/conftest.py": b"",
        "a/b/.env": b"SECRET=1",
        "a/b/.cache/x.txt": b"",
        "a/b/__pycache__/b.cpython-313.pyc": b"",
        "a/b/old.pyc": b"",
        "a/other.py": b"",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    made = package(ModuleFiles(tmp_path, ("a/b",)))
    archive = zipfile.ZipFile(BytesIO(made.content))
    shipped = ["a/__init__.py", "a/b/__init__.py", "a/b/deep/schemas/kept.json", "a/b/deep/service.py"]
    shipped += ["a/b/model.bin", "a/b/templates/mail.txt"]
    assert [name for name in archive.namelist() if not name.startswith("backbone/")] == shipped
    assert archive.read("a/b/__init__.py") == b"one\n"
    assert archive.read("a/b/templates/mail.txt") == b"two\r\n"
    assert archive.read("a/b/model.bin") == bytes(range(256))
    assert sorted(made.sources) == sorted([*shipped, "a/b/service.py", *runtime_files()])


@pytest.mark.parametrize("module", ["services.order.handlers", "services.none", "none", "services"])
def test_a_module_that_is_none(module: str) -> None:
    message = f"services.s.module: got '{module}'; allowed: a package with a service.py"
    with pytest.raises(ModuleError, match=message):
        load("s", module, ROOT)


def test_a_folder_that_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "service.py").write_text("def build(service): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ModuleError, match=r"there is no unpacked/__init__\.py, without which it is no package: add one"
    ):
        load("s", "unpacked", tmp_path)


@pytest.mark.parametrize("name", ["order", "delivery"])
def test_a_zip_needs_nothing_else_of_the_backbone(name: str, tmp_path: Path) -> None:
    content = load("service", f"services.{name}", ROOT).code.content
    zipfile.ZipFile(BytesIO(content)).extractall(tmp_path)
    script = f"import backbone, services.{name}.handlers\nprint(backbone.__file__, backbone.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path / "backbone" / "__init__.py"), __version__]


def test_the_runtime_ships_from_wherever_it_is_installed(tmp_path: Path) -> None:
    """As after `pip install`: the package in another folder, compiled files beside the sources."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("backbone", "services"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    script = "import sys; from backbone.synthesis.modules import load; from pathlib import Path\n"
    script += "import backbone.runtime.consumer\n"
    script += "sys.stdout.buffer.write(load('s', 'services.order', Path()).code.content)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        check=True,
    )
    assert done.stdout == load("s", "services.order", ROOT).code.content
    assert (tmp_path / "backbone" / "runtime" / "__pycache__").exists()


@pytest.mark.parametrize("module", ["services.order.handlers", "services.delivery.handlers"])
def test_a_cold_start_does_not_load_boto3(module: str) -> None:
    script = f"import sys, {module}\nprint('boto3' in sys.modules, 'moto' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
