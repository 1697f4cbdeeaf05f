"""A reason why edits are harmless, and what reasons are said with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mutants.edits import Edit

__all__ = ["BUS_POLICY", "GONE", "NUDGED", "POLICY", "REWORDED", "STATEMENT", "Harmless"]


@dataclass(frozen=True)
class Harmless:
    """A reason, and the edits that it holds for: of resource types, at arguments, and of what is done there.

    With `unless_noticed` it holds only where nothing else of the system depends on what is edited.
    """

    reason: str
    types: str
    arguments: str
    what: str = ".*"
    unless_noticed: bool = False

    def covers(self, edit: Edit) -> bool:
        """Whether the reason holds for an edit, as far as the edit alone tells."""
        return bool(
            re.fullmatch(self.types, edit.type)
            and re.fullmatch(self.arguments, edit.argument)
            and re.fullmatch(self.what, edit.what)
        )


GONE = "removed|null"
REWORDED = "misspelt|other case|wrong characters"
NUDGED = "one less|one more"
POLICY = r"(assume_role_policy|policy|policy_document)\."
STATEMENT = POLICY + r"Statement\[\d\]\."
BUS_POLICY = "aws_cloudwatch_event_bus_policy"
