"""The Terraform against what was declared: who publishes and receives what, by the manifest that synth wrote."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backbone.aws.arn import Arn
from backbone.manifest import Manifest, ManifestBus, ManifestService, ManifestSubscription
from backbone.patterns import Pattern
from backbone.system.checks import filters
from backbone.system.findings import Finding, finding
from backbone.system.http_model import HttpApi
from backbone.system.iam import Identity, Statement, authorize
from backbone.system.model import EventBus, LogGroup, Rule, System, Target

__all__ = ["check"]

STRANGER = "999999999999"
"""An account that no backbone has."""


def check(system: System, manifest: Manifest) -> Iterator[Finding]:
    """Where the stacks do not do what was declared."""
    rules, members = _Rules(system), _Members(manifest, system.organization)
    for declared in manifest.buses:
        hub = system.get(EventBus, declared.arn)
        if hub is None:
            yield finding("BB701", "backbone.json", f"no stack makes the global bus {declared.arn}")
        else:
            yield from _check_hub(rules, members, hub, declared.name)
    buses = [*(bus.arn for bus in manifest.buses), *(service.local_bus for service in manifest.services.values())]
    for bus in filter(None, (system.get(EventBus, arn) for arn in buses)):
        yield from _logging(system, bus, manifest)
        yield from _strangers(members, bus)
        yield from _confidential(rules, manifest, bus)
    yield from _open_routes(system, manifest)
    yield from filters.check(manifest)


def _check_hub(rules: _Rules, members: _Members, hub: EventBus, key: str) -> Iterator[Finding]:
    """Where one of the global buses does not do what was declared; `key` is what the file calls it."""
    system, manifest, pinned = rules.system, members.manifest, not _admits_organization(hub)
    if not pinned:
        words = "admits its whole organization: an account can publish under the source of another's service"
        yield finding("BB707", hub.policy.address if hub.policy else hub.address, words, severity="note")
    for name in manifest.services:
        yield from _deliveries(rules, manifest, hub, key, name)
        yield from _publishing(members, hub, key, name, pinned=pinned)
    yield from _undeclared(system, manifest, hub, key)
    if manifest.routing == "subscribed":
        yield from _unasked(system, manifest, hub, key)


class _Rules:
    """The rules of each bus, asked before there is an event: mostly nothing is known of its detail."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._narrowed: dict[str, list[tuple[Rule, Pattern]]] = defaultdict(list)
        for rule in system.of(Rule):
            if rule.enabled and rule.pattern is not None and rule.pattern.narrows_detail:
                self._narrowed[rule.bus_arn].append((rule, rule.pattern))

    def targets(self, bus_arn: str, event: Mapping[str, Any], known: bool = False) -> Iterator[Target]:
        """Where events like this go: with this detail if it is `known`, else whatever their detail is."""
        rules = list(self.system.rules_by_bus[bus_arn].matching(event)) if bus_arn in self.system.rules_by_bus else []
        narrowed = () if known else self._narrowed[bus_arn]
        rules += [rule for rule, pattern in narrowed if rule not in rules and pattern.could_match(event)]
        yield from (target for rule in rules for target in rule.targets)

    def is_log(self, target: Target) -> bool:
        """Whether a target is a log group, of these stacks or not."""
        return isinstance(self.system.target_of(target.arn), LogGroup) or ":log-group:" in target.arn


def _event(manifest: Manifest, sender: ManifestService, detail_type: str, source: str) -> dict[str, Any]:
    """An event as a service publishes it, as far as it is known before there is one."""
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": detail_type,
        "source": source,
        "account": manifest.accounts[sender.account],
        "time": "2024-01-01T00:00:00Z",
        "region": manifest.region,
        "resources": [],
        "detail": {},
    }


def _published(
    manifest: Manifest, key: str, receiver: str, subscription: ManifestSubscription
) -> Iterator[tuple[ManifestService, str, str]]:
    """What others publish on a bus of what a service subscribes to: who, which detail-type, under which source."""
    for name, service in manifest.services.items():
        for detail_type, source in service.events if name != receiver else ():
            if service.bus_of(detail_type, source) == key and subscription.takes(detail_type, source):
                yield service, detail_type, source


