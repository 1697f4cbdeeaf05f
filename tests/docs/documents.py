"""The project's Markdown, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

__all__ = ["DOCUMENTS", "Block", "blocks", "code"]

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code, with its file and line."""

    file: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def blocks(file: Path, language: str) -> list[Block]:
    """The blocks of code in a language."""
    text = file.read_text(encoding="utf-8")
    return [
        Block(file, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in FENCE.finditer(text)
        if found[1] == language
    ]


def code(file: Path) -> list[str]:
    """What could be typed into a shell: spans of code, and the lines of console blocks with continued lines joined."""
    text = file.read_text(encoding="utf-8")
    lines = [line for block in blocks(file, "console") for line in block.text.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
