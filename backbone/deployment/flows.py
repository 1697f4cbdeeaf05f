"""Who may publish what in a system, and who receives it: what a change does to events, whatever it does it by."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from backbone.deployment.universe import ANYONE, BUS, Event, Universe, named, wanted
from backbone.manifest import Manifest, ManifestService
from backbone.system.access import EVENTS, delivery_refusal, may, may_assume
from backbone.system.iam import Identity, Statement, authorize, event_source
from backbone.system.iam.text import like
from backbone.system.model import EventBus, Function, LogGroup, Queue, Role, Rule, Stream, System, Target
from backbone.system.pipes import Pipe

__all__ = ["Flows", "Publishing", "Receiving", "Renaming", "flows_of", "owner"]

PUT = "events:PutEvents"


@dataclass(frozen=True)
class Publishing:
    """Somebody may publish events of a type: a function of a service, or, without a function, an account."""

    by: str
    function: str
    event: Event


@dataclass(frozen=True)
class Receiving:
    """Events of a type get to the resource with the id `at`, called `name`, by a rule of a service."""

    service: str
    rule: str
    at: str
    name: str = field(compare=False)
    event: Event


@dataclass(frozen=True)
class Renaming:
    """What is called something else in another state: ids of resources, of accounts, and names of functions."""

    ids: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)

    def of(self, event: Event) -> Event:
        """An event type as the other state has it."""
        return replace(event, account_id=self.accounts.get(event.account_id, event.account_id))


@dataclass(frozen=True)
class Flows:
    """All of both."""

    publishing: frozenset[Publishing]
    receiving: frozenset[Receiving]

    @property
    def by_functions(self) -> frozenset[Event]:
        """The events that functions may publish."""
        return frozenset(one.event for one in self.publishing if one.function)

    def without_guesses(self, events: Collection[Event]) -> Flows:
        """The same without what an account may publish under the source of its functions, but for these events.

        A policy that lists several sources and detail-types of an account allows pairs of them that nobody publishes.
        """
        sources = {(event.account_id, event.source) for event in events}

        def is_meant(event: Event) -> bool:
            return event in events or (event.account_id, event.source) not in sources

        return Flows(
            frozenset(one for one in self.publishing if is_meant(one.event)),
            frozenset(one for one in self.receiving if is_meant(one.event)),
        )

    def renamed(self, names: Renaming) -> Flows:
        """The same with the names of another state."""
        return Flows(
            frozenset(
                replace(one, function=names.functions.get(one.function, one.function), event=names.of(one.event))
                for one in self.publishing
            ),
            frozenset(
                replace(
                    one,
                    rule=names.ids.get(one.rule, one.rule),
                    at=names.ids.get(one.at, one.at),
                    event=names.of(one.event),
                )
                for one in self.receiving
            ),
        )


def owner(id: str) -> str:
    """Whose a resource is, as its address tells: a service, a global bus, an account; else the resource's stack."""
    stack, _, address = id.rpartition("/")
    parts = address.partition(".")[2].split("_")
    if len(parts) > 1 and parts[0].partition("-")[0] in ("services", "forwarding"):  # or forwarding-payments
        return parts[1]
    if len(parts) > 1 and parts[0] == "buses":
        return f"global bus {parts[1]}"
    if len(parts) > 1 and parts[0] == "accounts":
        return f"account {parts[1]}"
    return "global bus" if parts[0] == "global-bus" else f"stack {stack}"


def flows_of(system: System, universe: Universe, declared: Manifest | None = None) -> Flows:
    """The flows of events in one of the states of a universe. Without hubs every event counts as forwarded.

    A service without a module receives at its bus what is `declared`, since its rules are elsewhere.
    """
    hubs = [bus for bus in system.of(EventBus) if bus.arn in universe.hubs]
    allowed = {publishing for hub in hubs for publishing in _publishing(system, hub, universe)}
    allowed |= {*_outside(system, universe)}
    events = {publishing.event for publishing in allowed}
    receiving = {*_receiving(system, universe, events)}
    receiving |= {*_at_buses(system, universe, events, declared)} if declared else set()
    return Flows(frozenset(allowed), frozenset(receiving))


def _publishing(system: System, hub: EventBus, universe: Universe) -> Iterator[Publishing]:
    for account_id, pairs in _by_accounts(hub, universe).items():
        root = Identity(hub.place.root.replace(hub.account_id, account_id), account_id)
        who = "every account" if account_id == ANYONE else f"the account {system.account_name(account_id)}"
        for source, detail_type in sorted(pairs):
            if _may_put(system, hub, root, source, detail_type):
                yield Publishing(who, "", Event(account_id, source, detail_type))
    for function in system.of(Function):
        role = system.get(Role, function.role_arn)
        if role is None:
            continue
        statements = [found for policy in role.policies for found in policy.statements if _is_put(found, hub)]
        for source, detail_type in sorted({pair for _, *of in named(statements) for pair in universe.pairs(*of)}):
            if _may_put(system, hub, role.identity, source, detail_type):
                event = Event(function.account_id, source, detail_type)
                yield Publishing(owner(function.address), function.name, event)


def _by_accounts(hub: EventBus, universe: Universe) -> dict[str, set[tuple[str, str]]]:
    """The events that the policy of a bus speaks of, by the accounts that it may mean.

    Where it admits whoever comes, and these are too many, an account is tried with what another state says of it.
    """
    found: dict[str, set[tuple[str, str]]] = {account_id: set() for account_id in sorted(universe.accounts)}
    for accounts, *of in named(hub.policy.statements if hub.policy else ()):
        pairs = {*universe.pairs(*of)}
        for account_id in accounts or universe.accounts:
            few = pairs & universe.by_account[account_id] if universe.is_large and not accounts else pairs
            found[account_id] |= few
        if universe.is_large and not accounts:
            found.setdefault(ANYONE, set()).update(pairs)
    return found


