"""Writes the pages of `docs/` that are made of code and tests: `python -m scripts.pages`."""

from __future__ import annotations

from pathlib import Path

from backbone.deployment.dangers import RULES
from backbone.system.findings import CATALOGUE
from backbone.topology import reference
from tests.aws import behaviour

__all__ = ["DOCS", "pages"]

DOCS = Path(__file__).parent.parent / "docs"
FINDINGS = """# Findings

What [`backbone check`](cli.md#backbone-check) can report, by its id. An **error** is what AWS refuses or what loses
events, a **warning** is most likely a mistake, and a **note** changes no exit status.

| id | severity | what it is | what it does to events | how to fix it |
|---|---|---|---|---|
"""
DANGERS = """# Dangers

What [`backbone review`](cli.md#backbone-review) can find in a plan. An **error** loses events or data, or lets anybody
in; a **warning** may do so; a **note** is worth knowing.

| danger | severity | what it does | what to do |
|---|---|---|---|
"""


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    return {
        "behaviour.md": behaviour.markdown(),
        "dangers.md": _dangers(),
        "findings.md": _findings(),
        "reference.md": reference.markdown(),
    }


def _dangers() -> str:
    rows = (f"| {name} | {rule.severity} | {rule.effect} | {rule.advice} |" for name, rule in sorted(RULES.items()))
    return DANGERS + "".join(f"{row}\n" for row in rows)


def _findings() -> str:
    rows = (
        f"| {rule} | {entry.severity} | {entry.title} | {entry.effect} | {entry.fix} |"
        for rule, entry in sorted(CATALOGUE.items())
    )
    return FINDINGS + "".join(f"{row}\n" for row in rows)


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
