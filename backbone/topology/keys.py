"""What the keys of a topology encrypt."""

from __future__ import annotations

from backbone.aws.key_policies import KeyUse
from backbone.aws.limits import RULE_NAME_CHARACTERS
from backbone.topology.models import Topology
from backbone.topology.relays import relay_rules

__all__ = ["key_use"]


def key_use(topology: Topology, account: str) -> KeyUse:
    """What the key of an account encrypts there."""
    services = topology.services_by_account.get(account, ())
    buses = [topology.local_bus(service) for service in services if topology.makes_bus(service)]
    on_default = [
        topology.names.of_service(service, "*", RULE_NAME_CHARACTERS)
        for service in services
        if topology.services[service].receives == "bus" and not topology.makes_bus(service)
    ]
    is_hub = topology.makes_hub and account == topology.bus.account
    return KeyUse(
        topology.place(account),
        [*buses, *([topology.global_bus] if is_hub else [])],
        default_rules=[*relay_rules(topology, account), *on_default],
        rules_elsewhere=topology.rules_on_others(account),
        archive=is_hub and topology.bus.archive_days > 0,
        reports=topology.logs.bus is not None,
    )
