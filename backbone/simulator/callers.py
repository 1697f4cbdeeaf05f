"""Who a caller is, by the names that people use."""

from __future__ import annotations

from backbone.simulator.engine import SimulatorError
from backbone.system.iam import Identity
from backbone.system.model import EventBus, Function, Role, System

__all__ = ["identity"]


def identity(system: System, name: str) -> Identity:
    """A caller: an account by name or id, a service by its source, or a function or role by name or ARN.

    An account stands for an identity in it that its own policies allow everything. SimulatorError when there is no
    such caller.
    """
    function = system.find(Function, name)
    role = system.get(Role, function.role_arn) if function else system.find(Role, name)
    if role is not None:
        return role.identity
    ids = {account: place.account_id for account, place in system.accounts.items()}
    account_id = ids.get(name) or (name if name in ids.values() else None) or _publisher(system, name)
    if account_id is None:
        known = ", ".join([*ids, *(function.name for function in system.of(Function))])
        raise SimulatorError(f"caller: got {name!r}; allowed: {known}, or a service's name")
    partition = next(iter(system.accounts.values())).partition
    return Identity(f"arn:{partition}:iam::{account_id}:root", account_id)


def _publisher(system: System, source: str) -> str | None:
    """The account that a bus's policy lets put events of a source."""
    for bus in system.of(EventBus):
        for statement in bus.policy.statements if bus.policy else ():
            pinned = any(
                condition.key.lower() == "events:source" and any(value.text == source for value in condition.values)
                for condition in statement.conditions
            )
            if pinned and statement.principals and statement.principals.accounts:
                return min(statement.principals.accounts)
    return next((bus.account_id for bus in system.of(EventBus) if bus.name.endswith(f"-{source}")), None)
