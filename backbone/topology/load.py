"""From a file to a topology, or to all that is wrong with the file at once, in the file's own words.

Whatever `load` returns is valid: nothing behind it checks again.
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


class TopologyError(BackboneError):
    """The file does not declare a backbone; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=lambda one: (one.file, one.line or 0, str(one)))
        super().__init__("\n".join(map(str, self.problems)))


def find(folder: Path) -> Path:
    """The file to load: the one that BACKBONE_FILE names, else `backbone.yaml` in the folder given."""
    return Path(os.environ.get(FILE_VARIABLE) or folder / FILE_NAME)


def output_folder(file: Path) -> Path:
    """Where the stacks of a file go: `cdktf.out` beside it, or `cdktf.prod.out` for a `prod.yaml`.

    The CDKTF command line decides instead where it runs the program: it says so by CDKTF_OUTDIR.
    """
    if given := os.environ.get("CDKTF_OUTDIR"):
        return Path(given)
    return file.parent / ("cdktf.out" if file.name == FILE_NAME else f"cdktf.{file.stem}.out")


def load(path: Path) -> Topology:
    """The backbone that a file declares; raises TopologyError with all that is wrong with the file."""
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
    errors = list(consistency.check(given))
    try:
        topology = Topology.model_validate(_tuples(given.value))
    except ValidationError as error:
        errors += [from_pydantic(one, given) for one in error.errors()]
        raise TopologyError(errors) from None
    if not errors:
        findings = list(quotas.check(topology))
        errors = [given.problem(one.path, one.message) for one in findings if one.is_error]
    if errors:
        raise TopologyError(errors)
    warnings = [given.problem(one.path, one.message) for one in findings if not one.is_error]
    warnings += [given.problem(path, message) for path, message in consistency.loose_ends(topology)]
    topology._warnings = tuple(sorted(warnings, key=lambda one: (one.line or 0, str(one))))
    return topology


def _tuples(value: Any) -> Any:
    """Lists as tuples: what frozen models hold, and what strict validation asks for."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
