"""The page `docs/behaviour.md`: what AWS does, and how it is known, from the cases that run against our code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from backbone.system.arguments.simulated import NOT_SIMULATED

__all__ = ["markdown"]

KNOWN = ("recorded", "documented", "inferred")
AREAS = {
    "put-events": "PutEvents",
    "deliveries": "Deliveries, buses, replay",
    "target-input": "What targets are sent",
    "patterns": "Event patterns",
    "mappings": "Lambda behind SQS",
    "pipes": "Pipes",
    "invocations": "Asynchronous invocations",
    "sqs-calls": "Calls of SQS",
    "http": "HTTP APIs",
    "permissions": "Permissions while events flow",
    "tables": "Tables",
    "time": "Retries, retention, concurrency",
    "refusals": "What AWS refuses",
    "schedules": "Schedules",
    "not-simulated": "What is not simulated",
}
HEAD = """# What AWS does

The simulator is held to answers that others recorded on AWS, to AWS's documentation, and, where neither says anything,
to what we infer. Each row is a test that runs against the simulator.
"""


def markdown() -> str:
    """The page."""
    areas: dict[str, list[str]] = {title: [] for title in AREAS.values()}
    for file in sorted((Path(__file__).parent).glob("*/**/*.yaml")):
        if file.parts[-2] in KNOWN:
            title = next(title for name, title in AREAS.items() if file.stem.startswith(name))
            areas[title] += _rows(file)
    parts = [HEAD]
    for title, rows in areas.items():
        if rows:
            parts.append(
                f"## {title}\n\n| what AWS does | how it is known | here |\n|---|---|---|\n" + "\n".join(rows) + "\n"
            )
    parts.append("\n".join(_arguments()))
    return "\n".join(parts)


def _arguments() -> Iterator[str]:
    yield "## Arguments that are not simulated\n"
    yield "Each is a finding, BB190, where it is given.\n"
    yield "| resource | argument | |\n|---|---|---|"
    for kind, arguments in NOT_SIMULATED.items():
        for argument, note in arguments.items():
            yield f"| `{kind}` | `{argument}` | {note.words} |"
    yield ""


def _rows(file: Path) -> Iterator[str]:
    read: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    known = next(part for part in reversed(file.parts) if part in KNOWN)
    if read["kind"] == "pattern":
        yield f"| {len(read['cases'])} patterns, each with what it matches or why it is refused | {known} | the same |"
        return
    if read["kind"] == "schedule":
        for case in read["cases"]:
            for words in ("refused", "taken"):
                yield f"| {len(case[words])} schedules that are {words} | {_how(known, read, case)} | the same |"
        return
    for case in read["cases"]:
        here = "not simulated: a finding says so" if "noted" in case else "the same"
        yield f"| {_plain(case.get('name') or case['test'])} | {_how(known, read, case)} | {here} |"


def _how(known: str, read: dict[str, Any], case: dict[str, Any]) -> str:
    source = case.get("from") or read.get("from") or {}
    if known == "recorded":
        date = case.get("recorded") or read.get("recorded") or ""
        return f"recorded on AWS {date}".strip()
    words = source.get("documentation") or source.get("inference") or ""
    return f"{known}: {_plain(words)}" if words else known


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")
