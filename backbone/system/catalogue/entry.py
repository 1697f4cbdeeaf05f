"""A kind of finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["LOST", "REFUSED", "SEVERITIES", "Entry", "Severity"]

Severity = Literal["error", "warning", "note"]
"""An error is what AWS refuses or what loses events, a warning is most likely a mistake, a note changes no status."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

LOST = "Events are lost without a trace."
REFUSED = "The apply fails there, and what depends on the resource is not made."


@dataclass(frozen=True)
class Entry:
    """A kind of finding: what it is, how severe, what it does to events, and how to fix it."""

    title: str
    severity: Severity
    effect: str
    fix: str
