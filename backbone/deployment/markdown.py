"""A review as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.deployment.dangers import RULES
from backbone.deployment.differences import VERBS
from backbone.deployment.review import Review

__all__ = ["markdown"]

SHOWN = 500
"""More changes than these are counted only: a code host cuts comments off."""


def markdown(found: Review) -> str:
    """A review as Markdown. The same review gives the same text."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Review) -> Iterator[str]:
    counts = ", ".join(f"{VERBS[action]} {count}" for action, count in sorted(found.counts.items()))
    yield f"## Plan: {counts or 'no resource changes'}"
    if found.dangers:
        yield ""
        yield "| severity | danger | where | what |"
        yield "|---|---|---|---|"
        for danger in found.dangers:
            what = f"{_cell(danger.message)}. {RULES[danger.rule].effect} {RULES[danger.rule].advice}"
            yield f"| **{danger.severity}** | {danger.rule} | `{_cell(danger.id)}` | {what} |"
    for name, words in found.words.items():
        yield ""
        yield f"### {name}"
        yield from (f"- {_text(line)}" for line in words)
    if found.changes:
        yield ""
        yield "<details><summary>All changes</summary>"
        yield ""
        yield from (f"- {VERBS[change.action]} `{change.id}`" for change in found.changes[:SHOWN])
        if (more := len(found.changes) - SHOWN) > 0:
            yield f"- and {more} more"
        yield ""
        yield "</details>"


def _cell(text: str) -> str:
    """A text in a table: a bar would begin another cell."""
    return _text(text).replace("|", "\\|").replace("\n", " ")


def _text(text: str) -> str:
    """A text that says what it says: names in plans are others' words, and must not become markup or mentions."""
    return text.replace("<", "&lt;").replace("@", "@\u200b")
