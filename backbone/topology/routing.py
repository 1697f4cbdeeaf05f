"""The event patterns that decide which events reach which bus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backbone.topology.models import SubscriptionEntry, Topology

__all__ = ["EVERYTHING", "Confidential", "PatternJson", "confidential", "forwarding", "subscription", "to_json"]

PatternJson = dict[str, Any]
"""An event pattern as `json.loads` would give it."""

EVERYTHING: PatternJson = {"source": [{"prefix": ""}]}
"""Matches every event, replayed events too, since each has a source."""


@dataclass(frozen=True)
class Confidential:
    """Events whose `detail` is in no log: those of some detail-types, and all of some sources."""

    detail_types: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def pattern(self) -> PatternJson:
        """Matches these events."""
        fields = self._fields()
        return dict(fields) if len(fields) == 1 else {"$or": [{field: values} for field, values in fields]}

    @property
    def others(self) -> PatternJson:
        """Matches all other events."""
        return {field: [{"anything-but": values}] for field, values in self._fields()}

    def _fields(self) -> list[tuple[str, list[str]]]:
        fields = [("detail-type", list(self.detail_types)), ("source", list(self.sources))]
        return [(field, values) for field, values in fields if values]


def confidential(topology: Topology) -> Confidential | None:
    """The events that a topology declares confidential; None when there are none."""
    sources = tuple(sorted(topology.source_of(name) for name, entry in topology.services.items() if entry.confidential))
    detail_types = tuple(sorted(topology.confidential))
    return Confidential(detail_types, sources) if detail_types or sources else None


def to_json(pattern: PatternJson) -> str:
    """A pattern as the compact JSON with sorted keys that rules have."""
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def forwarding(topology: Topology, service: str) -> PatternJson | None:
    """The pattern of the events that the global bus forwards to a service; None when it is to receive nothing.

    A service's own events are excluded. Where the service has its account to itself, they are recognized by `account`,
    which AWS sets and nobody can forge; where it shares the account, by `source`, which the global bus's policy pins.
    """
    account = topology.services[service].account
    if topology.services_by_account[account] == (service,):
        others: PatternJson = {"account": [{"anything-but": [topology.accounts[account].id]}]}
    else:
        others = {"source": [{"anything-but": [topology.source_of(service)]}]}
    if topology.routing == "broadcast":
        return others
    subscribes = topology.services[service].subscribes
    return subscription(subscribes, beside=others) if subscribes else None


def subscription(entries: Iterable[SubscriptionEntry], *, beside: PatternJson | None = None) -> PatternJson:
    """The pattern of the events that entries subscribe to and that match the fields `beside` as well.

    In EventBridge a field may not be both beside `$or` and inside it, so each alternative has all its fields.
    """
    by_source: defaultdict[str | None, list[str]] = defaultdict(list)
    for entry in entries:
        by_source[entry.source].append(entry.detail_type)
    alternatives: list[PatternJson] = []
    for source, detail_types in sorted(by_source.items(), key=lambda item: item[0] or ""):
        alternative = {**(beside or {}), "detail-type": sorted(set(detail_types))}
        alternatives.append(alternative if source is None else alternative | {"source": [source]})
    return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}
