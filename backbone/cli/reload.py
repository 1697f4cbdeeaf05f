"""A running system is made anew when its sources change."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from backbone import manifest
from backbone.errors import BackboneError
from backbone.system.reader import Reading, read

__all__ = ["Reloader"]

LOOK_SECONDS = 0.2
SYNTH_SECONDS = 120
SHOWN = 5
WRITTEN = (0, 1)
"""The exit statuses of `backbone synth` with which there are new stacks; with 1 there are findings."""


class Reloader:
    """Looks for changes of the declaring files and of services' code, and has the stacks synthesized anew then.

    `take` is given the system, `say` what is done, and `fail` why there is no other system. They are called in a thread
    of its own. What cannot be synthesized is tried again after a further change.
    """

    def __init__(
        self,
        file: Path,
        folder: Path,
        *,
        take: Callable[[Reading], None],
        say: Callable[[str], None],
        fail: Callable[[str], None],
    ) -> None:
        self._file, self._folder = file, folder
        self._take, self._say, self._fail = take, say, fail
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failed: object = None
        """The changes with which it did not work."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self._look()
            except BackboneError as error:
                self._fail(str(error))

    def _look(self) -> None:
        known, project = manifest.read(self._folder), self._file.absolute().parent
        changes = manifest.stale(known, project)
        signature = [(change, _written(project / change.path)) for change in changes]
        if not changes or signature == self._failed:
            return
        self._failed = signature
        self._say(f"changed: {', '.join(map(str, changes[:SHOWN]))}; synthesizing anew")
        command = [sys.executable, "-m", "backbone.cli", "synth", str(self._file), "--output", str(self._folder)]
        try:
            done = subprocess.run(  # noqa: S603 - this very program
                command,
                capture_output=True,
                text=True,
                timeout=SYNTH_SECONDS,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the system that is up
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BackboneError(f"{self._file}: not synthesized within {SYNTH_SECONDS} seconds") from None
        if done.returncode not in WRITTEN:
            words = "\n".join(line.removeprefix("error: ") for line in done.stderr.strip().splitlines())
            raise BackboneError(words or f"backbone synth ended with {done.returncode}")
        self._take(read(self._folder))
        self._failed = None


def _written(file: Path) -> tuple[int, int] | None:
    """When a file was written, and its size; None when it is not there."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
