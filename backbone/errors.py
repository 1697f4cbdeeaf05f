"""What a user's mistake is raised as."""

from __future__ import annotations

__all__ = ["BackboneError"]


class BackboneError(Exception):
    """A mistake in what the user gave, told in full by its text: commands print that, without a traceback."""
