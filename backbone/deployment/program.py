"""Terraform or OpenTofu, run in the folder of a stack."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from backbone.errors import MachineError

__all__ = ["PROGRAMS", "Program", "ProgramError", "find_program"]

PROGRAMS = ("terraform", "tofu")
POLL_SECONDS = 0.2
LINES = 30
"""How many lines of a log an error shows."""


class ProgramError(MachineError):
    """Neither Terraform nor OpenTofu is on the PATH, or the named program is not."""


@dataclass(frozen=True)
class Program:
    """Terraform or OpenTofu at `path`, with variables of the environment beside those that there are.

    It asks nothing; `TF_CLI_ARGS_init` and its like reach it as ever.
    """

    path: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the program, for messages."""
        return Path(self.path).name

    def run(self, *words: str, folder: Path, log: Path, watch: Callable[[], None] = lambda: None) -> int:
        """Run a command to its end and return its exit status; what it prints is added to a log file.

        The program writes to the file itself, so it goes on when this process is killed. `watch` is called now and
        then. When this raises, such as for Ctrl-C, the program has ended: Ctrl-C reaches it too.
        """
        with log.open("ab") as out:
            out.write(f"\n$ {self.name} {' '.join(words)}\n".encode())
            out.flush()
            started = subprocess.Popen(  # noqa: S603 - the user's own
                [self.path, *words],
                cwd=folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            try:
                while started.poll() is None:
                    with suppress(subprocess.TimeoutExpired):
                        started.wait(POLL_SECONDS)
                    watch()
            finally:
                started.wait()
        return started.returncode

    def output(self, *words: str, folder: Path) -> tuple[int, bytes]:
        """The exit status of a command and what it prints to stdout, or to stderr if it fails."""
        done = subprocess.run(  # noqa: S603 - the user's own
            [self.path, *words], cwd=folder, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True
        )
        return done.returncode, done.stderr if done.returncode else done.stdout

    def _environment(self) -> dict[str, str]:
        own = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
        return {**os.environ, **own, **self.environment}


def find_program(name: str | None = None) -> Program:
    """The named program, else Terraform, else OpenTofu; ProgramError when there is none."""
    for each in (name,) if name else PROGRAMS:
        if (path := shutil.which(each)) is not None:
            return Program(str(Path(path).absolute()))
    wanted = name or " or ".join(PROGRAMS)
    raise ProgramError(f"there is no {wanted} on the PATH; install Terraform 1.6 or newer, or OpenTofu")


def last_lines(log: Path) -> str:
    """The end of a log: what the last command printed, as far as it is not too long."""
    text = log.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2]
    return "\n".join(line for line in text.splitlines()[1:] if line.strip(" │╷╵"))[-4_000:].strip()
