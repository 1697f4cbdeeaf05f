"""The packages that a module needs beside its own code, as `backbone lock` left them: synth never fetches any."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backbone import locked
from backbone.errors import BackboneError

__all__ = ["HEADER", "LockError", "Locked", "digest_of", "read"]

HEADER = "# Written by `backbone lock` from requirements.txt with SHA-256 "
"""The first line of a lock file, up to the digest."""

NOT_SHIPPED = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}
"""Metadata about how a package came here, which is not the same on every machine."""


class LockError(BackboneError):
    """The packages that a module needs are not locked, or not here."""


@dataclass(frozen=True)
class Locked:
    """The packages of a lock file: `key` tells them from those of another, `folder` has them as Lambda runs them."""

    key: str
    folder: Path

    def files(self) -> Iterator[tuple[str, Path]]:
        """The files that ship, each with its path in the zip."""
        for file in sorted(self.folder.rglob("*")):
            path = file.relative_to(self.folder)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
            record = path.parts[0].endswith(".dist-info") and path.name in NOT_SHIPPED
            if file.is_file() and not hidden and not record and path.parts[0] != "bin":
                yield path.as_posix(), file


def digest_of(requirements: Path) -> str:
    """The SHA-256 of a requirements file, with the same line ends on every system."""
    return hashlib.sha256(requirements.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def read(service: str, folder: Path, project: Path) -> Locked | None:
    """What the module of a service in a folder needs; None when it says nothing. LockError when that is not at hand."""
    requirements, lock = folder / locked.REQUIREMENTS_FILE, folder / locked.LOCK_FILE
    if not requirements.is_file():
        return None
    place = f"services.{service}.module: {folder.name}/{requirements.name}"
    mend = f"run `backbone lock {service}`"
    if not lock.is_file():
        raise LockError(f"{place} has no {lock.name} beside it; {mend}")
    content = lock.read_bytes()
    if content.decode().partition("\n")[0].strip() != HEADER + digest_of(requirements):
        raise LockError(f"{place} changed since {lock.name} was written; {mend}")
    key = locked.key(content)
    packages = locked.lambda_folder(project, key)
    if not packages.is_dir():
        raise LockError(f"{place}: the packages that {lock.name} names are not in {packages}; {mend}")
    return Locked(key, packages)
