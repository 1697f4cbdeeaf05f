"""Runs the command `backbone` as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

__all__ = ["BACKBONE", "run"]

SETTINGS = ("BACKBONE_ENV", "BACKBONE_FILE", "CDKTF_OUTDIR", "COLUMNS")
BACKBONE = str(Path(sys.executable).parent / "backbone")


def run(*command: str, folder: Path = ROOT, status: int = 0, **environment: str) -> tuple[str, str]:
    """What a command prints to stdout and to stderr, after checking its exit status."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in ("BACKBONE_ENV", "BACKBONE_FILE", "CDKTF_OUTDIR", "COLUMNS")
    }
    done = subprocess.run(
        command, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr
