"""Findings as SARIF 2.1.0, which code hosts show at the lines of a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backbone.system.findings import CATALOGUE, Finding, Severity
from backbone.topology import places

__all__ = ["sarif"]

LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "note"}


def sarif(findings: Sequence[Finding], *, services: dict[str, str], file: Path, version: str) -> dict[str, Any]:
    """The log of a run. A finding stands at its service's entry, or at the first line of the backbone's file.

    `services` has the name of the service that an address belongs to, if it belongs to any.
    """
    there = places(file)
    rules = [
        {
            "id": rule,
            "shortDescription": {"text": entry.title},
            "help": {"text": f"{entry.effect} {entry.fix}"},
            "defaultConfiguration": {"level": LEVELS[entry.severity]},
        }
        for rule, entry in CATALOGUE.items()
    ]
    results = [
        {
            "ruleId": found.rule,
            "level": LEVELS[found.severity],
            "message": {"text": f"{found}. {found.entry.effect} {found.entry.fix}"},
            "locations": [_location(found.address, there.get(services.get(found.address, ""), (file, 1)), file.parent)],
        }
        for found in findings
    ]
    driver = {"name": "event-backbone", "version": version, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _location(address: str, place: tuple[Path, int], folder: Path) -> dict[str, Any]:
    file, line = place
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(file.relative_to(folder).as_posix())},
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": address}],
    }
