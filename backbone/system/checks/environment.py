"""What a function's environment names: that its role may use it.

A function is told of queues and tables by its environment, so one that is named there is one that it uses. The global
bus is named to every function, whether it publishes or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, Queue, Role, System, Table

__all__ = ["check"]

USES = {
    Queue: ("sqs:SendMessage", "sqs:ReceiveMessage"),
    Table: ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:Scan"),
}
"""What a function does to what it names; it may do at least one of these."""


def check(system: System) -> Iterator[Finding]:
    """Queues and tables that a function is told of and that its role does not let it use."""
    named = _named(system)
    for function in system.of(Function):
        role = system.get(Role, function.role_arn)
        for variable, value in function.environment.items():
            used = named.get(value) or named.get(f"{function.account_id} {value}")
            if used is None or role is None or _may_use(role, used):
                continue
            words = f"environment: {variable} names {used.name}, which {role.name} may do nothing with"
            yield finding("BB319", function.address, words)


def _named(system: System) -> Mapping[str, Queue | Table]:
    """What an environment can name, by URL, by ARN, and tables by account and name."""
    found: dict[str, Queue | Table] = {}
    for queue in system.of(Queue):
        found[queue.url] = found[queue.arn] = queue
    for table in system.of(Table):
        found[f"{table.account_id} {table.name}"] = found[table.arn] = table
    return found


def _may_use(role: Role, used: Queue | Table) -> bool:
    return any(access.may(role, action, used.arn) for action in USES[type(used)])
