"""The project as it was at a commit of git, in a folder of its own: nothing of the working tree is touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from backbone.errors import BackboneError, MachineError

__all__ = ["RevisionError", "check_out"]

CACHE = ".backbone"
"""What is beside the file without being committed: the packages of modules, by the digests of their locks."""


class RevisionError(BackboneError):
    """There is no such commit, or no backbone in it."""


def check_out(file: Path, ref: str, folder: Path) -> Path:
    """Write the project of a file as it was at a commit into an empty folder; returns the file there.

    RevisionError when git does not know the commit, or when the file is not in it; MachineError without git.
    """
    project = file.absolute().parent.resolve()
    top = Path(_git(project, "rev-parse", "--show-toplevel", wrong=f"{project} is in no git repository").rstrip("\n"))
    commit = _git(
        project,
        *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"),
        wrong=f"got {ref!r}, which is neither a folder nor a commit that git knows",
    ).strip()
    below = project.relative_to(top.resolve())
    index = {"GIT_INDEX_FILE": str(folder / "index")}
    tree = folder / "tree"
    failed = f"git could not read {ref}"
    _git(top, "read-tree", commit, wrong=failed, **index)
    names = _git(top, "ls-files", "-z", "--", below.as_posix(), wrong=failed, **index)
    there = tree / below / file.name
    if (below / file.name).as_posix() not in names.split("\0"):
        raise RevisionError(f"--against: there is no {file.name} at {ref}; commit it first, or name another commit")
    _git(top, "checkout-index", "-z", "--stdin", f"--prefix={tree}{os.sep}", wrong=failed, given=names, **index)
    if (project / CACHE).is_dir() and not (there.parent / CACHE).exists():
        (there.parent / CACHE).symlink_to(project / CACHE, target_is_directory=True)
    return there


def _git(folder: Path, *arguments: str, wrong: str, given: str = "", **environment: str) -> str:
    """What a command of git prints; `wrong` is what it means when it fails.

    A hook of git has settings for the commit in progress in its environment, which do not count here.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or "CONFIG" in key}
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are this file's, and a commit's hash
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - git is where the user has it
            env=clean | environment,
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise MachineError("--against: git is not installed; install it, or name a folder to compare with") from None
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        raise RevisionError(
            f"--against: {wrong}{f': {why}' if why else ''}; name a commit, or a folder to compare with"
        )
    return done.stdout.decode("utf-8", "surrogateescape")
