"""What the last release made of the examples, as people have it deployed: today's stacks take it over in place."""

from __future__ import annotations

import json
from pathlib import Path

from tests.synthesis import Json, Stacks

__all__ = ["ADDRESSES", "DEPLOYED", "LAYOUT", "addresses", "stacks", "version"]

FOLDER = Path(__file__).parent
DEPLOYED = FOLDER / "stacks.json"
"""The stacks of an example whole, with the version that made them: real Terraform applies them."""
ADDRESSES = FOLDER / "addresses"
"""For each example a file with lines of stack, address and name."""
LAYOUT = "per-account"
"""The example in `DEPLOYED`."""


def addresses() -> dict[str, list[str]]:
    """The lines of each example."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(ADDRESSES.glob("*.txt"))}


def version() -> str:
    found: str = _deployed()["version"]
    return found


def stacks() -> Stacks:
    found: Stacks = _deployed()["stacks"]
    return found


def _deployed() -> Json:
    found: Json = json.loads(DEPLOYED.read_text(encoding="utf-8"))
    return found
