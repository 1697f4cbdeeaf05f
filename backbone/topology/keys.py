"""What the keys of a topology encrypt."""

from __future__ import annotations

from typing import Literal

from backbone.aws.key_policies import KeyUse
from backbone.aws.limits import RULE_NAME_CHARACTERS
from backbone.aws.names import DEFAULT_BUS
from backbone.topology.models import Topology
from backbone.topology.relays import relay_rules

__all__ = ["key_use"]


def key_use(topology: Topology, account: str, part: Literal["all", "buses", "services"] = "all") -> KeyUse:
    """What the key of an account encrypts there; where further global buses have a stack, each part has its own key."""
    hubs = [
        hub
        for hub in topology.hubs.values()
        if hub.is_made and hub.account == account and (part == "all" or hub.is_further == (part == "buses"))
    ]
    services = topology.services_by_account.get(account, ()) if part != "buses" else ()
    buses = [topology.local_bus(service) for service in services if topology.makes_bus(service)]
    on_existing = [service for service in services if topology.receives_elsewhere(service)]
    elsewhere = [
        hub
        for hub in topology.hubs.values()
        if hub not in hubs and part in ("all", "services" if topology.owns_rule(hub) or not hub.is_further else "buses")
    ]
    place = topology.place(account)
    return KeyUse(
        place,
        [*buses, *(hub.name for hub in hubs)],
        default_rules=[
            *(relay_rules(topology, account) if services else ()),
            *(
                f"{'' if (bus := topology.local_bus(service)) == DEFAULT_BUS else f'{bus}/'}"
                f"{topology.names.of_service(service, '*', RULE_NAME_CHARACTERS)}"
                for service in on_existing
            ),
        ],
        rules_elsewhere=[rule for hub in elsewhere for rule in topology.rules_of(account, hub)],
        archive=any(hub.entry.archive_days > 0 for hub in hubs),
        reports=topology.logs.bus is not None,
    )