def _deliveries(rules: _Rules, manifest: Manifest, hub: EventBus, key: str, name: str) -> Iterator[Finding]:
    """Every declared subscription must be forwarded to the local bus, and handed on there where a module says how."""
    service = manifest.services[name]
    own_bus = str(service.local_bus)
    for subscription in service.subscribes if key in service.buses else ():
        for sender, detail_type, source in _published(manifest, key, name, subscription):
            words = f"{name} is declared to receive {detail_type} from {source}"
            known = subscription.detail is not None
            for event in subscription.examples(_event(manifest, sender, detail_type, source)):
                shown = f"{words}, as with the detail {_shown(event)}" if known else words
                forwarding = [one for one in rules.targets(hub.arn, event, known) if one.arn == own_bus]
                if not any(target.input.is_whole for target in forwarding):
                    yield finding("BB702", hub.address, f"{shown}, and no rule of {hub.name} forwards it to {name}")
                elif service.module and all(map(rules.is_log, rules.targets(own_bus, event, known))):
                    rest = "and no rule of its local bus hands it to anything"
                    yield finding("BB703", own_bus, f"{shown}, {rest}")
    for detail_type, source in service.events:
        back = rules.system.rules_by_bus[hub.arn].matching(_event(manifest, service, detail_type, source))
        if any(target.arn == service.local_bus for rule in back for target in rule.targets):
            yield finding("BB704", hub.address, f"events of {name} are forwarded back to {name}")
            return


def _shown(event: Mapping[str, Any]) -> str:
    return json.dumps(event["detail"], ensure_ascii=False, separators=(",", ":"))


def _undeclared(system: System, manifest: Manifest, hub: EventBus, key: str) -> Iterator[Finding]:
    """A rule of a global bus that forwards to a bus of no service that is declared to be on it."""
    declared = {service.local_bus for service in manifest.services.values() if key in service.buses}
    for rule in system.of(Rule):
        for target in rule.targets if rule.bus_arn == hub.arn else ():
            if ":event-bus/" in target.arn and target.arn not in declared:
                words = (
                    "the bus of no declared service" if len(manifest.buses) == 1 else f"the bus of no service on {key}"
                )
                yield finding("BB705", target.address, f"forwards to {target.arn}, {words}")


def _unasked(system: System, manifest: Manifest, hub: EventBus, key: str) -> Iterator[Finding]:
    """Events that are forwarded to a service which does not subscribe to them."""
    receivers = {service.local_bus: (name, service) for name, service in manifest.services.items()}
    for sender in manifest.services.values():
        for detail_type, source in (event for event in sender.events if sender.bus_of(*event) == key):
            for rule in system.rules_by_bus[hub.arn].matching(_event(manifest, sender, detail_type, source)):
                for name, receiver in (receivers[target.arn] for target in rule.targets if target.arn in receivers):
                    if receiver is not sender and not any(
                        one.takes(detail_type, source) for one in receiver.subscribes
                    ):
                        words = f"forwards {detail_type} of {source} to {name}, which does not subscribe to it"
                        yield finding("BB710", rule.address, words)


def _admits_organization(bus: EventBus) -> bool:
    """Whether a bus's policy has a statement for a whole organization, as synth writes one for many accounts."""
    for statement in bus.policy.statements if bus.policy else ():
        keys = {condition.key.lower() for condition in statement.conditions}
        if statement.principals is not None and statement.principals.everyone and "aws:principalorgid" in keys:
            return True
    return False


@dataclass(frozen=True)
class _Members:
    """The accounts of the backbone, which count as members of the organization that policies ask for."""

    manifest: Manifest
    organization: str | None

    def published_by(self, account: str) -> set[str]:
        """The detail-types that the services of an account are declared to publish."""
        services = self.manifest.services.values()
        return {each for service in services if service.account == account for each, _ in service.events}

    def may_put(self, account_id: str, bus: EventBus, source: str, detail_type: str) -> bool:
        """Whether an identity of an account that its own policies allow everything may put an event on a bus."""
        return self._ask(account_id, bus, {"events:source": source, "events:detail-type": detail_type}, ahead=False)

    def could_put(self, account_id: str, bus: EventBus) -> bool:
        """Whether such an identity could put any event at all."""
        return self._ask(account_id, bus, {}, ahead=True)

    def _ask(self, account_id: str, bus: EventBus, event: Mapping[str, str], *, ahead: bool) -> bool:
        root = f"arn:{self.manifest.partition}:iam::{account_id}:root"
        context: dict[str, str | None] = {
            "aws:PrincipalOrgID": self.organization if account_id != STRANGER else None,
            "events:eventBusInvocation": "false",
            **event,
        }
        decision = authorize(
            Identity(root, account_id),
            "events:PutEvents",
            bus.arn,
            owner=bus.account_id,
            policies=[bus.policy] if bus.policy else [],
            context=context,
            ahead=ahead,
        )
        return bool(decision)


