"""Where the code of a new service goes: the Python package that its name gives, beside those of the others."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from backbone.errors import BackboneError
from backbone.sources import COMMON
from backbone.topology import Topology

__all__ = ["DEFAULT_ROOT", "PackageNameError", "ServicePackage", "package_name"]

DEFAULT_ROOT = "services"
LONGEST_NAME = 100
"""Names of files have 255 bytes at most on most systems, with what is put around them."""


class PackageNameError(BackboneError):
    """The name of a service, or of the package that services are in, gives no Python package."""


@dataclass(frozen=True)
class ServicePackage:
    """A package that is not there yet: its whole name, its folder, and the file of its test."""

    name: str
    folder: Path
    test: Path

    @classmethod
    def beside_others(cls, file: Path, topology: Topology, service: str, root: str | None) -> ServicePackage:
        """The package of a service of a file.

        It is in `root` (`.` is no package at all), by default in the package that the modules of the other services
        are in, or `services` where there is none. Its test is in the same folder below `tests` beside the file.
        """
        modules = [entry.module for entry in topology.services.values() if entry.module]
        roots = {module.rpartition(".")[0] for module in modules}
        inside = _root(roots, root)
        package = package_name(service, top_level=not inside)
        parts = inside.split(".") if inside else []
        test = file.parent.joinpath("tests", *parts, f"test_{package}.py")
        folder = _folder(inside, file.parent, in_use=inside in roots)
        return cls(".".join([*parts, package]), folder / package, test)

    def missing_parents(self) -> list[Path]:
        """The folders above it that are to be made, and so to become packages."""
        parents = list(self.folder.parents)[: self.name.count(".")]
        return [folder for folder in parents if not folder.exists()]


def package_name(service: str, *, top_level: bool = False) -> str:
    """The package of a service: `invoice-service` is in `invoice`. PackageNameError when Python could not import it.

    A package at the top level must not hide a module that is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", service):
        raise PackageNameError(f"got the service {service!r}; allowed: a lower-case letter, then a-z 0-9 -")
    package = service.removesuffix("-service").replace("-", "_")
    reason = None
    if keyword.iskeyword(package):
        reason = "a keyword of Python"
    elif package == COMMON:
        reason = "the package that ships with every service beside it"
    elif top_level and (package in sys.stdlib_module_names or importlib.util.find_spec(package) is not None):
        reason = "the name of a module that it would hide"
    elif len(package) > LONGEST_NAME:
        reason = f"longer than {LONGEST_NAME} characters"
    if reason:
        raise PackageNameError(f"{service}: its package would be {package!r}, {reason}; choose another name")
    return package


def _root(found: set[str], given: str | None) -> str:
    if given is None:
        if len(found) > 1:
            names = ", ".join(sorted(name or "." for name in found))
            raise PackageNameError(f"the services of the file are in several packages; say --root, one of {names}")
        return found.pop() if found else DEFAULT_ROOT
    if given == ".":
        return ""
    if not all(part.isidentifier() and part.isascii() and not keyword.iskeyword(part) for part in given.split(".")):
        raise PackageNameError(f"--root: got {given!r}; allowed: a Python package, as in services, or . for none")
    return given


def _folder(root: str, project: Path, *, in_use: bool) -> Path:
    """The folder of the package that services are in: below the project, else where Python finds those in use."""
    own = project.joinpath(*root.split(".")) if root else project
    if not root or own.is_dir():
        return own
    try:
        spec = importlib.util.find_spec(root)
    except ModuleNotFoundError:
        return own
    except Exception as error:  # whatever the package does when it is imported
        raise PackageNameError(f"--root: the package {root} cannot be imported: {error}") from None
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    inside = [place for place in places if in_use or place.is_relative_to(project.resolve())]
    return next(iter(inside), own)
