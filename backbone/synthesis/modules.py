"""The code of services that is deployed along with the backbone: a module for each, which `backbone.yaml` names.

A module is a package with a `service.py`, whose `build(service)` adds the service's resources. The package ships with
every function, along with the package `common` beside it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import BackboneError
from backbone.synthesis.package import Package, package

if TYPE_CHECKING:
    from backbone.constructs.service import Service
    from backbone.topology import Topology

__all__ = ["Module", "ModuleError", "add", "folder_of", "load"]

COMMON = "common"


class ModuleError(BackboneError):
    """A module is not there, or does not do what the file says."""


@dataclass(frozen=True)
class Module:
    """A service's code, and how to build its resources."""

    build: Callable[[Service], None]
    code: Package


def folder_of(module: str) -> Path:
    """The folder of a package that can be imported."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        raise ModuleError(f"{module}: there is no such package")
    return Path(spec.origin).parent


def load(service: str, module: str) -> Module:
    """The module of a service; ModuleError when there is no such module or it lacks `build`."""
    key = f"services.{service}.module: got {module!r}"
    try:
        spec = importlib.util.find_spec(module)
        missing = spec is None or spec.submodule_search_locations is None
        missing = missing or importlib.util.find_spec(f"{module}.service") is None
    except ModuleNotFoundError:
        spec, missing = None, True
    if missing or spec is None or not spec.origin:
        path = module.replace(".", "/")
        raise ModuleError(f"{key}; allowed: a package with a service.py; there is no {path}/service.py to import")
    build = getattr(importlib.import_module(f"{module}.service"), "build", None)
    if not callable(build):
        raise ModuleError(f"{key}; allowed: a package whose service.py has a function build(service)")
    folder = Path(spec.origin).parent
    root = folder
    for _ in module.split("."):
        root = root.parent
    beside = folder.parent / COMMON
    folders = [folder, beside] if "." in module and beside.is_dir() else [folder]
    return Module(build, package(root, folders))


def add(topology: Topology, name: str, module: Module, service: Service) -> None:
    """Let the module build the service; ModuleError when that is not what the file says of the service."""
    declared = topology.services[name]
    module.build(service)
    wrong = []
    for verb, said, done in (
        ("publishes", set(declared.publishes), service.published),
        ("subscribes", {one.detail_type for one in declared.subscribes}, service.subscribed),
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


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
