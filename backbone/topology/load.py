"""Reads a file into a topology, or reports all errors in it at once, in the file's own words.

What `load` returns is valid: the rooms that use it do not check it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backbone.errors import BackboneError
from backbone.sources import ENVIRONMENT_VARIABLE, environment_of
from backbone.topology import consistency, include, overlay, quotas, relays, slips, source
from backbone.topology.messages import from_pydantic
from backbone.topology.models import Topology
from backbone.topology.source import Problem, Source

__all__ = [
    "TopologyError",
    "environments",
    "find",
    "load",
    "output_folder",
    "parse",
    "places",
    "require_environment",
    "selected",
]

FILE_NAME = "backbone.yaml"
FILE_VARIABLE = "BACKBONE_FILE"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems by file, in the order of its lines."""
    return sorted(problems, key=lambda problem: (problem.file, problem.line or 0, str(problem)))


class TopologyError(BackboneError):
    """A file does not declare a valid backbone; `problems` has all its errors in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def find(folder: Path) -> Path:
    """The file to load: what BACKBONE_FILE names, else `backbone.yaml` in a folder."""
    return Path(os.environ.get(FILE_VARIABLE) or folder / FILE_NAME)


def selected(environment: str | None = None) -> str | None:
    """The environment that is meant: as given, else what BACKBONE_ENV names; None for a file without environments."""
    return environment or os.environ.get(ENVIRONMENT_VARIABLE) or None


def output_folder(file: Path, *, environment: str | None = None) -> Path:
    """Where the stacks of a file go: `cdktf.out` beside it, `cdktf.prod.out` in the environment `prod`.

    The folder of another file has the file's own name in it. Where CDKTF's own command line runs the program,
    CDKTF_OUTDIR says where.
    """
    if given := os.environ.get("CDKTF_OUTDIR"):
        return Path(given)
    names = ([] if file.name == FILE_NAME else [file.stem], [name] if (name := selected(environment)) else [])
    return file.parent / ".".join(["cdktf", *names[0], *names[1], "out"])


def environments(path: Path) -> tuple[str, ...]:
    """The names of a file's environments; raises TopologyError when the file cannot be read."""
    try:
        return overlay.declared(source.read(path))
    except source.SourceError as error:
        raise TopologyError(error.problems) from None


def require_environment(path: Path) -> None:
    """Raise TopologyError unless the environment that is meant is one of the file, which may have none."""
    try:
        problem = overlay.undecided(source.read(path), selected())
    except source.SourceError as error:
        raise TopologyError(error.problems) from None
    if problem is not None:
        raise TopologyError([problem])


def places(path: Path) -> dict[str, tuple[Path, int]]:
    """The file and the line of each service's entry; empty when the file cannot be read."""
    try:
        given = include.join(source.read(path), partial(source.read, beginning="services")).source
    except source.SourceError:
        return {}
    services = given.value.get("services") if isinstance(given.value, dict) else None
    found = {name: given.problem(("services", name), "") for name in services} if isinstance(services, dict) else {}
    return {name: (Path(there.file), there.line or 1) for name, there in found.items()}


def load(path: Path, *, environment: str | None = None, unsaved: Mapping[Path, str] | None = None) -> Topology:
    """The backbone that a file declares; raises TopologyError with all errors in it.

    A file that declares environments is read as it is in the one that is meant: `environment`, else BACKBONE_ENV.
    `unsaved` has texts in place of what the file has, one that it includes, or that of an environment.
    """

    def read(file: Path, **options: str) -> Source:
        text = (unsaved or {}).get(file)
        if text is None:
            return source.read(file, **options)
        return source.parse(text.removeprefix("\ufeff"), file=str(file), **options)

    try:
        topology = _validate(read(path), selected(environment), read)
    except source.SourceError as error:
        raise TopologyError(error.problems) from None
    except TopologyError as error:
        part = _part_of_another(path)
        raise TopologyError([part] if part else error.problems) from None
    topology._file = path.absolute()
    return topology


def parse(text: str, *, file: str = FILE_NAME, environment: str | None = None) -> Topology:
    """The backbone that a YAML text declares; raises TopologyError like `load`."""
    try:
        return _validate(source.parse(text, file=file), selected(environment), source.read)
    except source.SourceError as error:
        raise TopologyError(error.problems) from None


def _part_of_another(path: Path) -> Problem | None:
    """That a file is not one of its own, but a part of the `backbone.yaml` in a folder above it; None where it is."""
    file = path.absolute()
    for main in (folder / FILE_NAME for folder in file.parents if folder / FILE_NAME != file):
        try:
            given = source.read(main)
        except source.SourceError:
            continue
        name = file.relative_to(main.parent).as_posix()
        included = include.names(given)
        environment = environment_of(name, [FILE_NAME, *included])
        if name in included or environment in overlay.declared(given):
            option = f" and --env {environment}" if environment else ""
            words = f"is a part of {os.path.relpath(main)}, and not valid by itself; give the name of that file{option}"
            return Problem(str(path), None, (), words)
    return None


def _validate(given: Source, environment: str | None, read: Callable[..., Source]) -> Topology:
    if (undecided := overlay.undecided(given, environment)) is not None:
        raise TopologyError([undecided])
    joined = include.join(given, partial(read, beginning="services"))
    given, problems = joined.source, joined.problems
    overlays = overlay.Overlays(given, joined.files, read)
    problems += overlays.shared_places()
    if environment is not None:
        given, more = overlays.environment(environment)
        problems += more
    problems += consistency.check(given)
    try:
        topology = Topology.model_validate(_tuples(given.value))
    except ValidationError as error:
        found = [*problems, *(from_pydantic(each, given) for each in error.errors())]
        if environment is not None:  # a value is wrong as one of the environment, and as what it is laid over
            found = list({(problem.file, problem.line, problem.path): problem for problem in reversed(found)}.values())
        raise TopologyError(found) from None
    if not problems:
        problems += [
            *quotas.check(topology, given),
            *relays.check(topology, given),
            *slips.check(topology, given),
            *consistency.loose_ends(topology, given),
        ]
        problems += include.unused_owners(given, joined.files)
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise TopologyError(errors)
    topology._warnings = tuple(in_order(problems))
    topology._environment = environment
    topology._included = tuple(included.file.absolute() for included in joined.files)
    return topology


def _tuples(value: Any) -> Any:
    """A value with tuples for its lists, as frozen models hold them and strict validation demands."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
