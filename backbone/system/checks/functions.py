"""Functions: what they lack to run, and to keep what they fail at."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, Role, System

__all__ = ["check"]

LAMBDA = "lambda.amazonaws.com"


def check(system: System) -> Iterator[Finding]:
    """What is wrong with functions."""
    for function in system.of(Function):
        yield from _function(system, function)


def _function(system: System, function: Function) -> Iterator[Finding]:
    role = system.get(Role, function.role_arn)
    if role is None:
        yield finding("BB301", function.address, "its role is not in any stack")
    else:
        yield from _role(function, role)
    for arn in dict.fromkeys((function.failures_arn, function.dead_letters_arn, function.successes_arn)):
        if access.service_of(arn or "") in access.DESTINATIONS_NOT_SIMULATED:
            yield finding("BB190", function.address, f"not simulated: what becomes of records in {arn}")
    if not function.failures_arn and not function.dead_letters_arn:
        words = "has no failure destination: events that the function fails at are lost"
        yield finding("BB303", function.address, words)
    if function.reserved_concurrency == 0:
        words = "reserved_concurrent_executions is 0: every invocation is throttled, and nothing is ever done"
        yield finding("BB306", function.address, words)


def _role(function: Function, role: Role) -> Iterator[Finding]:
    if not access.may_assume(LAMBDA, role):
        yield finding("BB503", function.address, f"{role.name} does not trust {LAMBDA}")
    for arn in filter(None, (function.failures_arn, function.dead_letters_arn, function.successes_arn)):
        action = access.SENDING.get(access.service_of(arn))
        if action is not None and not access.may(role, action, access.sent_to(arn)):
            what = "did" if arn == function.successes_arn else "fails at"
            words = f"{role.name} may not {action} on {arn}: what the function {what} is lost"
            yield finding("BB302", function.address, words)
