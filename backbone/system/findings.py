"""What is wrong with a system, told before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.system.catalogue import CATALOGUE
from backbone.system.catalogue.entry import SEVERITIES, Entry, Severity

__all__ = ["CATALOGUE", "SEVERITIES", "Entry", "Finding", "Severity", "finding"]


@dataclass(frozen=True)
class Finding:
    """Something wrong: the id of its kind, the address of the resource block, and what it is there."""

    rule: str
    severity: Severity
    address: str
    message: str

    @property
    def entry(self) -> Entry:
        """The kind of finding, as the catalogue has it."""
        return CATALOGUE[self.rule]

    def __str__(self) -> str:
        return f"{self.address}: {self.message}"


def finding(rule: str, address: str, message: str, *, severity: Severity | None = None) -> Finding:
    """A finding of a kind, with the severity that the catalogue gives it unless another is said."""
    return Finding(rule, severity or CATALOGUE[rule].severity, address, message)
