"""The errors that commands print without a traceback."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

__all__ = ["BackboneError", "MachineError"]


class BackboneError(Exception):
    """A mistake in the user's input. Its text says what is wrong, what is allowed and what to do."""

    exit_status: ClassVar[int] = 2
    """The exit status of a command: 1 for a finding or a negative answer, 2 for bad input, 3 for the machine."""


class MachineError(BackboneError):
    """This machine lacks or refuses what is needed: Node, disk space, permission to write."""

    exit_status = 3