def _outside(system: System, universe: Universe) -> Iterator[Publishing]:
    """What functions may publish on buses that are in none of the states, as far as their own roles tell."""
    for function in system.of(Function):
        if (role := system.get(Role, function.role_arn)) is None:
            continue
        for policy in role.policies:
            for statement in policy.statements:
                for arn in {resource.text for resource in statement.resources if BUS in resource.text}:
                    if arn in universe.buses or not _puts(statement):
                        continue
                    for source, detail_type in (pair for _, *of in named([statement]) for pair in universe.pairs(*of)):
                        context = _context(system, source, detail_type)
                        if authorize(role.identity, PUT, arn, owner=role.account_id, context=context):
                            event = Event(function.account_id, source, detail_type)
                            yield Publishing(owner(function.address), function.name, event)


def _puts(statement: Statement) -> bool:
    return statement.allows and any(like(action.lower(), PUT.lower()) for action in statement.actions)


def _is_put(statement: Statement, hub: EventBus) -> bool:
    return _puts(statement) and any(like(resource.text, hub.arn) for resource in statement.resources)


def _context(system: System, source: str, detail_type: str) -> dict[str, str]:
    found = {"events:source": source, "events:detail-type": detail_type}
    return found | ({"aws:PrincipalOrgID": system.organization} if system.organization else {})


def _may_put(system: System, hub: EventBus, who: Identity, source: str, detail_type: str) -> bool:
    context, policies = _context(system, source, detail_type), filter(None, [hub.policy])
    return bool(authorize(who, PUT, hub.arn, owner=hub.account_id, policies=policies, context=context))


def _receiving(system: System, universe: Universe, events: set[Event]) -> Iterator[Receiving]:
    hubs = universe.hubs
    ways: dict[str, list[tuple[Rule, Target]]] = defaultdict(list)
    for rule in system.of(Rule):
        if rule.enabled and rule.pattern and rule.bus_arn in hubs:
            for target in rule.targets:
                ways[target.arn].append((rule, target))
    by_type = _by_type(events)
    for rule in system.of(Rule):
        targets = [
            target for target in rule.targets if not isinstance(system.target_of(target.arn), EventBus | LogGroup)
        ]
        if rule.pattern is None or not rule.enabled or not targets:
            continue
        direct = not hubs or rule.bus_arn in hubs
        for event in _candidates(rule, events, by_type) if hubs else wanted(rule):
            envelope = event.envelope(rule.place.region)
            if not rule.pattern.could_match(envelope):
                continue
            context = _context(system, event.source, event.detail_type)
            if direct or any(
                way.pattern and way.pattern.could_match(envelope) and delivery_refusal(system, target, context) is None
                for way, target in ways[rule.bus_arn]
            ):
                for target in targets:
                    if _is_delivered(system, target, context, universe):
                        for at, name in _ends(system, target):
                            yield Receiving(owner(rule.address), rule.address, at, name, event)


def _at_buses(system: System, universe: Universe, events: set[Event], declared: Manifest) -> Iterator[Receiving]:
    """What is forwarded to the buses of services without a module, of that which they subscribe to."""
    services = {service.local_bus: (name, service) for name, service in declared.services.items() if not service.module}
    for rule in system.of(Rule):
        for target in rule.targets if rule.enabled and rule.pattern else ():
            if target.arn not in services or (bus := system.get(EventBus, target.arn)) is None:
                continue
            name, service = services[target.arn]
            own = service.source, *service.also_publishes
            for event in (event for event in events if event.source not in own and _subscribes(service, event)):
                context = _context(system, event.source, event.detail_type)
                envelope = event.envelope(rule.place.region)
                if (
                    rule.pattern
                    and rule.pattern.could_match(envelope)
                    and _is_delivered(system, target, context, universe)
                ):
                    yield Receiving(name, rule.address, bus.address, bus.name, event)


def _subscribes(service: ManifestService, event: Event) -> bool:
    return any(entry.takes(event.detail_type, event.source) for entry in service.subscribes)


def _is_delivered(system: System, target: Target, context: dict[str, str], universe: Universe) -> bool:
    """Whether a target is delivered to; of a bus that is in none of the states, whether the target's role may try."""
    if BUS not in target.arn or target.arn in universe.buses:
        return delivery_refusal(system, target, context) is None
    role = system.get(Role, target.role_arn)
    source = event_source(target.rule_arn, target.account_id)
    return role is not None and may_assume(EVENTS, role, source) and may(role, PUT, target.arn)


def _by_type(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.detail_type].append(event)
    return found


def _candidates(rule: Rule, events: set[Event], by_type: Mapping[str, list[Event]]) -> Iterable[Event]:
    """The events that a rule may match: those of the detail-types in its pattern, where that names them one by one."""
    pattern = json.loads(rule.pattern.to_json()) if rule.pattern else {}
    names = [name for name in pattern.get("detail-type", ()) if isinstance(name, str)]
    if not names or len(names) < len(pattern["detail-type"]):
        return events
    return [event for name in names for event in by_type.get(name, ())]


def _ends(system: System, target: Target) -> Iterator[tuple[str, str]]:
    """Where what a target is sent ends up, by id and name: the target, and the functions and pipes that read it."""
    to = system.target_of(target.arn)
    yield (to.address, to.name) if to else (target.arn, target.arn)
    if isinstance(to, Queue | Stream):
        for function in system.of(Function):
            if any(mapping.source_arn == to.arn and mapping.enabled for mapping in function.mappings):
                yield function.address, function.name
        for pipe in system.of(Pipe):
            if pipe.mapping.source_arn == to.arn and pipe.mapping.enabled:
                yield pipe.address, pipe.name
