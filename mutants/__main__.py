"""Edit the stacks of the examples, one place at a time, and tell which edits are not noticed."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
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
        chosen = _chosen(arguments, bases)
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


def _chosen(arguments: argparse.Namespace, bases: Mapping[str, Synthesized]) -> list[tuple[str, int]]:
    """The edits that are asked for, by base and position."""
    draw = random.Random(arguments.seed)  # noqa: S311 - repeats, on purpose
    alike: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for name, synthesized in bases.items():
        for position, edit in enumerate(synthesized.edits):
            if arguments.kind in (None, edit.kind) and arguments.match in edit.line(synthesized.stacks):
                alike[edit.likeness].append((name, position))
    drawn = [draw.sample(edits, min(len(edits), arguments.each or len(edits))) for edits in alike.values()]
    return [edit for edits in drawn for edit in edits]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, help="only edits of a kind")
    parser.add_argument("--match", metavar="TEXT", default="", help="only edits whose line has a text")
    parser.add_argument("--each", type=int, metavar="N", help="of edits that differ only in the resource, only so many")
    parser.add_argument("--seed", type=int, default=0, help="what is drawn of these; 0 unless given")
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
