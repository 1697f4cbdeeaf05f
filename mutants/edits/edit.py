"""An edit, and what kind of thing it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mutants.documents import Path, format_change, format_path, value_at

__all__ = ["ASSETS", "KINDS", "MANIFEST", "Edit", "Stacks"]

Stacks = Mapping[str, Any]
"""The JSON values of stacks by their names."""

ASSETS = "(assets)"
"""Where a stack's zips stand in its values: file name to the files within."""

MANIFEST = "(manifest)"
"""Where the manifest stands beside the stacks: its values, or its text where that is broken."""

KINDS = (
    "IAM grammar",
    "IAM evaluation",
    "names",
    "references",
    "accounts and regions",
    "dependencies",
    "patterns",
    "rules and targets",
    "buses and archives",
    "functions",
    "code",
    "permissions",
    "roles",
    "queues",
    "tables",
    "HTTP API",
    "topics",
    "streams and buckets",
    "state machines",
    "API destinations",
    "schedules",
    "pipes",
    "keys",
    "logs",
    "manifest",
)
"""What edits are about, as the table of results shows it."""


@dataclass(frozen=True)
class Edit:
    """One change: `what` is done at the place `path`, which begins with the stack, and what stands there then."""

    kind: str
    what: str
    path: Path
    after: Any

    @property
    def type(self) -> str:
        """The resource type that is edited; `provider`, `output` or `manifest` outside of resources."""
        if self.path[0] == MANIFEST:
            return "manifest"
        return str(self.path[2 if self.path[1] == "resource" else 1])

    @property
    def address(self) -> str:
        """The address of the resource block."""
        if self.path[0] == MANIFEST:
            return MANIFEST
        end = 4 if self.path[1] == "resource" else 3
        return f"{self.path[0]}/" + ".".join(map(str, self.path[1:end])).removeprefix("resource.")

    @property
    def argument(self) -> str:
        """The place within the block, such as `retry_policy.maximum_retry_attempts`; empty for the whole block."""
        if self.path[0] == MANIFEST:
            return format_path(self.path[1:])
        return format_path(self.path[4 if self.path[1] == "resource" else 3 :])

    @property
    def likeness(self) -> tuple[str, str, str]:
        """What edits share that differ only in the resource, or in the element of a list, that is edited."""
        return self.type, re.sub(r"\[\d+\]", "[]", self.argument), self.what

    def line(self, stacks: Stacks) -> str:
        """The edit in a line: where, what, and what stood and stands there."""
        change = format_change(value_at(stacks, self.path), self.after)
        return f"{self.address}  {self.argument or '(block)'}  {self.what}: {change}"
