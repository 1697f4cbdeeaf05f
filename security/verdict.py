"""What the tools find, and which of it is accepted with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Accepted", "Found", "accepted", "unaccepted"]

FILE = Path(__file__).with_name("accepted.yaml")


@dataclass(frozen=True, order=True)
class Found:
    """Something that a tool finds wrong with a resource or a package of a topology."""

    check: str
    topology: str
    resource: str
    words: str

    def __str__(self) -> str:
        return f"{self.check} {self.topology}: {self.resource}: {self.words}"


class Accepted(BaseModel):
    """A check that may fail, for resources and topologies of some names, in which `*` stands for any characters."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    check: str
    resources: str = "*"
    topologies: tuple[str, ...] = ("*",)
    reason: str = Field(min_length=20)

    def covers(self, found: Found) -> bool:
        """Whether it is about a finding."""
        return (
            found.check == self.check
            and fnmatchcase(found.resource, self.resources)
            and any(fnmatchcase(found.topology, pattern) for pattern in self.topologies)
        )


def accepted(file: Path = FILE) -> list[Accepted]:
    """The entries of the list."""
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [
        Accepted.model_validate(entry | {"topologies": tuple(entry.get("topologies", ("*",)))}) for entry in entries
    ]


def unaccepted(found: Iterable[Found], entries: Iterable[Accepted]) -> list[str]:
    """What nobody accepted, and the entries that are about nothing."""
    entries, every = list(entries), sorted(set(found))
    lines = [str(each) for each in every if not any(entry.covers(each) for entry in entries)]
    unused = [entry for entry in entries if not any(entry.covers(each) for each in every)]
    return lines + [
        f"{FILE.name}: {entry.check} on {entry.resources}: nothing is found that it accepts" for entry in unused
    ]
