"""What functions may import besides their own code: packages that are installed here and that Lambda has as well."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["RUNTIME", "Packages", "installed"]

RUNTIME = ("boto3", "awslambdaric", "simplejson", "snapshot-restore-py")
"""What Lambda's Python runtime has beside the standard library: the AWS SDK, and its interface client with what that
needs (Lambda developer guide, "Runtime-included SDK versions"; awslambdaric's own requirements)."""

OURS = "event-backbone"
"""What a layer of `backbone layer` has, as a requirement: the runtime, and what that needs."""

OURS_NEEDS = "aws-lambda-powertools[parser,tracer]"


@dataclass(frozen=True)
class Packages:
    """Packages that are installed here.

    `modules` has the folder of each module that they bring, by its name, and `metadata` the folder of each one's
    metadata. `missing` has the requirements that nothing here fulfils.
    """

    modules: dict[str, str]
    metadata: tuple[str, ...]
    missing: tuple[str, ...]


@cache
def installed(requirements: tuple[str, ...]) -> Packages:
    """The packages that requirements name, and those that they need in turn."""
    index = dict(reversed(list(_distributions())))
    modules: dict[str, str] = {}
    metadata: list[str] = []
    missing: list[str] = []
    pending = [Requirement(text) for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        wanted = pending.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        if name == OURS:
            modules["backbone"] = str(Path(__file__).parent.parent)
            pending.append(Requirement(OURS_NEEDS))
            continue
        folder = index.get(name)
        found = Distribution.at(folder) if folder else None
        if found is None or not wanted.specifier.contains(found.version, prereleases=True):
            missing.append(f"{wanted.name}{wanted.specifier}")
        if found is None or folder is None:
            continue
        modules |= dict.fromkeys(_modules(found), str(folder.parent))
        metadata.append(str(folder))
        pending += _needed(found, wanted.extras)
    return Packages(modules, tuple(sorted({*metadata})), tuple(sorted({*missing})))


def _distributions() -> Iterator[tuple[str, Path]]:
    """Every distribution that can be imported, by its name, with the folder of its metadata."""
    for entry in sys.path:
        for folder in Path(entry or ".").glob("*.dist-info"):
            yield canonicalize_name(folder.name.partition("-")[0]), folder


def _needed(distribution: Distribution, extras: set[str]) -> Sequence[Requirement]:
    needed = map(Requirement, distribution.requires or ())
    wanted = ["", *extras]
    return [
        each
        for each in needed
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in wanted)
    ]


def _modules(distribution: Distribution) -> set[str]:
    """The names of the modules and packages that a distribution brings."""
    if text := distribution.read_text("top_level.txt"):
        return {*text.split()}
    files = (line.partition(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines())
    tops = (file.partition("/")[0].partition(".")[0] for file in files if file.endswith((".py", ".pyd", ".so")))
    return {name for name in tops if name.isidentifier()}
