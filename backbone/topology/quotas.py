"""AWS's quotas, and what a topology would run into.

An error is what AWS refuses; a warning is what it takes, but at a price or only after a quota was raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backbone import patterns
from backbone.aws import policies
from backbone.aws.limits import BUS_POLICY_CHARACTERS, BUSES_PER_ACCOUNT, RULES_PER_BUS, RULES_PER_BUS_ELSEWHERE
from backbone.topology import routing
from backbone.topology.models import Topology
from backbone.topology.source import KeyPath

__all__ = ["Finding", "check", "publishers"]

ACCOUNTS_IN_ONE_STATE = 10  # each provider alias is a process of 160 to 430 MB (measured)


@dataclass(frozen=True)
class Finding:
    """Something that AWS's limits have to say of a topology, at the path that causes it."""

    is_error: bool
    path: KeyPath
    message: str


def publishers(topology: Topology) -> list[policies.Publisher]:
    """The accounts that may put events on the global bus, and which ones."""
    found = []
    for account, services in topology.services_by_account.items():
        if topology.bus.pin_detail_types:
            services = tuple(one for one in services if topology.services[one].publishes)
            detail_types = [each for one in services for each in topology.services[one].publishes]
        else:
            detail_types = []
        if services:
            sources = [topology.source_of(one) for one in services]
            found.append(policies.Publisher(topology.place(account), sources, detail_types))
    return found


def check(topology: Topology) -> Iterator[Finding]:
    """All findings on a topology that is valid otherwise."""
    yield from _bus_policy(topology)
    yield from _patterns(topology)
    yield from _quotas(topology)


def _bus_policy(topology: Topology) -> Iterator[Finding]:
    limit, senders = BUS_POLICY_CHARACTERS, publishers(topology)
    if not senders:
        return
    bus_arn = topology.place(topology.bus.account).bus(topology.global_bus)
    choices = policies.global_bus_choices(bus_arn, senders, organization_id=topology.organization_id)
    sizes = [len(policies.to_json(document)) for _, document in choices]
    fitting = next((index for index, size in enumerate(sizes) if size <= limit), None)
    if fitting is None:
        ways = ["split the backbone in two"]
        if topology.organization_id is None:
            ways.insert(0, "give organization_id, so that one statement admits the whole organization")
        if topology.bus.pin_detail_types:
            ways.insert(0, "set bus.pin_detail_types to false, which leaves the sources pinned")
        message = (
            f"the global bus's policy for {len(senders)} accounts has {sizes[-1]:,} characters; AWS allows {limit:,} "
            f"(quota 'Event bus policy size'); ways out: {'; '.join(ways)}"
        )
        yield Finding(is_error=True, path=("services",), message=message)
    elif fitting > 0:
        message = (
            f"a statement for each of {len(senders)} accounts takes {sizes[0]:,} characters and AWS allows {limit:,}, "
            f"so the global bus's policy pins {choices[fitting][0]}: an account can publish under another's source"
        )
        if choices[fitting][0] == "the organization alone":
            message = message.replace("another's source", "any source, so receivers cannot trust it")
        yield Finding(is_error=False, path=("organization_id",), message=message)


def _patterns(topology: Topology) -> Iterator[Finding]:
    for service in topology.services:
        pattern = routing.forwarding(topology, service)
        size = len(routing.to_json(pattern)) if pattern else 0
        if size > patterns.MAX_CHARACTERS:
            message = (
                f"the forwarding rule's pattern has {size:,} characters; AWS allows "
                f"{patterns.MAX_CHARACTERS:,}; ways out: "
                "subscribe to fewer detail-types, split the service, or use routing: broadcast"
            )
            yield Finding(is_error=True, path=("services", service, "subscribes"), message=message)


def _quotas(topology: Topology) -> Iterator[Finding]:
    forwarding = sum(routing.forwarding(topology, one) is not None for one in topology.services)
    # The logging rule is one more, and an archive is a rule that AWS manages and hides.
    rules = forwarding + 1 + (topology.bus.archive_days > 0)
    allowed = RULES_PER_BUS.get(topology.region, RULES_PER_BUS_ELSEWHERE)
    if rules > allowed:
        message = (
            f"the global bus would have {rules:,} rules; AWS allows {allowed} per bus in {topology.region} unless "
            "the quota 'Number of rules' is raised: ask for that before you apply"
        )
        yield Finding(is_error=False, path=("services",), message=message)
    for account, services in topology.services_by_account.items():
        buses = len(services) + (account == topology.bus.account)
        if buses > BUSES_PER_ACCOUNT:
            message = (
                f"{buses} buses would be in this account; AWS allows {BUSES_PER_ACCOUNT} unless the quota 'Event "
                "buses' is raised: ask for that before you apply"
            )
            yield Finding(is_error=False, path=("accounts", account), message=message)
    accounts = len(topology.accounts_in_use)
    if topology.layout == "single" and accounts > ACCOUNTS_IN_ONE_STATE:
        message = (
            f"layout: single runs a provider process of some 400 MB for each of {accounts} accounts "
            f"at once; from {ACCOUNTS_IN_ONE_STATE + 1} on use layout: per-account, which moves no address"
        )
        yield Finding(is_error=False, path=("layout",), message=message)
