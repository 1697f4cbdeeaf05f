"""What pip-audit says of the locked packages, and the bill of materials."""

from __future__ import annotations

import subprocess
from pathlib import Path

from security.terraform import GateError
from security.tools import ROOT, environment

__all__ = ["audit", "bill_of_materials"]

LOCK = ROOT / "requirements.lock"


def audit() -> None:
    """Fail where a locked package has a known vulnerability, and where that cannot be asked."""
    options = ["--disable-pip", "--require-hashes", "--strict", "--progress-spinner", "off"]
    done = subprocess.run(
        [environment("packages") / "pip-audit", "-r", LOCK, *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise GateError(f"pip-audit: {(done.stderr or done.stdout).strip()[-2_000:]}")


def bill_of_materials(target: Path) -> None:
    """Write the locked packages as CycloneDX."""
    program = environment("packages") / "cyclonedx-py"
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(target)]
    done = subprocess.run([program, "requirements", LOCK, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise GateError(f"cyclonedx-py: {done.stderr.strip()[-2_000:]}")
