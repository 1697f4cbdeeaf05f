"""The files that a service's code consists of, and the digests by which a change of them is seen."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from backbone.errors import BackboneError
from backbone.locked import LOCK_FILE, REQUIREMENTS_FILE

__all__ = [
    "COMMON",
    "ENVIRONMENT_VARIABLE",
    "SYNTH_FILE",
    "ModuleFiles",
    "content",
    "digest",
    "environment_file",
    "environment_of",
    "folder_of",
    "included_files",
    "matching_files",
    "runtime_files",
    "schema_files",
]

SYNTH_FILE = "service.py"
"""The file of a module that builds its resources: it runs at synth and does not ship."""

ENVIRONMENT_VARIABLE = "BACKBONE_ENV"
"""Names the environment of the declaring file that is meant."""

COMMON = "common"
"""The package beside a module that ships with it."""

LEFT_OUT_FOLDERS = {"__pycache__", "tests"}
SCHEMAS = "schemas"  # of events: for consumers and tests, not for functions


@dataclass(frozen=True)
class ModuleFiles:
    """The files below some folders, each file and folder by its path from `root` with `/` on every system.

    The first folder is the module's own. Tests, schemas of events, and what is hidden or compiled are left out.
    """

    root: Path
    folders: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, depth: int) -> ModuleFiles:
        """Those of a module's folder and of `common` beside it; `depth` is how many names the module's has."""
        root = folder.parents[depth - 1]
        beside = folder.parent / COMMON
        folders = [folder, beside] if depth > 1 and beside.is_dir() else [folder]
        return cls(root, tuple(folder.relative_to(root).as_posix() for folder in folders))

    def paths(self) -> list[str]:
        """All files, those of parent packages that make the folders importable among them, sorted."""
        found = {file.relative_to(self.root).as_posix() for folder in self.folders for file in self._below(folder)}
        parents = {parent for folder in self.folders for parent in PurePath(folder).parents if parent.parts}
        inits = ((parent / "__init__.py").as_posix() for parent in parents)
        return sorted(found | {path for path in inits if (self.root / path).is_file()})

    def shipped(self) -> list[str]:
        """The files that go into the zip: all but the one that runs at synth, and those that say which packages do."""
        left_out = {f"{self.folders[0]}/{name}" for name in (SYNTH_FILE, REQUIREMENTS_FILE, LOCK_FILE)}
        return [path for path in self.paths() if path not in left_out]

    def _below(self, folder: str) -> Iterator[Path]:
        top = self.root / folder
        return (file for file in top.rglob("*") if _belongs(file.relative_to(top)) and file.is_file())


def _belongs(path: PurePath) -> bool:
    if any(part.startswith(".") or part in LEFT_OUT_FOLDERS for part in path.parts) or path.parts[0] == SCHEMAS:
        return False
    test = path.suffix == ".py" and (path.name.startswith("test_") or path.name == "conftest.py")
    return not test and path.suffix not in (".pyc", ".pyo")


def content(file: Path) -> bytes:
    """The bytes of a file; those of Python code with the same line ends on every system."""
    data = file.read_bytes()
    return data.replace(b"\r\n", b"\n") if file.suffix == ".py" else data


def digest(file: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content(file)).hexdigest()


def runtime_files() -> dict[str, Path]:
    """The files of `backbone.runtime`, which ship with every module, by their paths in its zip."""
    files = ModuleFiles(Path(__file__).parent, ("runtime",))
    return {f"backbone/{path}": files.root / path for path in files.paths()}


def folder_of(module: str) -> Path:
    """The folder of a package that can be imported."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        raise BackboneError(f"{module}: there is no such package")
    return Path(spec.origin).parent


def schema_files(module: str, detail_type: str) -> dict[int, Path]:
    """The files beside a module with the schemas of an event type, by version in order."""
    folder = folder_of(module) / SCHEMAS
    names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    pattern = re.compile(rf"{re.escape(detail_type)}\.v([0-9]+)\.json")
    versions = sorted(int(found[1]) for found in map(pattern.fullmatch, names) if found)
    return {version: folder / f"{detail_type}.v{version}.json" for version in versions}


def environment_file(file: Path, environment: str) -> Path:
    """The file beside a declaring file with what differs in an environment: `backbone.prod.yaml` for `prod`."""
    return file.with_name(f"{file.stem}.{environment}{file.suffix}")


def environment_of(name: str, others: Collection[str]) -> str | None:
    """The environment whose file this is, by its name: `prod` of `teams/order.prod.yaml` beside `teams/order.yaml`."""
    path = PurePosixPath(name)
    stem, dot, environment = path.stem.rpartition(".")
    return environment if dot and str(path.with_name(f"{stem}{path.suffix}")) in others else None


def matching_files(folder: Path, patterns: Iterable[str]) -> list[str]:
    """The files that patterns match, by their paths from a folder, sorted.

    Hidden files, and those in hidden folders, match only a pattern that has a name with a dot at its beginning itself.
    """
    found = set()
    for pattern in patterns:
        hidden = any(part.startswith(".") for part in PurePosixPath(pattern).parts)
        paths = (file.relative_to(folder) for file in _matching(folder, str(PurePosixPath(pattern))))
        found |= {path.as_posix() for path in paths if hidden or not any(part.startswith(".") for part in path.parts)}
    return sorted(found)


def _matching(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return []  # no file can have such a name


def included_files(folder: Path, patterns: Iterable[str]) -> list[str]:
    """The files that patterns include: those that they match, without the files of environments beside others."""
    found = matching_files(folder, patterns)
    return [name for name in found if environment_of(name, found) is None]
