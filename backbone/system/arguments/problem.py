"""A problem with an argument, and how a value is shown in its text."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backbone.system.findings import Severity

__all__ = ["ArgumentProblem", "format_value", "is_unresolved", "listed"]

_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")


@dataclass(frozen=True)
class ArgumentProblem:
    """What is wrong with the argument at a path, such as `retry_policy.maximum_retry_attempts` or `layers[2]`.

    An error is what Terraform or AWS would refuse. The path is empty where the problem is the resource's as a whole.
    """

    path: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def is_unresolved(value: Any) -> bool:
    """Whether a value is, or holds, an expression that only Terraform could evaluate."""
    return isinstance(value, str) and _TEMPLATE.search(value) is not None


def format_value(value: Any) -> str:
    """A value of Terraform's JSON, or what kind of value it is, short enough for a line of text."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "a block"
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        return kind if value else kind.replace(" ", "n empty " if kind == "a list" else " empty ", 1)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:50]}… ({len(str(value)):,} characters)"


def listed(got: str, names: Sequence[str]) -> str:
    """The names that are allowed, or where they are many those that are like what was got."""
    by_lower = {name.lower(): name for name in names}

    def close(number: int, cutoff: float) -> list[str]:
        return [by_lower[name] for name in difflib.get_close_matches(got.lower(), by_lower, n=number, cutoff=cutoff)]

    if len(names) > 12:
        return f"{', '.join(close(5, 0.3) or names[:5])} and others, {len(names)} in all"
    meant = close(1, 0.8)
    return ", ".join(names) + (f" (did you mean {meant[0]}?)" if meant else "")
