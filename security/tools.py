"""The tools of the gate, each in an environment of its own: what they need must not meet what the project needs.

Their versions and hashes are in `security/requirements`; `python -m security.tools` resolves them anew.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

__all__ = ["ROOT", "environment"]

ROOT = Path(__file__).parent.parent
LOCKS = Path(__file__).parent / "requirements"
ENVIRONMENTS = Path(sys.prefix) / "security"


def environment(tool: str) -> Path:
    """The folder with the programs of a tool's environment, made when it is not there or not of the lock file."""
    lock, folder = LOCKS / f"{tool}.txt", ENVIRONMENTS / tool
    stamp, now = folder / ".installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != now:
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "sync", "--require-hashes", "--python", str(folder / "bin" / "python"), str(lock))
        stamp.write_text(now)
    return folder / "bin"


def lock(tool: str) -> None:
    """Resolve what a tool needs, for every Python from 3.11 on."""
    source, target = LOCKS / f"{tool}.in", LOCKS / f"{tool}.txt"
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
    _uv("pip", "compile", *options, "--no-annotate", "--no-header", str(source), "-o", str(target))


def _uv(*words: str) -> None:
    subprocess.run([find_uv_bin(), *words, "--quiet"], check=True)


if __name__ == "__main__":
    for file in sorted(LOCKS.glob("*.in")):
        lock(file.stem)
