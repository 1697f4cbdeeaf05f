"""Source files as the bytes of a zip that are the same wherever and whenever it is made."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from backbone.sources import ModuleFiles, content, digest, runtime_files
from backbone.version import __version__

__all__ = ["Package", "package"]

OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold

FACE = f'''"""The part of event-backbone that ships with a function."""

__version__ = "{__version__}"
'''
"""The package `backbone` in a zip, where there is nothing but its runtime."""


@dataclass(frozen=True)
class Package:
    """A zip of source files; `sources` has the digest of each file that it or its resources were made of."""

    content: bytes
    folders: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def source_code_hash(self) -> str:
        """The digest by which Terraform sees that the code changed: SHA-256 in base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def package(files: ModuleFiles) -> Package:
    """The zip of a module and of the runtime, which says its version as `backbone.__version__`.

    Names, contents and nothing else decide the bytes: no times, no modes, no order of the file system. Nothing
    is compressed, since compressors differ between machines and sources are small.
    """
    runtime = runtime_files()
    shipped = {path: content(files.root / path) for path in files.shipped()}
    shipped |= {path: content(file) for path, file in runtime.items()} | {"backbone/__init__.py": FACE.encode()}
    read = {path: files.root / path for path in files.paths()} | runtime
    return Package(_zip(shipped), files.folders, {path: digest(file) for path, file in sorted(read.items())})


def _zip(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(contents.items()):
            entry = zipfile.ZipInfo(path, OLDEST)
            entry.create_system = 3  # Unix, also where this runs on Windows
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