def _publishing(members: _Members, hub: EventBus, key: str, name: str, *, pinned: bool) -> Iterator[Finding]:
    """A service may publish what it is declared to, and nobody else may under its source."""
    service = members.manifest.services[name]
    own = members.manifest.accounts[service.account]
    address = hub.policy.address if hub.policy else hub.address
    for detail_type, source in (event for event in service.events if service.bus_of(*event) == key):
        if not members.may_put(own, hub, source, detail_type):
            under = f" as {source}" if source != service.source else ""
            words = f"{name} is declared to publish {detail_type}{under}, and the policy of {hub.name} does not let it"
            yield finding("BB706", address, words)
    for other, account_id in members.manifest.accounts.items() if pinned else ():
        if account_id in (own, hub.account_id):
            continue
        detail_types = {*(detail_type for detail_type, _ in service.events), *members.published_by(other)}
        for source in (service.source, *service.also_publishes):
            if any(members.may_put(account_id, hub, source, detail_type) for detail_type in detail_types):
                words = f"the account {other} can publish under {source}, the source of {name}"
                yield finding("BB707", address, words)


def _strangers(members: _Members, bus: EventBus) -> Iterator[Finding]:
    """Nobody outside may put anything on a bus, and nobody at all straight on a local bus."""
    if bus.policy is None:
        return
    named = {account for statement in bus.policy.statements for account in _accounts(statement)}
    declared = set(members.manifest.accounts.values())
    hub = next((each for each in members.manifest.buses if each.arn == bus.arn), None)
    others = {STRANGER, *(named - declared if hub else named), *_not_on(members.manifest, hub)} - {bus.account_id}
    for account_id in sorted(others):
        if members.could_put(account_id, bus):
            word = "anybody" if account_id == STRANGER else f"the account {account_id}"
            yield finding("BB708", bus.policy.address, f"lets {word} put events on {bus.name}")


def _not_on(manifest: Manifest, hub: ManifestBus | None) -> set[str]:
    """The accounts none of whose services is on a global bus; where there is a single one, all may be."""
    if hub is None or len(manifest.buses) == 1:
        return set()
    on = {manifest.accounts[one.account] for one in manifest.services.values() if hub.name in one.buses}
    return set(manifest.accounts.values()) - on


def _accounts(statement: Statement) -> Iterator[str]:
    """The accounts that a statement names, in its principals and its conditions."""
    if statement.principals is not None:
        yield from statement.principals.accounts
    for condition in statement.conditions:
        for value in condition.values:
            yield from re.findall(r"\b[0-9]{12}\b", value.text)


def _logging(system: System, bus: EventBus, manifest: Manifest) -> Iterator[Finding]:
    """Every event on a bus is logged, be it by several rules; on the global bus each declared event is tried."""
    place = Arn.parse(bus.arn)
    anything = {"source": "any.source", "detail-type": "Any", "account": STRANGER, "region": place.region, "detail": {}}
    events = [anything]
    existing = {service.local_bus for service in manifest.services.values() if service.bus_exists}
    hub = next((each for each in manifest.buses if each.arn == bus.arn), None)
    if bus.name == "default" or bus.arn in existing or (hub and hub.policy is not None):
        return  # it is its owner's to log what is on it
    for service in manifest.services.values() if hub else ():
        published = (event for event in service.events if hub and service.bus_of(*event) == hub.name)
        events += [_event(manifest, service, *event) for event in published]
    for event in events:
        targets = [target for rule in system.rules_by_bus[bus.arn].matching(event) for target in rule.targets]
        logging = [
            target for target in targets if target.input.input is None and target.input.input_path in (None, "$")
        ]
        if not any(isinstance(system.target_of(target.arn), LogGroup) for target in logging):
            which = "every event" if event is anything else f"{event['detail-type']} of {event['source']}"
            yield finding("BB709", bus.address, f"no rule of {bus.name} logs {which}")
            return


def _confidential(rules: _Rules, manifest: Manifest, bus: EventBus) -> Iterator[Finding]:
    """No log has the detail of a confidential event."""
    for sender in manifest.services.values():
        for detail_type, source in (event for event in sender.events if event[0] in sender.confidential):
            for target in rules.targets(bus.arn, _event(manifest, sender, detail_type, source)):
                if rules.is_log(target) and target.input.shows_detail:
                    words = f"logs the detail of {detail_type} of {source}, which is declared confidential"
                    yield finding("BB712", target.address, words)


def _open_routes(system: System, manifest: Manifest) -> Iterator[Finding]:
    """Routes that ask nobody who calls, but for those that a module made so; and of these, those that ask."""
    for api in system.of(HttpApi):
        for route in api.routes:
            if route.authorization != "NONE" and f"{api.account_id} {route.key}" in manifest.open_routes:
                words = f"{route.key} of {api.name} asks for {route.authorization}, and its module lets anyone call it"
                yield finding("BB408", route.address, words)
            if route.authorization == "NONE" and f"{api.account_id} {route.key}" not in manifest.open_routes:
                words = f"{route.key} of {api.name} asks nobody who calls, and no module made it so"
                yield finding("BB407", route.address, words)
