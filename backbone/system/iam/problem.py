"""What is wrong with a policy document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["PolicyProblem", "Problems", "did_you_mean", "format_value"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class PolicyProblem:
    """A mistake in a policy: where in its document (`Statement[0].Effect`), and what it is.

    An error means that AWS refuses the document or that a statement can never take effect; a warning that AWS takes
    it although it is surely not meant; a note that something could not be checked.
    """

    where: str
    message: str
    severity: Severity


@dataclass
class Problems:
    """The problems of a document as they are found. `refused` says whether AWS would refuse the document."""

    found: list[PolicyProblem] = field(default_factory=list)
    refused: bool = False

    def refuse(self, where: str, message: str) -> None:
        """Add an error for which AWS refuses the whole document."""
        self.refused = True
        self.error(where, message)

    def error(self, where: str, message: str) -> None:
        """Add an error of a document that AWS takes: a statement that can never take effect."""
        self.found.append(PolicyProblem(where, message, "error"))

    def warn(self, where: str, message: str) -> None:
        """Add a warning."""
        self.found.append(PolicyProblem(where, message, "warning"))


def format_value(value: Any) -> str:
    """A value of a document in an error: short, and as JSON would have it."""
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    text = kinds.get(type(value)) or (str(value).lower() if isinstance(value, bool) else repr(value))
    return text if len(text) <= 120 else f"{text[:117]}..."


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """A question that names the nearest known word; empty when none is near."""
    from difflib import get_close_matches  # slow to load, and needed for errors only

    near = {word.lower(): word for word in known}
    found = get_close_matches(got.lower(), near, n=1, cutoff=0.75)
    return f"; did you mean {near[found[0]]}?" if found else ""
