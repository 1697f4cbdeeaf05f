"""Where the packages lie that a service's module needs: resolved by `backbone lock`, packed by synth, run here.

A module says what it needs in `requirements.txt`; `requirements.lock` beside it has the exact versions with the hashes
of their files. The packages lie unpacked in `.backbone/packages` beside the backbone's file: in a folder for each lock
file, and in that one for Lambda and one for each kind of machine that runs the simulator. None of it is committed.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from pathlib import Path

__all__ = ["LOCK_FILE", "REQUIREMENTS_FILE", "host_folder", "key", "lambda_folder"]

REQUIREMENTS_FILE = "requirements.txt"
LOCK_FILE = "requirements.lock"
CACHE = Path(".backbone", "packages")


def key(lock: bytes) -> str:
    """What tells the packages of one lock file from those of another."""
    return hashlib.sha256(lock.replace(b"\r\n", b"\n")).hexdigest()[:16]


def lambda_folder(project: Path, key: str, architecture: str = "arm64") -> Path:
    """The packages as Lambda runs them."""
    return project / CACHE / key / ("lambda" if architecture == "arm64" else f"lambda-{architecture}")


def host_folder(project: Path, key: str) -> Path:
    """The packages as this machine's Python runs them."""
    python = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    return project / CACHE / key / python
