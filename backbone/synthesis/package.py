"""Source files as the bytes of a zip that are the same wherever and whenever it is made."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from backbone.aws.limits import CODE_ZIPPED_BYTES
from backbone.errors import BackboneError
from backbone.sources import ModuleFiles, content, digest, runtime_files
from backbone.synthesis.requirements import Locked
from backbone.version import __version__

__all__ = ["Package", "PackageError", "pack", "package", "runtime_package", "shipped_runtime"]

OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold

FACE = f'''"""The part of event-backbone that ships with a function."""

__version__ = "{__version__}"
'''
"""The package `backbone` in a zip, where there is nothing but its runtime."""


class PackageError(BackboneError):
    """Lambda would not take the code."""


@dataclass(frozen=True)
class Package:
    """A zip of source files and packages; `sources` has the digest of each file that it or its resources were made of.

    `packages` tells which packages it has, as `backbone.locked` does; None where there are none.
    """

    content: bytes
    folders: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    packages: str | None = None

    @cached_property
    def source_code_hash(self) -> str:
        """The digest by which Terraform sees that the code changed: SHA-256 in base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def package(files: ModuleFiles, locked: Locked | None = None) -> Package:
    """The zip of a module, of the packages that it needs, and of the runtime, whose version is `backbone.__version__`.

    PackageError when Lambda would not take it.
    """
    shipped = {path: content(files.root / path) for path in files.shipped()} | shipped_runtime()
    for path, file in locked.files() if locked else ():
        if path in shipped:
            raise PackageError(f"{path} is a file of the code and of a package that it needs; rename the module")
        shipped[path] = file.read_bytes()
    zipped = pack(shipped, or_else="need fewer packages, or put them into a layer: service.function(layers=[...])")
    read = {path: files.root / path for path in files.paths()} | runtime_files()
    sources = {path: digest(file) for path, file in sorted(read.items())}
    return Package(zipped, files.folders, sources, locked.key if locked else None)


def runtime_package() -> Package:
    """The zip of the runtime alone."""
    sources = {path: digest(file) for path, file in sorted(runtime_files().items())}
    return Package(pack(shipped_runtime(), or_else="report it"), sources=sources)


def shipped_runtime() -> dict[str, bytes]:
    """What ships of the backbone: its runtime, and a package for it to be in, by their paths."""
    runtime = {path: content(file) for path, file in runtime_files().items()}
    return runtime | {"backbone/__init__.py": FACE.encode()}


def pack(contents: Mapping[str, bytes], *, or_else: str) -> bytes:
    """The zip of files by their paths; PackageError, which ends with what to do, when Lambda would not take it.

    Names, contents and nothing else decide the bytes: no times, no modes, no order of the file system. Nothing
    is compressed, since compressors differ between machines and sources are small.
    """
    _check_size(contents, or_else)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(contents.items()):
            entry = zipfile.ZipInfo(path, OLDEST)
            entry.create_system = 3  # Unix, also where this runs on Windows
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _check_size(contents: Mapping[str, bytes], or_else: str) -> None:
    """PackageError when a zip would be too large: as nothing is compressed, it is as large as its files."""
    if (total := sum(map(len, contents.values()))) <= CODE_ZIPPED_BYTES:
        return
    sizes: Counter[str] = Counter()
    for path, data in contents.items():
        sizes[path.removeprefix("python/").partition("/")[0]] += len(data)
    largest = ", ".join(f"{name} {size / 1024**2:.1f} MB" for name, size in sizes.most_common(3))
    raise PackageError(
        f"the code has {total / 1024**2:.1f} MB; allowed: {CODE_ZIPPED_BYTES // 1024**2} MB in a zip (the largest: "
        f"{largest}); {or_else}"
    )
