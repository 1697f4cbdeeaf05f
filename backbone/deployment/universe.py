"""What the states of a system have between them: the events that their rules and policies name, and who they admit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from backbone.system.iam import BUS as BUS_POLICY
from backbone.system.iam import Statement
from backbone.system.model import EventBus, Role, Rule, System

__all__ = ["ANY", "ANYONE", "BUS", "Event", "Universe", "named", "wanted"]

BUS = ":event-bus/"
ANY = "*"
"""Stands for a source or detail-type that nothing names."""

ANYONE = "888888888888"
"""Stands for each of the accounts that a policy admits without naming them."""

MOST_TRIED = 2_000
"""As many events as are tried one by one of what a policy allows; of more, those that stand for the others."""


@dataclass(frozen=True)
class Event:
    """A type of events: who publishes it, from which account."""

    account_id: str
    source: str
    detail_type: str

    def envelope(self, region: str) -> dict[str, Any]:
        """An event of the type, as far as it is known before there is one."""
        return {
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "detail-type": self.detail_type,
            "source": self.source,
            "account": self.account_id,
            "time": "2024-01-01T00:00:00Z",
            "region": region,
            "resources": [],
            "detail": {},
        }


class Universe:
    """What the states of a system have between them, so that their flows can be compared.

    `buses` has the ARNs of all buses, and `hubs` those of the buses that events are published on: they forward in one
    of the states, and nothing feeds them there. `accounts` may publish; `sources` and `detail_types` are those that
    patterns, policies and what is declared name.
    """

    def __init__(self, *states: System, declared: Iterable[Event] = ()) -> None:
        self.hubs: set[str] = set()
        self.buses = {bus.arn for system in states for bus in system.of(EventBus)}
        self.accounts: set[str] = set()
        listed = [([event.source], [event.detail_type]) for event in declared]
        by_account: list[tuple[str, list[str], list[str]]] = []
        admits_anyone = False
        for system in states:
            forwarding = {target.rule_arn for target in system.targets if BUS in target.arn}
            fed = {target.arn for target in system.targets}
            self.hubs |= {rule.bus_arn for rule in system.of(Rule) if rule.arn in forwarding} - fed
            self.accounts |= {place.account_id for place in system.accounts.values()}
            listed += [([event.source], [event.detail_type]) for rule in system.of(Rule) for event in wanted(rule)]
            policies = [policy for role in system.of(Role) for policy in role.policies]
            for policy in (*policies, *(bus.policy for bus in system.of(EventBus))):
                for accounts, *of in named(policy.statements if policy else ()):
                    listed.append((of[0], of[1]))
                    if policy and policy.kind is BUS_POLICY:
                        by_account += [(account_id, of[0], of[1]) for account_id in accounts]
                        admits_anyone |= not accounts
        self.accounts |= {account_id for account_id, *_ in by_account}
        self.sources = sorted({source for sources, _ in listed for source in sources})
        self.detail_types = sorted({name for _, names in listed for name in names})
        most = max((len(self._all(*of)[0]) * len(self._all(*of)[1]) for of in listed), default=0)
        self.is_large = most * (len(self.accounts) if admits_anyone else 1) > MOST_TRIED
        """Whether what policies allow is too much to try all of it."""
        large = [(sources, names) for sources, names in listed if len(sources) > 1 and len(names) > 1]
        self._together = {pair for of in listed if of not in large for pair in product(*of)} if self.is_large else set()
        self._source, self._detail_type = _in_all(one for one, _ in large), _in_all(one for _, one in large)
        self.by_account: dict[str, set[tuple[str, str]]] = {account_id: set() for account_id in self.accounts}
        """What a policy speaks of for each account by its id, in one of the states."""
        for account_id, *of in by_account:
            self.by_account[account_id] |= {*self.pairs(*of)}

    def pairs(self, sources: list[str], detail_types: list[str]) -> Iterable[tuple[str, str]]:
        """Each source with each detail-type, with names in place of ANY.

        Of very many, the pairs that are named together somewhere, and each other name with one that all the lists
        have, which therefore stays when other names come and go.
        """
        sources, detail_types = self._all(sources, detail_types)
        if not self.is_large or len(sources) == 1 or len(detail_types) == 1:
            return product(sources, detail_types)
        alone, others = {*sources}, {*detail_types}
        kept = {pair for pair in self._together if pair[0] in alone and pair[1] in others}
        kept |= {(source, self._detail_type or detail_types[0]) for source in alone - {source for source, _ in kept}}
        return kept | {(self._source or sources[0], name) for name in others - {name for _, name in kept}}

    def _all(self, sources: list[str], detail_types: list[str]) -> tuple[list[str], list[str]]:
        return (
            self.sources if sources == [ANY] else sources,
            self.detail_types if detail_types == [ANY] else detail_types,
        )


def _in_all(listed: Iterable[list[str]]) -> str | None:
    """The first name that all lists have."""
    each = [{*names} for names in listed]
    return min(set.intersection(*each), default=None) if each else None


def named(statements: Iterable[Statement]) -> Iterator[tuple[set[str], list[str], list[str]]]:
    """The accounts, sources and detail-types that statements name. A role's or service's ARN names its account."""
    for statement in statements:
        if not statement.allows:
            continue
        found: dict[str, list[str]] = {"events:source": [], "events:detail-type": []}
        for condition in statement.conditions:
            if condition.key.lower() in found and not condition.operator.negated:
                found[condition.key.lower()] += [value.text for value in condition.values]
        principals = statement.principals
        accounts = set(principals.accounts) if principals else set()
        accounts |= {arn.split(":")[4] for arn in principals.arns if arn.count(":") > 4} if principals else set()
        yield accounts, found["events:source"] or [ANY], found["events:detail-type"] or [ANY]


def wanted(rule: Rule) -> Iterator[Event]:
    """The events that a rule names."""
    pattern = json.loads(rule.pattern.to_json()) if rule.pattern else {}

    def texts(field: str) -> list[str]:
        return [found for found in pattern.get(field, ()) if isinstance(found, str)] or [ANY]

    for source, detail_type in product(texts("source"), texts("detail-type")):
        yield Event(ANY, source, detail_type)
