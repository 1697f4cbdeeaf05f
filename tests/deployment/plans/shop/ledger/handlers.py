"""Functions that do nothing: only what they are deployed as matters."""

from __future__ import annotations

from typing import Any


def handle(_event: dict[str, Any], _context: Any) -> None:
    """Do nothing."""
