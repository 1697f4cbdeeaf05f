"""The results as a table by kind, as lists, and in the documentation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table

from mutants.bases import ROOT, Synthesized
from mutants.edits import KINDS
from mutants.harmless import HARMLESS
from mutants.run import Result, Sort

__all__ = ["SORTS", "Outcome"]

SORTS: tuple[Sort, ...] = get_args(Sort)
PAGE = ROOT / "docs" / "simulator.md"
THRESHOLDS = Path(__file__).parent / "thresholds.json"
COLUMNS = ("seen", "harmless", "missed", "tracebacks", "false alarms")

BEGIN, END = "<!-- begin: written by `make mutants` -->\n", "<!-- end: written by `make mutants` -->\n"


class Outcome:
    """The results of some edits, each with the stacks that were edited."""

    def __init__(self, results: Sequence[tuple[Synthesized, Result]]) -> None:
        self._results = results
        self._counts: Counter[tuple[str, Sort]] = Counter(
            (synthesized.edits[result.position].kind, result.sort) for synthesized, result in results
        )

    def table(self) -> Table:
        """How many edits of each kind count how."""
        table = Table("edits of", "edits", *COLUMNS)
        for row in self._rows():
            table.add_row(*row)
        return table

    def print_list(self, sort: Sort) -> None:
        """Print the edits that count so, a line each."""
        for synthesized, result in self._results:
            if result.sort == sort:
                edit = synthesized.edits[result.position]
                words = f"  # {result.words}" if result.words else ""
                print(f"{edit.kind}: {edit.line(synthesized.stacks)}{words}")

    def status(self, console: Console) -> int:
        """The exit status: 1 when the counts are worse than the thresholds, which are then said."""
        allowed = json.loads(THRESHOLDS.read_text(encoding="utf-8"))
        status = 0
        for name, sort in (("missed", "missed"), ("tracebacks", "traceback"), ("false alarms", "false alarm")):
            share = sum(result.sort == sort for _, result in self._results) / max(1, len(self._results))
            if share > allowed[name]:
                console.print(f"{name}: {share:.2%}; allowed: {allowed[name]:.2%} (mutants/{THRESHOLDS.name})")
                status = 1
        return status

    def write(self) -> None:
        """Write the table and the list of harmless edits into the documentation."""
        rows = [("edits of", "edits", *COLUMNS), ("---", *["---:"] * (len(COLUMNS) + 1)), *self._rows()]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        reasons = Counter(result.words for _, result in self._results if result.sort == "harmless")
        listed = "\n".join(
            f"- {text} ({count:,})"
            for text in dict.fromkeys(harmless.reason for harmless in HARMLESS)
            if (count := reasons[text])
        )
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        part = f"{BEGIN}{table}\n\nHarmless is:\n\n{listed}\n{END}"
        PAGE.write_text(before + part + rest.partition(END)[2], encoding="utf-8")

    def _rows(self) -> list[tuple[str, ...]]:
        kinds = [kind for kind in KINDS if any(self._counts[kind, sort] for sort in SORTS)]
        rows = [(kind, *(self._counts[kind, sort] for sort in SORTS)) for kind in kinds]
        sums = ("all", *(sum(self._counts[kind, sort] for kind in kinds) for sort in SORTS))
        return [_row(*row) for row in [*rows, sums]]


def _row(kind: object, *counts: object) -> tuple[str, ...]:
    seen, harmless, missed, tracebacks, alarms = (int(str(count)) for count in counts)
    numbers = (seen + harmless + missed + tracebacks + alarms, seen, harmless, missed, tracebacks, alarms)
    return str(kind), *(f"{number:,}" for number in numbers)
