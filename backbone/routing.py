"""The patterns that decide which events reach which bus."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backbone.topology import Topology

__all__ = ["EVERYTHING", "Pattern", "forwarding", "to_json"]

Pattern = dict[str, Any]

EVERYTHING: Pattern = {"source": [{"prefix": ""}]}
"""Matches every event, replayed ones too: each has a source."""


def to_json(pattern: Pattern) -> str:
    """The pattern as compact JSON with sorted keys, as a rule holds it."""
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def forwarding(topology: Topology, service: str) -> Pattern | None:
    """What the global bus forwards to a service; None when the service is to receive nothing.

    A service that has its account to itself is told from the others by `account`, which AWS sets and nobody
    can forge; services that share an account by their `source`, which the global bus's policy pins.
    """
    account = topology.services[service].account
    own = topology.source_of(service)
    alone = topology.services_by_account[account] == (service,)
    not_own: Pattern = (
        {"account": [{"anything-but": [topology.accounts[account].id]}]}
        if alone
        else {"source": [{"anything-but": [own]}]}
    )
    if topology.routing == "broadcast":
        return not_own
    by_source: defaultdict[str | None, list[str]] = defaultdict(list)
    for one in topology.services[service].subscribes:
        by_source[one.source].append(one.detail_type)
    # A field must not stand both beside `$or` and inside it, so each alternative says all of its own.
    choices: list[Pattern] = []
    for source in sorted(by_source, key=lambda one: one or ""):
        wanted: Pattern = {"detail-type": sorted(by_source[source])}
        choices.append(not_own | wanted if source is None else not_own | wanted | {"source": [source]})
    if not choices:
        return None
    return choices[0] if len(choices) == 1 else {"$or": choices}
