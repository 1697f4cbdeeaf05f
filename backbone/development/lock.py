"""The packages that a service's module needs: resolved once for all machines, and fetched for Lambda and for this one.

uv does both (decision 24). What it is configured with, such as an index of one's own, holds here too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from backbone import locked
from backbone.errors import BackboneError
from backbone.synthesis.requirements import HEADER, digest_of

__all__ = ["PLATFORMS", "LockCommandError", "fetch", "lock"]

OLDEST_PYTHON = "3.11"
"""The oldest Python that may run the simulator: versions are chosen for it and every later one."""

PLATFORMS = {
    "arm64": ("--python-platform", "aarch64-manylinux_2_34", "--python-version", "3.13"),
    "x86_64": ("--python-platform", "x86_64-manylinux_2_34", "--python-version", "3.13"),
}
"""What functions run on, by architecture, as uv says it: Python 3.13 on Amazon Linux 2023, which has glibc 2.34 (Lambda
developer guide, "Lambda runtimes"; Amazon Linux 2023 user guide). The backbone's own run on arm64."""


class LockCommandError(BackboneError):
    """Packages cannot be resolved or fetched."""


def lock(folder: Path, project: Path, *, upgrade: bool = False) -> Path:
    """Lock what a module's `requirements.txt` asks for, and fetch it; returns the lock file.

    Versions that are locked stay while requirements.txt does, unless `upgrade` asks for newer ones. LockCommandError
    when uv is not installed or cannot do it.
    """
    requirements, file = folder / locked.REQUIREMENTS_FILE, folder / locked.LOCK_FILE
    header = HEADER + digest_of(requirements)
    known = file.read_text(encoding="utf-8") if file.is_file() else ""
    if upgrade or known.partition("\n")[0] != header:
        text = _resolved(requirements, "" if upgrade else known)
        _replace(file, f"{header}\n{text}")
    key = locked.key(file.read_bytes())
    fetch(file, locked.lambda_folder(project, key), *PLATFORMS["arm64"])
    fetch(file, locked.host_folder(project, key))
    return file


def _resolved(requirements: Path, known: str) -> str:
    """The exact versions, each with the hashes of its files; `known` are those to keep where they fit."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / locked.LOCK_FILE
        output.write_text(known, encoding="utf-8")
        _uv(
            *("pip", "compile", "--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"),
            *("--only-binary", ":all:", "--no-annotate", "--no-header", "--no-emit-index-url"),
            *("--output-file", str(output), str(requirements)),
        )
        return output.read_text(encoding="utf-8")


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(file)


def fetch(lock_file: Path, folder: Path, *options: str) -> None:
    """Unpack the packages of a lock file into a folder, unless that is there: it is whole, or not there at all.

    `options` are uv's, such as those that name another platform than this machine's. LockCommandError when uv is not
    installed or cannot do it.
    """
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        target = Path(made) / folder.name
        _uv(
            *("pip", "install", "--target", str(target), "--python", sys.executable, *options, "--require-hashes"),
            *("--only-binary", ":all:", "--link-mode", "copy", "--requirements", str(lock_file)),
        )
        target.mkdir(exist_ok=True)  # uv makes none for an empty file
        target.rename(folder)


def _uv(*arguments: str) -> None:
    command = _find_uv()
    done = subprocess.run([command, *arguments, "--quiet"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise LockCommandError(f"uv cannot do it:\n{done.stderr.strip()}")


def _find_uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise LockCommandError("fetching packages needs uv, which is not installed; pip install 'event-backbone[lock]'")
    return found
