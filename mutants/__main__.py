"""Edit the stacks of the examples, one place at a time, and tell which edits are not noticed."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from mutants import report
from mutants.bases import BASES, Synthesized, synthesize
from mutants.edits import KINDS
from mutants.run import judge_all


def main() -> int:
    """Judge all edits or some; 1 when more are missed than the file of shares allows."""
    arguments = _arguments()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        for base in BASES:
            synthesize(base, workspace)
        bases = {base.name: Synthesized(base, workspace) for base in BASES}
        chosen = [
            (name, position)
            for name, synthesized in bases.items()
            for position, edit in enumerate(synthesized.edits)
            if arguments.kind in (None, edit.kind) and (arguments.match or "") in edit.line(synthesized.stacks)
        ]
        if arguments.sample is not None and arguments.sample < len(chosen):
            chosen = random.Random(arguments.seed).sample(chosen, arguments.sample)  # noqa: S311 - repeats, on purpose
        results = sorted(judge_all(workspace, chosen), key=lambda result: (result.base, result.position))
    outcome = report.Outcome([(bases[result.base], result) for result in results])
    for sort in arguments.list:
        outcome.print_list(sort)
    console = Console(stderr=bool(arguments.list))
    console.print(outcome.table())
    console.print(f"{len(results):,} edits in {time.monotonic() - began:,.0f} seconds")
    if arguments.write:
        outcome.write()
    return outcome.status(console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, help="only edits of a kind")
    parser.add_argument("--match", metavar="TEXT", help="only edits whose line has a text")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many edits, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="what the sample depends on; 0 unless given")
    parser.add_argument(
        "--list",
        action="append",
        default=[],
        choices=report.SORTS,
        help="list the edits that count so, a line each; may be repeated",
    )
    parser.add_argument("--write", action="store_true", help="write the table into the documentation")
    return parser.parse_args()


sys.exit(main()) if __name__ == "__main__" else None
