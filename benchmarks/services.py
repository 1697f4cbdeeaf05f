"""How long the functions' code takes to load, and how large its zips are."""

from __future__ import annotations

import statistics
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from backbone.synthesis.modules import load
from benchmarks.synthesis import ROOT

TIMED = "import time; began = time.perf_counter(); import {0}.handlers; print(time.perf_counter() - began)"


def cold_import(module: str, runs: int = 7) -> float:
    """Seconds to import a module's handlers in a new process, Powertools and pydantic included: the median."""
    command = [sys.executable, "-c", TIMED.format(module)]
    times = [
        float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout) for _ in range(runs)
    ]
    return statistics.median(times)


def main(console: Console) -> None:
    """Print the table."""
    table = Table("module", "import, ms (target under 400)", "zip, KB (limit 100)", title="Functions")
    for module in ("services.order", "services.delivery"):
        size = len(load(module, module, ROOT).code.content)
        table.add_row(module, f"{cold_import(module) * 1000:.0f}", f"{size / 1024:.1f}")
    console.print(table)
