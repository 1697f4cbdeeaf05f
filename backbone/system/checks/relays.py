"""Declared relays against the Terraform: from the default bus of an account, by a function, to the global bus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backbone.manifest import Manifest, ManifestRelay, ManifestService
from backbone.patterns import Pattern
from backbone.system.findings import Finding, finding
from backbone.system.iam import authorize
from backbone.system.model import EventBus, Function, Role, Rule, System

__all__ = ["check"]


def check(system: System, manifest: Manifest) -> Iterator[Finding]:
    """What services are declared to relay, and is not relayed."""
    hubs = {bus.name: system.get(EventBus, bus.arn) for bus in manifest.buses}
    for name, service in manifest.services.items():
        place = system.accounts.get(service.account)
        for key, relay in service.relays.items():
            hub = hubs[service.bus_of(relay.publishes, service.source)]
            if hub is not None and place is not None:
                words = f"{name} is declared to relay {key}"
                yield from _relay(system, hub, place.bus("default"), words, service, relay)


def _relay(
    system: System, hub: EventBus, default_bus: str, words: str, service: ManifestService, relay: ManifestRelay
) -> Iterator[Finding]:
    rules = [rule for rule in system.of(Rule) if rule.bus_arn == default_bus and _takes(rule, relay)]
    if not rules:
        words = f"{words}, and no rule of {default_bus} takes just {relay.pattern}"
        yield finding("BB714", "backbone.json", words)
    elif not any(_publishes(system, hub, service.source, relay.publishes, each) for each in _takers(system, rules)):
        words = f"{words}, and nothing that its rule sends to may publish {relay.publishes} on {hub.name}"
        yield finding("BB714", rules[0].address, words)


def _takes(rule: Rule, relay: ManifestRelay) -> bool:
    """Whether a rule takes what a relay is declared to take, and nothing else."""
    if rule.pattern is None or rule.schedule is not None or not rule.enabled:
        return False
    return _wanted(rule.pattern) == _wanted(Pattern.parse(relay.pattern))


def _wanted(pattern: Pattern) -> set[frozenset[tuple[Any, ...]]]:
    """What a pattern asks for: the same of patterns that differ only in order and in what they say twice."""
    return {frozenset((path, frozenset(values)) for path, values in each.items()) for each in pattern.combinations}


def _takers(system: System, rules: list[Rule]) -> Iterator[Function]:
    """The functions that rules invoke, or that read the queues which rules send whole events to, and all of them."""
    arns = {target.arn for rule in rules for target in rule.targets if target.input.is_whole}
    for function in system.of(Function):
        if function.arn in arns or any(
            each.enabled and not each.filters and each.source_arn in arns for each in function.mappings
        ):
            yield function


def _publishes(system: System, hub: EventBus, source: str, detail_type: str, function: Function) -> bool:
    role = system.get(Role, function.role_arn)
    context = {"events:source": source, "events:detail-type": detail_type, "events:eventBusInvocation": "false"}
    if member := system.organization:
        context["aws:PrincipalOrgID"] = member
    policies = [hub.policy] if hub.policy else []
    return role is not None and bool(
        authorize(role.identity, "events:PutEvents", hub.arn, owner=hub.account_id, policies=policies, context=context)
    )
