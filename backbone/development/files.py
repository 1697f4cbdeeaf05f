"""Files written all together or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from backbone.errors import MachineError

__all__ = ["write_all"]


def write_all(texts: Mapping[Path, str]) -> None:
    """Write files, with the folders that they need; after an error, or Ctrl-C, everything is as it was.

    MachineError when the machine refuses a file.
    """
    path = Path()
    folders: list[Path] = []
    all_there = False
    targets = {path: path.resolve() for path in texts}  # a link stays a link
    before = {target for target in targets.values() if target.is_file()}
    try:
        # Whatever needs space is written first, beside the files; then names change, which needs none.
        for path, target in targets.items():
            folders += _make_folders(target.parent)
            _beside(target, "new").write_text(texts[path], encoding="utf-8", newline="\n")
            if target in before:
                shutil.copy2(target, _beside(target, "old"))
                shutil.copymode(target, _beside(target, "new"))
        all_there = True
        for path in targets:
            _beside(targets[path], "new").replace(targets[path])
    except BaseException as error:
        if all_there:
            for target in targets.values():
                if target in before:
                    _beside(target, "old").replace(target)
                elif target.is_file():
                    target.unlink()
        _remove_what_is_beside(targets)
        for folder in reversed(folders):
            folder.rmdir()
        if isinstance(error, OSError):
            raise MachineError(f"{path}: cannot be written: {error.strerror}; nothing was changed") from None
        raise
    _remove_what_is_beside(targets)


def _beside(target: Path, state: str) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.{state}")


def _remove_what_is_beside(targets: Mapping[Path, Path]) -> None:
    for target in targets.values():
        for state in ("new", "old"):
            beside = _beside(target, state)
            if beside.exists():
                beside.unlink()


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns those that were not there, the outermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]
