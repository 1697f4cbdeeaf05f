"""What holds permissions: resources with policies of their own, and roles with what they may do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backbone.system.iam import Identity, Kind, Policy, Statement, authorize
from backbone.system.keys import Key
from backbone.system.model import EventBus, Function, Queue, Resource, Role, System, Topic

__all__ = ["Holder", "Request", "Value", "content", "holders"]

Value = str | tuple[str, ...] | None
"""What a request has for a condition key: a text, several, or nothing."""


@dataclass(frozen=True)
class Request:
    """A request to try on the policies as they were and as they will be."""

    who: Identity
    action: str
    resource: str
    context: Mapping[str, Value]


@dataclass(frozen=True)
class Holder:
    """A resource with policies of its own, or a role (`identity`) with what it may do."""

    id: str
    name: str
    arn: str
    account_id: str
    policies: tuple[Policy, ...]
    identity: Identity | None = None

    @property
    def key(self) -> Hashable:
        """What stays the same when its policies change."""
        return self.arn, self.identity is None

    @property
    def kind(self) -> Kind | None:
        """The kind of its policies; None when it has none."""
        return self.policies[0].kind if self.policies else None

    @property
    def statements(self) -> list[Statement]:
        """The statements of all its policies."""
        return [statement for policy in self.policies for statement in policy.statements]

    @property
    def limits(self) -> Sequence[Statement] | None:
        """The statements of the permissions boundary; None without a boundary."""
        return self.identity.boundary.statements if self.identity and self.identity.boundary else None

    def without_policies(self) -> Holder:
        """The same before it was allowed anything."""
        who = self.identity and Identity(self.identity.name, self.identity.account_id, ())
        return replace(self, policies=(), identity=who)

    def without_denials(self, other: Holder) -> Holder:
        """The same without the Deny statements that another one does not have."""
        kept = {content(statement) for statement in other.statements}

        def less(policy: Policy) -> Policy:
            statements = tuple(found for found in policy.statements if found.allows or content(found) in kept)
            return replace(policy, statements=statements)

        policies = tuple(map(less, self.policies))
        identity = self.identity and replace(self.identity, policies=policies)
        return replace(self, policies=policies, identity=identity)

    def allows(self, request: Request) -> bool:
        """Whether it allows a request."""
        policies = () if self.identity else self.policies
        decision = authorize(
            self.identity or request.who,
            request.action,
            request.resource,
            owner=self.account_id,
            policies=policies,
            context=request.context,
        )
        return bool(decision)


def content(found: Statement) -> Hashable:
    """What a statement says, whatever it is called and wherever it stands."""
    names = found.principals, found.actions, found.but_actions, found.resources, found.but_resources
    return found.allows, names, found.conditions


def holders(system: System) -> Iterator[Holder]:
    """All that holds permissions in a system."""
    owned: list[EventBus | Queue | Topic | Key] = [*system.of(EventBus), *system.of(Queue), *system.of(Topic)]
    for resource in (*owned, *system.of(Key)):
        yield _holder(resource, [resource.policy] if resource.policy else [])
    for function in system.of(Function):
        yield _holder(function, function.permissions)
    for role in system.of(Role):
        yield _holder(role, [role.trust])
        yield _holder(role, role.policies, role.identity)
    for place in system.accounts.values():
        if policies := system.log_policies(place.account_id):
            arn = place.arn("logs", "*")
            yield Holder(policies[0].address, f"logs of {place.account_id}", arn, place.account_id, policies)


def _holder(resource: Resource, policies: Iterable[Policy], identity: Identity | None = None) -> Holder:
    found = tuple(policies)
    address = found[0].address if found else resource.address
    return Holder(address, resource.name, resource.arn, resource.account_id, found, identity)
