"""Edits that AWS takes, and that lose nothing and change no security: each with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mutants.edits import Edit

__all__ = ["HARMLESS", "Harmless", "reason"]


@dataclass(frozen=True)
class Harmless:
    """A reason, and the edits that it holds for: of resource types, at arguments, and of what is done there."""

    reason: str
    types: str
    arguments: str
    what: str = ".*"

    def covers(self, edit: Edit) -> bool:
        """Whether the reason holds for an edit."""
        return bool(
            re.fullmatch(self.types, edit.type)
            and re.fullmatch(self.arguments, edit.argument)
            and re.fullmatch(self.what, edit.what)
        )


HARMLESS: tuple[Harmless, ...] = ()


def reason(edit: Edit) -> str | None:
    """Why an edit is harmless; None when it is not known to be."""
    return next((harmless.reason for harmless in HARMLESS if harmless.covers(edit)), None)
