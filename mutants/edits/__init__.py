"""Every small edit of a system's stacks: of each value, policy, pattern, reference, account, name and resource."""

from __future__ import annotations

from mutants.edits.edit import KINDS, Edit
from mutants.edits.everything import edits

__all__ = ["KINDS", "Edit", "edits"]
