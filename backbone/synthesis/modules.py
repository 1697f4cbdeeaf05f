"""The code of services that is deployed along with the backbone: a module for each, which `backbone.yaml` names.

A module is a package with a `service.py`, whose `build(service)` adds the service's resources. The package ships with
every function, along with `backbone.runtime` and with the package `common` beside it, if there is one.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backbone.constructs.service import Service
from backbone.errors import BackboneError
from backbone.sources import SYNTH_FILE, ModuleFiles
from backbone.synthesis import requirements
from backbone.synthesis.package import Package, package
from backbone.topology import Topology
from backbone.topology.publications import Publication

__all__ = ["Module", "ModuleError", "add", "load"]

NOT_THE_USERS = tuple(
    str(folder) + os.sep
    for folder in (
        Path(__file__).parents[1],
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    )
)
"""The folders of code that a user did not write."""


class ModuleError(BackboneError):
    """A module is not there, fails, or does not do what the file says."""


@dataclass(frozen=True)
class Module:
    """A service's code, and how to build its resources."""

    build: Callable[[Service], None]
    code: Package


def load(service: str, module: str, project: Path) -> Module:
    """The module of a service; ModuleError when there is no such module, it fails, or it lacks `build`.

    The packages that it needs are those that `backbone lock` put into the project's folder.
    """
    key = f"services.{service}.module: got {module!r}"
    with _users_code(service, module):
        folder = _folder(module)
    if folder is None:
        path = module.replace(".", "/")
        missing = "__init__.py" if _is_folder(module) else SYNTH_FILE
        advice = (
            ", without which it is no package: add one, which may be empty" if missing != SYNTH_FILE else " to import"
        )
        raise ModuleError(f"{key}; allowed: a package with a {SYNTH_FILE}; there is no {path}/{missing}{advice}")
    with _users_code(service, module):
        build = getattr(importlib.import_module(f"{module}.{SYNTH_FILE.removesuffix('.py')}"), "build", None)
    if not callable(build):
        raise ModuleError(f"{key}; allowed: a package whose {SYNTH_FILE} has a function build(service)")
    files = ModuleFiles.of(folder, depth=module.count(".") + 1)
    return Module(build, package(files, requirements.read(service, folder, project)))


def _folder(module: str) -> Path | None:
    """The folder of a package that has a service.py; None where there is no such package."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            return None  # a parent is missing, or is no package
        raise
    if spec is None or spec.submodule_search_locations is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent
    return folder if (folder / SYNTH_FILE).is_file() else None


def _is_folder(module: str) -> bool:
    """Whether a module is a folder with a service.py that only lacks what makes it a package."""
    folders = (Path(entry, *module.split(".")) for entry in sys.path)
    return any((each / SYNTH_FILE).is_file() and not (each / "__init__.py").is_file() for each in folders)


def add(topology: Topology, name: str, module: Module, service: Service) -> None:
    """Let the module build the service; ModuleError when it fails, or does not do what the file says of the service."""
    declared = topology.services[name]
    with _users_code(name, str(declared.module)):
        module.build(service)
    wrong, own = [], topology.source_of(name)
    for verb, said, done in (
        ("publishes", _words(topology.published_by(name), own), _words(service.published, own)),
        ("subscribes", {entry.called for entry in declared.subscribes}, service.subscribed),
    ):
        if said != done:
            wrong.append(
                f"services.{name}.{verb}: the file says {_listed(said)}; the module {declared.module} says "
                f"{_listed(done)}; make them the same"
            )
    for unknown in sorted(declared.settings.keys() - service.asked):
        wrong.append(
            f"services.{name}.settings: got {unknown!r}; allowed: what the module {declared.module} asks for: "
            f"{_listed(service.asked)}"
        )
    if wrong:
        raise ModuleError("\n".join(wrong))


def _words(events: Iterable[Publication], own: str) -> set[str]:
    """Events by their detail-types, with the source where that is not the service's own."""
    return {event.detail_type + (f" as {event.source}" if event.source != own else "") for event in events}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


@contextmanager
def _users_code(service: str, module: str) -> Iterator[None]:
    """Raise what a user's code raises as a ModuleError that shows the lines of the user's files only."""
    try:
        yield
    except BackboneError:
        raise
    except Exception as error:
        what = "".join(traceback.format_exception_only(error)).strip()
        lines = [f"services.{service}.module: {module} fails: {what}"]
        for frame in traceback.extract_tb(error.__traceback__):
            if not frame.filename.startswith((*NOT_THE_USERS, "<")):
                lines.append(f"  {_shown(frame.filename)}:{frame.lineno}, in {frame.name}: {frame.line}")
        raise ModuleError("\n".join(lines)) from error


def _shown(file: str) -> str:
    """A path from the current folder where it is below that."""
    return os.path.relpath(file) if Path(file).is_relative_to(Path.cwd()) else file
