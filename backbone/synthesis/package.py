"""Source folders as the bytes of a zip that are the same wherever and whenever it is made."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["Package", "package"]

LEFT_OUT = {"service.py"}
"""What runs at synth and does not ship."""

OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@dataclass(frozen=True)
class Package:
    """A zip of source files."""

    content: bytes

    @cached_property
    def source_code_hash(self) -> str:
        """The digest by which Terraform sees that the code changed: SHA-256 in base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def package(root: Path, folders: Iterable[Path]) -> Package:
    """The Python files of folders below a root, and of each parent its `__init__.py`.

    Names, contents and nothing else decide the bytes: no times, no modes, no order of the file system. Nothing
    is compressed, since compressors differ between machines and sources are small.
    """
    files: set[Path] = set()
    for folder in folders:
        files |= {one for one in folder.rglob("*.py") if one.name not in LEFT_OUT and not one.name.startswith("test_")}
        files |= {one for up in folder.parents if up != root and root in up.parents for one in up.glob("__init__.py")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(files, key=lambda one: one.relative_to(root).as_posix()):
            entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), OLDEST)
            entry.create_system = 3  # Unix, also where this runs on Windows
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes().replace(b"\r\n", b"\n"))
    return Package(buffer.getvalue())
