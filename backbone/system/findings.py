"""What is wrong with a system, told before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning", "note"]
"""An error is what AWS refuses or what loses events, a warning is most likely a mistake, a note changes no status."""


@dataclass(frozen=True)
class Finding:
    """Something wrong: the rule that says so, the address of the resource block, what it is, and what it costs."""

    rule: str
    severity: Severity
    address: str
    message: str

    def __str__(self) -> str:
        return f"{self.address}: {self.message}"
