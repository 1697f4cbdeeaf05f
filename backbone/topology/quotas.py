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
from backbone.topology.hubs import Hub
from backbone.topology.keys import key_use
from backbone.topology.models import Topology
from backbone.topology.source import Problem, Source

__all__ = ["check", "policy", "publishers", "rule_owners", "statements"]

ACCOUNTS_IN_ONE_STATE = 10  # each provider alias is a process of 160 to 430 MB (measured)


def publishers(topology: Topology, hub: Hub) -> list[policies.Publisher]:
    """The accounts that may put events on a global bus, with the sources of their services and what is under each."""
    found = []
    pins = hub.entry.pin_detail_types
    for account, services in topology.services_by_account.items():
        events: dict[str, set[str]] = {}
        for name in services:
            if not pins and hub in topology.hubs_of(name):
                events |= {source: set() for source in topology.sources_of(name)}
            for event in topology.published_by(name) if pins else ():
                if topology.hub_of(name, event) == hub:
                    events.setdefault(event.source, set()).add(event.detail_type)
        if events:
            found.append(policies.Publisher(topology.place(account), {key: sorted(events[key]) for key in events}))
    return found


def rule_owners(topology: Topology, hub: Hub, accounts: Collection[str] | None = None) -> list[policies.Document]:
    """The statements of a global bus's policy that let services' accounts, or some, have their rules on it."""
    others = topology.services_by_account if accounts is None else accounts
    owned = {account: topology.rules_of(account, hub) for account in others if account != hub.account}
    return [policies.own_rules(topology.place(account), rules) for account, rules in owned.items() if rules]


def statements(topology: Topology, hub: Hub, accounts: Collection[str]) -> list[policies.Document]:
    """The statements that a global bus's policy must have for some accounts."""
    ids = {topology.accounts[account].id for account in accounts}
    policy = policies.global_bus(
        hub.arn,
        [publisher for publisher in publishers(topology, hub) if publisher.place.account_id in ids],
        organization_id=None,
        others=rule_owners(topology, hub, accounts),
    )
    return list(policy["Statement"]) if policy else []


def policy(topology: Topology, hub: Hub) -> policies.Document:
    """The statements for all accounts, as a policy that has no others."""
    return {"Statement": statements(topology, hub, topology.services_by_account), "Version": "2012-10-17"}


def check(topology: Topology, given: Source) -> Iterator[Problem]:
    """The quotas that a topology exceeds; `given` is the file that it was read from."""
    for hub in topology.hubs.values():
        yield from _check_bus_policy(topology, hub, given)
        yield from _check_forwarding(topology, hub, given)
    yield from _check_patterns(topology, given)
    yield from _check_key_policies(topology, given)
    yield from _check_accounts(topology, given)


def _named(hub: Hub) -> str:
    """A global bus in a message."""
    return f"the global bus {hub.key}" if hub.is_further else "the global bus"


def _check_bus_policy(topology: Topology, hub: Hub, given: Source) -> Iterator[Problem]:
    limit, senders, others = BUS_POLICY_CHARACTERS, publishers(topology, hub), rule_owners(topology, hub)
    if not senders and not others:
        return
    bus = _named(hub)
    choices = policies.global_bus_choices(hub.arn, senders, organization_id=topology.organization_id, others=others)
    sizes = [len(policies.to_json(document)) for _, document in choices]
    fitting = next((index for index, size in enumerate(sizes) if size <= limit), None)
    if fitting is None:
        ways = ["split the backbone in two"]
        if others:
            ways.insert(0, "use rules: platform, which takes no statement for each account with a rule")
        if topology.organization_id is None:
            ways.insert(0, "give organization_id, so that one statement admits the whole organization")
        if hub.entry.pin_detail_types:
            key = f"buses.{hub.key}" if hub.is_further else "bus"
            ways.insert(0, f"set {key}.pin_detail_types to false, which leaves the sources pinned")
        yield given.problem(
            ("services",),
            f"the policy of {bus} for {len(senders)} accounts has {sizes[-1]:,} characters; AWS allows {limit:,} "
            f"(quota 'Event bus policy size'); ways out: {'; '.join(ways)}",
        )
    elif fitting > 0 and choices[fitting][0] == policies.BY_ACCOUNT:
        yield given.warning(
            ("services",),
            f"a statement for each source takes {sizes[0]:,} characters and AWS allows {limit:,}, so the policy of "
            f"{bus} has one for each account: where an account has several sources, what is published under one of "
            "them may be put under the others",
        )
    elif fitting > 0:
        sizes = sizes[[pinned for pinned, _ in choices].index(policies.BY_ACCOUNT) :]
        pinned = choices[fitting][0]
        whose = "any source, so receivers cannot trust it" if pinned == "the organization alone" else "another's source"
        yield given.warning(
            ("organization_id",),
            f"a statement for each of {len(senders)} accounts takes {sizes[0]:,} characters and AWS allows {limit:,}, "
            f"so the policy of {bus} pins {pinned}: an account can publish under {whose}",
        )


def _check_forwarding(topology: Topology, hub: Hub, given: Source) -> Iterator[Problem]:
    rules = 0
    for service in topology.services:
        found = routing.forwarded(topology, service, hub)
        rules += found is not None
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
    if hub.is_made:  # what else is on a bus that exists is not known here
        yield from _check_rules(topology, hub, rules, given)


def _check_patterns(topology: Topology, given: Source) -> Iterator[Problem]:
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


def _check_rules(topology: Topology, hub: Hub, forwarding: int, given: Source) -> Iterator[Problem]:
    # The logging rules are one or two more, and an archive is a rule that AWS manages and hides.
    rules = forwarding + 1 + (routing.confidential(topology) is not None) + (hub.entry.archive_days > 0)
    allowed = RULES_PER_BUS_IN_REGION.get(topology.region, RULES_PER_BUS)
    if rules > allowed:
        yield given.warning(
            ("services",),
            f"{_named(hub)} would have {rules:,} rules; AWS allows {allowed} per bus in {topology.region} unless "
            "the quota 'Number of rules' is raised: ask AWS for that before you apply",
        )


def _check_accounts(topology: Topology, given: Source) -> Iterator[Problem]:
    for account in topology.accounts_in_use:
        local = sum(map(topology.makes_bus, topology.services_by_account.get(account, ())))
        buses = local + sum(hub.is_made and hub.account == account for hub in topology.hubs.values())
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
