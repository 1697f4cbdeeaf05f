"""Judges many edits, in as many processes as there are processors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from mutants import harmless
from mutants.bases import BASES, Synthesized
from mutants.edits import Edit
from mutants.scenario import warm_functions
from mutants.verdicts import Judge

__all__ = ["Result", "Sort", "judge_all"]

Sort = Literal["seen", "harmless", "missed", "traceback", "false alarm"]
"""How an edit counts. A false alarm is a finding about an edit that is harmless."""


@dataclass(frozen=True)
class Result:
    """What became of the edit at a position of a base's edits."""

    base: str
    position: int
    sort: Sort
    words: str


def judge_all(workspace: Path, chosen: Sequence[tuple[str, int]]) -> Iterator[Result]:
    """What becomes of some edits of the bases in a workspace, each given by its base and position."""
    # Forked processes would share what the synthesis has open.
    with get_context("spawn").Pool(os.cpu_count(), _begin, (workspace,)) as pool:
        yield from pool.imap_unordered(_judge, chosen, chunksize=20)


_workspace: list[Path] = []
_open = ExitStack()


def _begin(workspace: Path) -> None:
    _workspace.append(workspace)
    _open.enter_context(warm_functions())


@cache
def _base(name: str) -> tuple[Synthesized, Judge]:
    synthesized = Synthesized(next(base for base in BASES if base.name == name), _workspace[0])
    return synthesized, Judge(synthesized)


def _judge(chosen: tuple[str, int]) -> Result:
    name, position = chosen
    synthesized, judge = _base(name)
    sort, words = _sort(judge, synthesized.edits[position])
    return Result(name, position, sort, words)


def _sort(judge: Judge, edit: Edit) -> tuple[Sort, str]:
    certain = harmless.reason(edit, noticed=True)
    verdict = judge.judge(edit, run=certain is None)
    if verdict.how == "traceback":
        return "traceback", verdict.words
    if verdict.how != "unseen":
        return ("seen" if certain is None else "false alarm"), verdict.words
    reason = harmless.reason(edit, noticed=False)
    return ("missed", "") if reason is None else ("harmless", reason)
