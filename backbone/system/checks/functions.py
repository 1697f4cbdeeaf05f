"""Functions: what they lack to run, and to keep what they fail at."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, Role, System

__all__ = ["check"]

LAMBDA = "lambda.amazonaws.com"
POLLING = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""What Lambda does to a queue with the function's role (Lambda developer guide, "Using Lambda with Amazon SQS")."""


def check(system: System) -> Iterator[Finding]:
    """What is wrong with functions."""
    for function in system.of(Function):
        yield from _function(system, function)


def _function(system: System, function: Function) -> Iterator[Finding]:
    role = system.get(Role, function.role_arn)
    if role is None:
        yield finding("BB301", function.address, "its role is made by no stack")
    else:
        yield from _role(function, role)
    if not function.failures_arn:
        words = "has no failure destination: events that the function fails at are lost"
        yield finding("BB303", function.address, words)


def _role(function: Function, role: Role) -> Iterator[Finding]:
    if not access.may_assume(LAMBDA, role):
        yield finding("BB503", function.address, f"{role.name} does not trust {LAMBDA}")
    if function.failures_arn and not access.may(role, "sqs:SendMessage", function.failures_arn):
        words = f"{role.name} may not send to {function.failures_arn}: what the function fails at is lost"
        yield finding("BB302", function.address, words)
    for mapping in function.mappings:
        for action in POLLING:
            if not access.may(role, action, mapping.source_arn):
                words = f"{role.name} may not {action} on {mapping.source_arn}: nothing reaches the function"
                yield finding("BB304", mapping.address, words)
