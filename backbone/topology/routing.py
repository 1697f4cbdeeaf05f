"""The patterns that decide which events reach which bus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from backbone.topology.models import SubscriptionEntry, Topology

__all__ = ["EVERYTHING", "PatternJson", "forwarding", "subscription", "to_json"]

PatternJson = dict[str, Any]


EVERYTHING: PatternJson = {"source": [{"prefix": ""}]}
"""Matches every event, replayed ones too: each has a source."""


def to_json(pattern: PatternJson) -> str:
    """The pattern as compact JSON with sorted keys, as a rule holds it."""
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def forwarding(topology: Topology, service: str) -> PatternJson | None:
    """What the global bus forwards to a service; None when the service is to receive nothing.

    A service that has its account to itself is told from the others by `account`, which AWS sets and nobody
    can forge; services that share an account by their `source`, which the global bus's policy pins.
    """
    account = topology.services[service].account
    own = topology.source_of(service)
    alone = topology.services_by_account[account] == (service,)
    not_own: PatternJson = (
        {"account": [{"anything-but": [topology.accounts[account].id]}]}
        if alone
        else {"source": [{"anything-but": [own]}]}
    )
    if topology.routing == "broadcast":
        return not_own
    wanted = topology.services[service].subscribes
    return subscription(wanted, beside=not_own) if wanted else None


def subscription(wanted: Iterable[SubscriptionEntry], *, beside: PatternJson | None = None) -> PatternJson:
    """Matches what is wanted, as far as it also matches what stands `beside`.

    A field must not stand both beside `$or` and inside it, so each alternative says all of its own.
    """
    by_source: defaultdict[str | None, list[str]] = defaultdict(list)
    for one in wanted:
        by_source[one.source].append(one.detail_type)
    choices: list[PatternJson] = []
    for source in sorted(by_source, key=lambda one: one or ""):
        choice = {**(beside or {}), "detail-type": sorted(set(by_source[source]))}
        choices.append(choice if source is None else choice | {"source": [source]})
    return choices[0] if len(choices) == 1 else {"$or": choices}
