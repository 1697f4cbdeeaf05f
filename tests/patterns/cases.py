"""The cases in `cases/*.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cases"


def load(*files: str) -> list[Any]:
    """The cases of files as pytest's parameters, each named by what it shows."""
    return [
        pytest.param(case, id=f"{file}-{number}: {case['case']}")
        for file in files
        for number, case in enumerate(json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8")))
    ]


def names(prefix: str) -> list[str]:
    """The names of files that begin so."""
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}*.json"))
