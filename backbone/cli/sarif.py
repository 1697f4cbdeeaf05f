"""Findings as SARIF 2.1.0, which code hosts show at the lines of a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backbone.system.findings import CATALOGUE, Finding, Severity

__all__ = ["sarif"]

LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "note"}


def sarif(findings: Sequence[Finding], *, services: dict[str, str], file: Path, version: str) -> dict[str, Any]:
    """The log of a run. A finding stands at its service's entry in the backbone's file, or at that file's first line.

    `services` has the name of the service that an address belongs to, if it belongs to any.
    """
    lines = _lines(file)
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
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": file.name},
                        "region": {"startLine": lines.get(services.get(found.address, ""), 1)},
                    },
                    "logicalLocations": [{"fullyQualifiedName": found.address}],
                }
            ],
        }
        for found in findings
    ]
    driver = {"name": "event-backbone", "version": version, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _lines(file: Path) -> dict[str, int]:
    """The line of each indented key of the file; of services among them."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if key := re.match(r"\s+([a-z][a-z0-9-]*):", line):
            found.setdefault(key[1], number)
    return found
