"""AWS's quotas, and which of them a topology would exceed.

An error is what AWS refuses. A warning is what AWS accepts, but at a price or only once it has raised a quota.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from backbone.aws import key_policies, policies
from backbone.aws.limits import (
    BUS_POLICY_CHARACTERS,
    BUSES_PER_ACCOUNT,
    KEY_POLICY_BYTES,
    PATTERN_CHARACTERS,
    RULES_PER_BUS,
    RULES_PER_BUS_IN_REGION,
)
from backbone.topology import routing
from backbone.topology.keys import key_use
from backbone.topology.models import Topology
from backbone.topology.source import Problem, Source

__all__ = ["check", "policy", "publishers", "rule_owners", "statements"]

ACCOUNTS_IN_ONE_STATE = 10  # each provider alias is a process of 160 to 430 MB (measured)


def publishers(topology: Topology) -> list[policies.Publisher]:
    """The accounts that may put events on the global bus, with the sources of their services and what is under each."""
    found = []
    for account, services in topology.services_by_account.items():
        events: dict[str, set[str]] = {}
        for name in services:
            if not topology.bus.pin_detail_types:
                events |= {source: set() for source in topology.sources_of(name)}
            for event in topology.published_by(name) if topology.bus.pin_detail_types else ():
                events.setdefault(event.source, set()).add(event.detail_type)
        if events:
            found.append(policies.Publisher(topology.place(account), {key: sorted(events[key]) for key in events}))
    return found


def rule_owners(topology: Topology, accounts: Collection[str] | None = None) -> list[policies.Document]:
    """The statements of the global bus's policy that let services' accounts, or some, have their rules on it."""
    some = topology.services_by_account if accounts is None else accounts
    owned = {account: topology.rules_elsewhere(account) for account in some}
    return [policies.own_rules(topology.place(account), rules) for account, rules in owned.items() if rules]


def statements(topology: Topology, accounts: Collection[str]) -> list[policies.Document]:
    """The statements that the global bus's policy must have for some accounts."""
    ids = {topology.accounts[account].id for account in accounts}
    policy = policies.global_bus(
        topology.hub.bus(topology.global_bus),
        [publisher for publisher in publishers(topology) if publisher.place.account_id in ids],
        organization_id=None,
        others=rule_owners(topology, accounts),
    )
    return list(policy["Statement"]) if policy else []


def policy(topology: Topology) -> policies.Document:
    """The statements for all accounts, as a policy that has no others."""
    return {"Statement": statements(topology, topology.services_by_account), "Version": "2012-10-17"}


def check(topology: Topology, given: Source) -> Iterator[Problem]:
    """The quotas that a topology exceeds; `given` is the file that it was read from."""
    yield from _check_bus_policy(topology, given)
    yield from _check_patterns(topology, given)
    yield from _check_key_policies(topology, given)
    yield from _check_rules(topology, given)
    yield from _check_accounts(topology, given)


def _check_bus_policy(topology: Topology, given: Source) -> Iterator[Problem]:
    limit, senders, others = BUS_POLICY_CHARACTERS, publishers(topology), rule_owners(topology)
    if not senders and not others:
        return
    bus_arn = topology.hub.bus(topology.global_bus)
    choices = policies.global_bus_choices(bus_arn, senders, organization_id=topology.organization_id, others=others)
    sizes = [len(policies.to_json(document)) for _, document in choices]
    fitting = next((index for index, size in enumerate(sizes) if size <= limit), None)
    if fitting is None:
        ways = ["split the backbone in two"]
        if others:
            ways.insert(0, "use rules: platform, which takes no statement for each account with a rule")
        if topology.organization_id is None:
            ways.insert(0, "give organization_id, so that one statement admits the whole organization")
        if topology.bus.pin_detail_types:
            ways.insert(0, "set bus.pin_detail_types to false, which leaves the sources pinned")
        yield given.problem(
            ("services",),
            f"the global bus's policy for {len(senders)} accounts has {sizes[-1]:,} characters; AWS allows {limit:,} "
            f"(quota 'Event bus policy size'); ways out: {'; '.join(ways)}",
        )
    elif fitting > 0 and choices[fitting][0] == policies.BY_ACCOUNT:
        yield given.warning(
            ("services",),
            f"a statement for each source takes {sizes[0]:,} characters and AWS allows {limit:,}, so the global bus's "
            "policy has one for each account: where an account has several sources, what is published under one of "
            "them may be put under the others",
        )
    elif fitting > 0:
        sizes = sizes[[pinned for pinned, _ in choices].index(policies.BY_ACCOUNT) :]
        pinned = choices[fitting][0]
        whose = "any source, so receivers cannot trust it" if pinned == "the organization alone" else "another's source"
        yield given.warning(
            ("organization_id",),
            f"a statement for each of {len(senders)} accounts takes {sizes[0]:,} characters and AWS allows {limit:,}, "
            f"so the global bus's policy pins {pinned}: an account can publish under {whose}",
        )


