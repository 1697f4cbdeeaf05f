"""Reads a file into a topology, or reports all errors in it at once, in the file's own words.

What `load` returns is valid: the rooms that use it do not check it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backbone.errors import BackboneError
from backbone.topology import consistency, quotas, source
from backbone.topology.messages import from_pydantic
from backbone.topology.models import Topology
from backbone.topology.source import Problem, Source

__all__ = ["TopologyError", "find", "load", "output_folder", "parse"]

FILE_NAME = "backbone.yaml"
FILE_VARIABLE = "BACKBONE_FILE"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in the order of the file's lines."""
    return sorted(problems, key=lambda problem: (problem.line or 0, str(problem)))


class TopologyError(BackboneError):
    """A file does not declare a valid backbone; `problems` has all its errors in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def find(folder: Path) -> Path:
    """The file to load: what BACKBONE_FILE names, else `backbone.yaml` in a folder."""
    return Path(os.environ.get(FILE_VARIABLE) or folder / FILE_NAME)


def output_folder(file: Path) -> Path:
    """Where the stacks of a file go: `cdktf.out` beside it, or `cdktf.prod.out` for a `prod.yaml`.

    Where CDKTF's own command line runs the program, CDKTF_OUTDIR says where.
    """
    if given := os.environ.get("CDKTF_OUTDIR"):
        return Path(given)
    return file.parent / ("cdktf.out" if file.name == FILE_NAME else f"cdktf.{file.stem}.out")


def load(path: Path) -> Topology:
    """The backbone that a file declares; raises TopologyError with all errors in it."""
    try:
        topology = _validate(source.read(path))
    except source.SourceError as error:
        raise TopologyError(error.problems) from None
    topology._file = path.absolute()
    return topology


def parse(text: str, *, file: str = FILE_NAME) -> Topology:
    """The backbone that a YAML text declares; raises TopologyError like `load`."""
    try:
        return _validate(source.parse(text, file=file))
    except source.SourceError as error:
        raise TopologyError(error.problems) from None


def _validate(given: Source) -> Topology:
    problems = list(consistency.check(given))
    try:
        topology = Topology.model_validate(_tuples(given.value))
    except ValidationError as error:
        raise TopologyError([*problems, *(from_pydantic(each, given) for each in error.errors())]) from None
    if not problems:
        problems += [*quotas.check(topology, given), *consistency.loose_ends(topology, given)]
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise TopologyError(errors)
    topology._warnings = tuple(in_order(problems))
    return topology


def _tuples(value: Any) -> Any:
    """A value with tuples for its lists, as frozen models hold them and strict validation demands."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
