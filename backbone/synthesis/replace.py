"""Files of a folder that are replaced together: after a failure the old ones are there, as if it was never tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

__all__ = ["replacing"]

WORK = ".synth"
LOCK = ".synth.lock"


@contextmanager
def replacing(folder: Path, *, ours: Iterable[str], last: str) -> Iterator[Path]:
    """Give an empty folder to write into; at the end of the block what is in there replaces what is in `folder`.

    Files that match the patterns `ours` and were not written again are removed; all others stay. `last` is the file
    that says that the others belong together: while they are being replaced, there is none. Who comes second waits
    until the first is done. Raises OSError when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        work = folder / WORK  # inside, so that it is on the same file system
        if work.exists():
            shutil.rmtree(work)  # of a synth that was killed
        new, old = work / "new", work / "old"
        new.mkdir(parents=True)
        try:
            yield new
            _replace(folder, new, old, ours, last)
        finally:
            shutil.rmtree(work, ignore_errors=True)  # what is left of it is removed the next time


def _replace(folder: Path, new: Path, old: Path, ours: Iterable[str], last: str) -> None:
    written = {file.relative_to(new) for file in new.rglob("*") if file.is_file()}
    there = {file.relative_to(folder) for pattern in ours for file in folder.glob(pattern)}
    changed = sorted(file for file in written if not _same(new / file, folder / file))
    removed = sorted(there - written)
    if not changed and not removed:
        return
    mark = Path(last)
    before = [file for file in {*changed, *removed, mark} if (folder / file).is_file()]
    for file in before:  # the last that needs space on the disk: nothing has changed yet
        (old / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / file, old / file)
    for file in changed:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    try:
        for file in (mark, *removed):
            (folder / file).unlink(missing_ok=True)
        for file in (*(file for file in changed if file != mark), mark):
            (new / file).replace(folder / file)
    except BaseException:
        for file in changed:
            if file not in before:
                (folder / file).unlink(missing_ok=True)
        for file in sorted(before, key=lambda one: one == mark):
            (old / file).replace(folder / file)
        raise


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()
