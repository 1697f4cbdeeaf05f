"""The zips of functions: gone, broken, or with other files than the Terraform was made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mutants.documents import REMOVED, Path
from mutants.edits.values import Change

__all__ = ["BROKEN", "of_zips"]

BROKEN = "broken"
"""Stands for a file that is no zip."""


def of_zips(zips: Mapping[str, Mapping[str, str]], path: Path) -> Iterator[Change]:
    """Every edit of the zips of a stack, each given by the files within."""
    for name, files in zips.items():
        here = (*path, name)
        yield "removed", here, REMOVED
        yield "broken", here, BROKEN
        yield "emptied", here, {}
        for file, content in files.items():
            yield "file removed", (*here, file), REMOVED
            yield "file changed", (*here, file), content + "\nCHANGED = True\n"
            if file.endswith(".py"):
                yield "syntax error", (*here, file), content + "\n)\n"
        yield "file added", (*here, "added.py"), "ADDED = True\n"
