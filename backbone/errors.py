"""What a user's mistake, and a machine's failure, is raised as."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["BackboneError", "MachineError"]


class BackboneError(Exception):
    """A mistake in what the user gave, told in full by its text: commands print that, without a traceback."""

    exit_status: ClassVar[int] = 2
    """What a command exits with: 1 after a finding or a negative answer, 2 for bad input, 3 for the machine."""


class MachineError(BackboneError):
    """What this machine lacks or refuses: Node, disk space, permission to write."""

    exit_status = 3
