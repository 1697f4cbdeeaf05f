"""Run the gate: `python -m security`, or `python -m security --no-audit` where pip-audit's source is not reached."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from security.packages import audit, bill_of_materials
from security.stacks import synthesized
from security.terraform import GateError, checkov, parliament
from security.tools import ROOT
from security.verdict import accepted, unaccepted

BILL = ROOT / "sbom.cdx.json"


def main() -> int:
    """Print what was found, and return the status of the command."""
    parser = argparse.ArgumentParser(prog="python -m security", description=__doc__)
    parser.add_argument("--no-audit", action="store_true", help="leave pip-audit out, and say so")
    arguments, console = parser.parse_args(), Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory() as folder, console.status("synthesizing") as status:
            systems = synthesized(Path(folder) / "stacks")
            status.update("checkov")
            found = checkov(systems, Path(folder) / "checkov")
            status.update("parliament")
            found += parliament(systems)
            status.update("the bill of materials")
            bill_of_materials(BILL)
            if not arguments.no_audit:
                status.update("pip-audit")
                audit()
    except GateError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    table = Table("check", "found", "accepted because", title=f"{len(systems)} topologies")
    entries = accepted()
    for check, count in sorted(Counter(each.check for each in found).items()):
        table.add_row(check, str(count), "; ".join(entry.reason for entry in entries if entry.check == check))
    Console().print(table)
    lines = unaccepted(found, entries)
    for line in lines:
        console.print(line, style="red", markup=False, soft_wrap=True)
    if arguments.no_audit:
        console.print("not audited: the locked packages were not looked up (--no-audit)", style="yellow")
    return 1 if lines else 0


sys.exit(main())
