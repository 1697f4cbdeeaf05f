"""Findings that a team accepts: `backbone.accept.yaml` lists each with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from backbone.errors import BackboneError
from backbone.system.findings import CATALOGUE, Finding, finding

__all__ = ["FILE_NAME", "Acceptance", "AcceptanceError", "apply", "load"]

FILE_NAME = "backbone.accept.yaml"
SHAPE = 'a list of {rule: BB303, address: "*on-event*", reason: why it is fine}'


class AcceptanceError(BackboneError):
    """The file of accepted findings cannot be read."""


@dataclass(frozen=True)
class Acceptance:
    """Findings of a kind at the addresses that match `address`, where `*` stands for any characters."""

    rule: str
    address: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is accepted by it."""
        return finding.rule == self.rule and fnmatchcase(finding.address, self.address)


def load(file: Path) -> tuple[Acceptance, ...]:
    """The acceptances of a file, none when there is no such file; AcceptanceError when it cannot be read."""
    if not file.exists():
        return ()
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise AcceptanceError(f"{file}: cannot be read: {error}") from None
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise AcceptanceError(f"{file}: got {type(entries).__name__}; allowed: {SHAPE}")
    return tuple(_entry(file, number, entry) for number, entry in enumerate(entries))


def _entry(file: Path, number: int, entry: Any) -> Acceptance:
    place = f"{file}: [{number}]"
    if not isinstance(entry, dict) or set(entry) != {"rule", "address", "reason"}:
        raise AcceptanceError(f"{place}: got {entry!r}; allowed: rule, address and reason, as in {SHAPE}")
    for key, value in entry.items():
        if not isinstance(value, str) or not value.strip():
            raise AcceptanceError(f"{place}.{key}: got {value!r}; allowed: text")
    if entry["rule"] not in CATALOGUE:
        raise AcceptanceError(f"{place}.rule: got {entry['rule']!r}; allowed: {', '.join(CATALOGUE)}")
    return Acceptance(entry["rule"], entry["address"], entry["reason"])


def apply(findings: Sequence[Finding], acceptances: Sequence[Acceptance], file: Path) -> Iterator[Finding]:
    """The findings, of which those that are accepted are notes; an acceptance that nothing needs is a finding too."""
    unused = list(acceptances)
    for found in findings:
        by = next((each for each in acceptances if each.covers(found)), None)
        if by is None:
            yield found
            continue
        unused = [each for each in unused if each is not by]
        yield replace(found, severity="note", message=f"{found.message} (accepted: {by.reason})")
    for each in unused:
        yield finding("BB192", file.name, f"accepts {each.rule} at {each.address}, which is no finding")
