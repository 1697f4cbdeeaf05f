"""The event patterns that decide which events reach which bus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backbone.aws.limits import PATTERN_CHARACTERS
from backbone.patterns import Pattern, PatternError
from backbone.topology.hubs import Hub
from backbone.topology.models import Topology
from backbone.topology.subscriptions import SubscriptionEntry

__all__ = [
    "EVERYTHING",
    "Confidential",
    "Forwarded",
    "PatternJson",
    "confidential",
    "forwarded",
    "forwarding",
    "subscription",
    "to_json",
]

PatternJson = dict[str, Any]
"""An event pattern as `json.loads` would give it."""

EVERYTHING: PatternJson = {"source": [{"prefix": ""}]}
"""Matches every event, replayed events too, since each has a source."""


@dataclass(frozen=True)
class Forwarded:
    """The events that are forwarded to a service; `left_out` has the entries that are narrower than the pattern."""

    pattern: PatternJson
    left_out: tuple[SubscriptionEntry, ...] = ()


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
    hidden = (name for name, entry in topology.services.items() if entry.confidential)
    sources = tuple(sorted(source for name in hidden for source in topology.sources_of(name)))
    detail_types = tuple(sorted(topology.confidential))
    return Confidential(detail_types, sources) if detail_types or sources else None


def to_json(pattern: PatternJson) -> str:
    """A pattern as the compact JSON with sorted keys that rules have."""
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def forwarding(topology: Topology, service: str, hub: Hub) -> PatternJson | None:
    """The pattern of the events that a global bus forwards to a service; None when it is to receive nothing of it."""
    found = forwarded(topology, service, hub)
    return found.pattern if found else None


def forwarded(topology: Topology, service: str, hub: Hub) -> Forwarded | None:
    """Which events a global bus forwards to a service; None when it is to receive nothing of it.

    A service's own events are excluded. Where the service has its account to itself, they are recognized by `account`,
    which AWS sets and nobody can forge; where it shares the account, by `source`, which the global bus's policy pins.

    With `routing: subscribed`, what is published on others of the service's buses is left to these. What would make the
    pattern too long for EventBridge is left out, the longest first: filters on the detail, then sources. The
    service's own rules still have all of it.
    """
    if not topology.forwards(service, hub):
        return None
    account = topology.services[service].account
    others: PatternJson
    if topology.services_by_account[account] == (service,):
        others = {"account": [{"anything-but": [topology.accounts[account].id]}]}
    else:
        others = {"source": [{"anything-but": list(topology.sources_of(service))}]}
    if topology.routing == "broadcast":
        return Forwarded(others)
    wanted = (entry for entry in topology.services[service].subscribes if _is_on(topology, service, hub, entry))
    given = (_without_own(topology, service, entry) for entry in wanted)
    entries = [entry for entry in given if entry.source != ()]
    if not entries:
        return None
    left_out: list[SubscriptionEntry] = []
    while True:
        pattern = subscription(entries, beside=others)
        narrowest = max(filter(_narrows, entries), key=_narrowing, default=None)
        if narrowest is None or _fits(pattern):
            return Forwarded(pattern, tuple(left_out))
        left_out.append(narrowest)
        key = "source" if narrowest.detail is None else "detail"
        wider = narrowest.model_copy(update={key: None})
        entries = [wider if entry is narrowest else entry for entry in entries]


def _is_on(topology: Topology, service: str, hub: Hub, entry: SubscriptionEntry) -> bool:
    """Whether a service gets from a global bus what an entry asks for, and not from others of its buses alone."""
    hubs = topology.hubs_of(service)
    if len(hubs) == 1 or not hub.is_made:  # on a bus of somebody else there are others who publish
        return True
    on = topology.published_for(service, entry)
    return hub.key in on or on.isdisjoint(each.key for each in hubs)


def _narrows(entry: SubscriptionEntry) -> bool:
    """Whether an entry could be wider and still be known by its detail-type or source."""
    return entry.detail is not None or (entry.source is not None and entry.detail_type is not None)


def _narrowing(entry: SubscriptionEntry) -> tuple[bool, int, str]:
    """What to leave out first: filters before sources, and of these the longest."""
    text = to_json(entry.pattern)
    return entry.detail is not None, len(text), text


def _fits(pattern: PatternJson) -> bool:
    text = to_json(pattern)
    if len(text) > PATTERN_CHARACTERS:
        return False
    try:
        Pattern.parse(text)
    except PatternError:
        return False  # each alternative is good by itself, but not every one within $or
    return True


def _without_own(topology: Topology, service: str, entry: SubscriptionEntry) -> SubscriptionEntry:
    """An entry whose prefix would take a source of the service: with the sources of others in its place.

    Of a field that must begin alike, a pattern cannot exclude a value.
    """
    if entry.source is None or not any(map(entry.takes_from, topology.sources_of(service))):
        return entry
    if topology.services_by_account[topology.services[service].account] == (service,):
        return entry  # its own events are excluded by their account
    others = sorted(source for name in topology.services if name != service for source in topology.sources_of(name))
    return entry.model_copy(update={"source": tuple(source for source in others if entry.takes_from(source))})


def subscription(entries: Iterable[SubscriptionEntry], *, beside: PatternJson | None = None) -> PatternJson:
    """The pattern of the events that entries subscribe to and that match the fields `beside` as well.

    In EventBridge a field may not be both beside `$or` and inside it, so each alternative has all its fields.
    """
    alike: defaultdict[str, list[SubscriptionEntry]] = defaultdict(list)
    for entry in entries:
        alike[_beside_detail_type(entry)].append(entry)
    alternatives: list[PatternJson] = []
    for _, group in sorted(alike.items()):
        detail_types = sorted({entry.detail_type for entry in group if entry.detail_type})
        alternative = {**(beside or {}), **group[0].pattern}
        alternatives.append(alternative | ({"detail-type": detail_types} if detail_types else {}))
    return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}


def _beside_detail_type(entry: SubscriptionEntry) -> str:
    """What an entry asks for but for the detail-type, so that entries that ask alike share an alternative."""
    rest = {key: value for key, value in entry.pattern.items() if key != "detail-type"}
    return f"{'' if entry.detail_type else 'any'} {to_json(rest) if rest else ''}"
