"""Whether what refers to each other is in the accounts and regions that AWS demands.

Sources: EventBridge user guide, "Event bus targets" and "Using dead-letter queues"; Lambda developer guide, "Using
Lambda with Amazon SQS"; SQS developer guide, "Dead-letter queues"; IAM user guide, "Granting a user permissions to pass
a role to an AWS service".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from backbone.aws.arn import Arn, ArnError, Place
from backbone.system.findings import Finding, finding
from backbone.system.http_model import HttpApi
from backbone.system.model import Archive, EventBus, Function, Queue, Rule, System, Target

__all__ = ["check"]

Same = Literal["account", "region", "account and region"]


@dataclass(frozen=True)
class _Reference:
    """A reference from a block to an ARN, and what must be the same there as here."""

    address: str
    place: Place
    what: str
    arn: str | None
    same: Same


def check(system: System) -> Iterator[Finding]:
    """References to a resource of an account or region that AWS does not take."""
    for reference in _references(system):
        if reference.arn is not None and (words := _problem(reference)) is not None:
            yield finding("BB108", reference.address, words)


def _problem(reference: _Reference) -> str | None:
    place = reference.place
    try:
        arn = Arn.parse(str(reference.arn))
    except ArnError:
        return f"{reference.what}: got {reference.arn!r}; allowed: an ARN"
    if arn.service == "s3":
        return None  # a bucket's ARN names neither account nor region
    if arn.partition != place.partition:
        return f"{reference.what} {arn} is in the partition {arn.partition}; allowed: {place.partition}"
    if "region" in reference.same and arn.region != place.region:
        return f"{reference.what} {arn} is in {arn.region or 'no region'}; allowed: {place.region}"
    if "account" in reference.same and arn.account_id != place.account_id:
        return f"{reference.what} {arn} is in the account {arn.account_id}; allowed: {place.account_id}"
    return None


def _references(system: System) -> Iterator[_Reference]:
    both: Same = "account and region"
    for rule in system.of(Rule):
        yield _Reference(rule.address, rule.place, "the bus", rule.bus_arn, "region")
        for target in rule.targets:
            yield from _of_target(rule.place, target, system)
    for archive in system.of(Archive):
        yield _Reference(archive.address, archive.place, "the bus", archive.bus_arn, both)
    for queue in system.of(Queue):
        yield _Reference(queue.address, queue.place, "the dead-letter queue", queue.redrive_arn, both)
    for function in system.of(Function):
        yield _Reference(function.address, function.place, "the role", function.role_arn, "account")
        yield _Reference(function.address, function.place, "the failure destination", function.failures_arn, both)
        for mapping in function.mappings:
            same: Same = "region" if mapping.service == "sqs" else both
            yield _Reference(mapping.address, function.place, "the event source", mapping.source_arn or None, same)
            yield _Reference(mapping.address, function.place, "the failure destination", mapping.failures_arn, both)
    for api in system.of(HttpApi):
        for route in api.routes:
            yield _Reference(route.address, api.place, "the function", route.function_arn, "region")


def _of_target(place: Place, target: Target, system: System) -> Iterator[_Reference]:
    yield _Reference(target.address, place, "the role", target.role_arn, "account")
    yield _Reference(target.address, place, "the dead-letter queue", target.dead_letters_arn, "region")
    to = system.target_of(target.arn)
    if isinstance(to, EventBus) or ":event-bus/" in target.arn:
        return  # a bus may be anywhere
    same: Same = "region" if target.role_arn or isinstance(to, Queue | Function) else "account and region"
    yield _Reference(target.address, place, "the target", target.arn, same)