def _check_patterns(topology: Topology, given: Source) -> Iterator[Problem]:
    for service in topology.services:
        found = routing.forwarded(topology, service)
        size = len(routing.to_json(found.pattern)) if found else 0
        if size > PATTERN_CHARACTERS:
            yield given.problem(
                ("services", service, "subscribes"),
                f"the forwarding rule's pattern has {size:,} characters; AWS allows {PATTERN_CHARACTERS:,}; ways out: "
                "subscribe to fewer detail-types, split the service, or use routing: broadcast",
            )
        elif found and found.left_out:
            names = sorted({entry.called for entry in found.left_out})
            yield given.warning(
                ("services", service, "subscribes"),
                f"the forwarding rule cannot have all filters in {PATTERN_CHARACTERS:,} characters of a pattern, so it "
                f"is wider than what is subscribed to: more of {', '.join(names)} than wanted is delivered to the "
                "local bus, and paid for; the service's own rules leave it out",
            )
    hidden = routing.confidential(topology)
    size = max(len(routing.to_json(pattern)) for pattern in (hidden.pattern, hidden.others)) if hidden else 0
    if size > PATTERN_CHARACTERS:
        yield given.problem(
            ("confidential",) if topology.confidential else ("services",),
            f"the pattern of confidential events has {size:,} characters; AWS allows {PATTERN_CHARACTERS:,}; ways out: "
            "let services that publish many of these types be confidential as a whole",
        )


def _check_key_policies(topology: Topology, given: Source) -> Iterator[Problem]:
    for account in topology.accounts_in_use:
        size = len(policies.to_json(key_policies.policy(key_use(topology, account))).encode())
        if topology.kms_key_of(account) == "create" and size > KEY_POLICY_BYTES:
            path = ("accounts", account, "kms_key") if topology.accounts[account].kms_key else ("kms_key",)
            yield given.problem(
                path,
                f"the policy of the key of {account} has {size:,} bytes; AWS allows {KEY_POLICY_BYTES:,}; ways out: "
                "spread the services over more accounts, or name a key of your own",
            )


def _check_rules(topology: Topology, given: Source) -> Iterator[Problem]:
    if not topology.makes_hub:
        return  # what else is on it is not known here
    forwarding = sum(routing.forwarding(topology, service) is not None for service in topology.services)
    # The logging rules are one or two more, and an archive is a rule that AWS manages and hides.
    rules = forwarding + 1 + (routing.confidential(topology) is not None) + (topology.bus.archive_days > 0)
    allowed = RULES_PER_BUS_IN_REGION.get(topology.region, RULES_PER_BUS)
    if rules > allowed:
        yield given.warning(
            ("services",),
            f"the global bus would have {rules:,} rules; AWS allows {allowed} per bus in {topology.region} unless "
            "the quota 'Number of rules' is raised: ask AWS for that before you apply",
        )


def _check_accounts(topology: Topology, given: Source) -> Iterator[Problem]:
    for account, services in topology.services_by_account.items():
        local = sum(map(topology.makes_bus, services))
        buses = local + (topology.makes_hub and account == topology.bus.account)
        if buses > BUSES_PER_ACCOUNT:
            yield given.warning(
                ("accounts", account),
                f"{buses} buses would be in this account; AWS allows {BUSES_PER_ACCOUNT} unless the quota 'Event "
                "buses' is raised: ask AWS for that before you apply",
            )
    accounts = len(topology.accounts_in_use)
    if topology.layout == "single" and accounts > ACCOUNTS_IN_ONE_STATE:
        yield given.warning(
            ("layout",),
            f"layout: single runs a provider process of some 400 MB for each of {accounts} accounts "
            f"at once; from {ACCOUNTS_IN_ONE_STATE + 1} on use layout: per-account, which moves no address",
        )
