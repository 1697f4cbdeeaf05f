"""What the relays of a topology are called, and whether they agree with their services."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.limits import PATTERN_CHARACTERS, RULE_NAME_CHARACTERS, RULES_PER_BUS, RULES_PER_BUS_IN_REGION
from backbone.topology import routing
from backbone.topology.models import Topology
from backbone.topology.source import Problem, Source, format_value, suggestion

__all__ = ["check", "relay_rules"]


def relay_rules(topology: Topology, account: str) -> list[str]:
    """The names of the rules that relays have on the default bus of an account."""
    names = topology.names
    return [
        names.of_service(service, names.relay(relay), RULE_NAME_CHARACTERS)
        for service in topology.services_by_account.get(account, ())
        for relay in sorted(topology.services[service].relays)
    ]


def check(topology: Topology, given: Source) -> Iterator[Problem]:
    """The relays that publish what their services do not, and what of them is more than AWS takes."""
    for name, service in topology.services.items():
        own = topology.source_of(name)
        published = [event.detail_type for event in topology.published_by(name) if event.source == own]
        for key, relay in service.relays.items():
            path = ("services", name, "relays", key)
            if relay.publishes not in published:
                known = ", ".join(published) or "nothing yet"
                yield given.problem(
                    (*path, "publishes"),
                    f"got {format_value(relay.publishes)}; allowed: what the service publishes: "
                    f"{known}{suggestion(relay.publishes, published)}; add it to services.{name}.publishes",
                )
            if (size := len(routing.to_json(relay.pattern))) > PATTERN_CHARACTERS:
                yield given.problem(
                    (*path, "pattern"),
                    f"the pattern has {size:,} characters; AWS allows {PATTERN_CHARACTERS:,}; divide it among relays",
                )
    allowed = RULES_PER_BUS_IN_REGION.get(topology.region, RULES_PER_BUS)
    for account in topology.services_by_account:
        if (rules := len(relay_rules(topology, account))) > allowed:
            yield given.warning(
                ("accounts", account),
                f"the default bus would have {rules:,} rules of relays; AWS allows {allowed} per bus in "
                f"{topology.region} unless the quota 'Number of rules' is raised: ask AWS for that before you apply",
            )
