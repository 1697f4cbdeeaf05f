"""The global buses of a topology."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from backbone.aws.arn import Arn, Place
from backbone.aws.names import GLOBAL
from backbone.topology.entries import BusEntry
from backbone.topology.publications import Publication

__all__ = ["Hub", "elsewhere_json", "place_of"]


@dataclass(frozen=True)
class Hub:
    """A global bus: `key` is what the file calls it, `global` where it is that of `bus`, and `name` its name in AWS.

    `account` is None where the file does not have its account, which then `place` alone tells.
    """

    key: str
    name: str
    place: Place
    account: str | None
    entry: BusEntry

    @property
    def arn(self) -> str:
        """The ARN of the bus."""
        return self.place.bus(self.name)

    @property
    def is_made(self) -> bool:
        """Whether the bus is made, with its policy, log and archive; else it exists."""
        return self.entry.arn is None

    @property
    def is_further(self) -> bool:
        """Whether it is one of `buses`."""
        return self.key != GLOBAL


def place_of(entry: BusEntry) -> Place | None:
    """Where a bus that exists is; None for a bus that is made."""
    return Arn.parse(entry.arn).place if entry.arn else None


def elsewhere_json(elsewhere: Mapping[Publication, Hub]) -> str | None:
    """What the runtime reads from EVENT_BUS_ARNS: the ARN of a global bus by source and detail-type; None for none."""
    found: dict[str, dict[str, str]] = {}
    for event in sorted(elsewhere):
        found.setdefault(event.source, {})[event.detail_type] = elsewhere[event].arn
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) if found else None
