"""Policies that allow more than a backbone needs: what AWS takes, and what somebody else can use.

Sources: IAM user guide, "Security best practices" and "The confused deputy problem"; EventBridge user guide, "Using
resource-based policies"; CloudWatch Logs user guide, "Enabling logging from AWS services".
"""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system.findings import Finding, finding
from backbone.system.iam import (
    BUS,
    FUNCTION,
    INLINE,
    KEY,
    LOGS,
    QUEUE,
    TOPIC,
    TRUST,
    Policy,
    Statement,
    catalogue,
)
from backbone.system.iam.text import like
from backbone.system.keys import Key
from backbone.system.model import EventBus, Function, Queue, Role, System, Topic
from backbone.system.onward.buckets import Bucket

__all__ = ["check"]

DEPUTIES = ("apigateway.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com", "sns.amazonaws.com")
"""Services that act for whoever made the rule, the schedule or the API, in any account."""

VENDED = "/aws/vendedlogs/"
"""Where log groups stand that AWS's own services write to."""


def check(system: System) -> Iterator[Finding]:
    """Statements that allow more than is needed."""
    for owner, policy in _policies(system):
        for statement in policy.statements:
            for words in _problems(statement, policy, owner) if statement.allows else ():
                yield finding("BB510", policy.address, f"{statement.where}: {words}")
    for role in filter(None, (system.get(Role, function.role_arn) for function in system.of(Function))):
        for policy in role.policies:
            for statement in policy.statements:
                for words in _publishing(statement) if statement.allows else ():
                    yield finding("BB510", policy.address, f"{statement.where}: {words}")


def _policies(system: System) -> Iterator[tuple[str, Policy]]:
    """Every policy, with the account of what it is attached to."""
    for role in system.of(Role):
        yield from ((role.account_id, policy) for policy in (role.trust, *role.policies))
    guarded: list[Queue | EventBus | Key | Topic | Bucket] = [*system.of(Queue), *system.of(EventBus)]
    guarded += [*system.of(Key), *system.of(Topic), *system.of(Bucket)]
    for resource in guarded:
        if resource.policy is not None:
            yield resource.account_id, resource.policy
    for function in system.of(Function):
        yield from ((function.account_id, policy) for policy in function.permissions)
    for place in system.accounts.values():
        yield from ((place.account_id, policy) for policy in system.log_policies(place.account_id))


def _problems(statement: Statement, policy: Policy, owner: str) -> Iterator[str]:
    for negated, element in ((statement.but_actions, "NotAction"), (statement.but_resources, "NotResource")):
        if negated:
            yield f"allows all but what {element} names; say what is allowed"
    whole = statement.but_actions or _leaves_key_to_its_account(statement, policy, owner)
    for action in statement.actions if not whole else ():
        if action.rpartition(":")[2] == "*":
            yield f"Action: allows {action}; say which actions are needed"
    yield from _resources(statement, policy)
    for condition in statement.conditions:
        if condition.key.lower() == CREATOR and policy.kind is BUS:
            continue  # a rule that is not there yet has no creator
        if condition.operator.if_exists or (condition.operator.quantifier == "ForAllValues"):
            yield f"Condition: {condition.operator.name} holds for requests without {condition.key} too"
    yield from _principals(statement, policy, owner)


def _leaves_key_to_its_account(statement: Statement, policy: Policy, owner: str) -> bool:
    """Whether a statement is that of KMS's default key policy, by which the account's own policies decide."""
    named = statement.principals
    if policy.kind is not KEY or named is None or named.everyone or named.but or named.services:
        return False
    return named.accounts == {owner}


def _resources(statement: Statement, policy: Policy) -> Iterator[str]:
    """Wildcards for all resources of a service, where the actions are done to single ones."""
    if policy.kind not in (INLINE, LOGS):
        return  # what is attached to a resource is about that resource, and AWS's own policies name none
    for template in statement.resources if not statement.but_resources else ():
        everything = template.text == "*" or template.text.split(":", 5)[-1] == "*"
        if everything and any(_has_resources(action) for action in statement.actions):
            yield f"Resource: allows it on everything, {template.text}; name what it is for"


def _principals(statement: Statement, policy: Policy, owner: str) -> Iterator[str]:
    principals = statement.principals
    if principals is None:
        return
    if policy.kind in (FUNCTION, QUEUE, TOPIC, TRUST):
        for service in sorted({*DEPUTIES} & principals.services):
            if not _pins(statement, "aws:sourcearn"):
                words = "add a condition on aws:SourceArn"
                yield f"Condition: {service} may use it for anyone's rule, schedule or API; {words}"
    if policy.kind is KEY and {action.lower() for action in statement.actions} != {"kms:describekey"}:
        for service in sorted(principals.services) if not _pins(statement, *KEY_KEYS) else ():
            words = "add a condition on the encryption context, aws:SourceArn or aws:SourceAccount"
            yield f"Condition: {service} may use it for anybody; {words}"
    vended = any(VENDED in template.text or template.text == "*" for template in statement.resources)
    if policy.kind is LOGS and vended and not _pins(statement, "aws:sourcearn", "aws:sourceaccount"):
        yield "Condition: AWS's services may write for any account; add a condition on aws:SourceAccount"
    if policy.kind is BUS:
        yield from _of_bus(statement, sorted(principals.accounts - {owner}))


def _of_bus(statement: Statement, others: list[str]) -> Iterator[str]:
    """What other accounts may do with a bus."""
    named = ", ".join(others)
    if others and _does(statement, "events:putevents") and not _pins(statement, *BUS_KEYS):
        words = "add a condition on events:source, or on aws:PrincipalArn"
        yield f"Condition: admits every identity of {named} with events of any source; {words}"

    if others and _does(statement, "events:puttargets", "events:putrule"):
        creators = {
            value.text
            for condition in statement.conditions
            if condition.key.lower() == CREATOR and not condition.operator.negated
            for value in condition.values
        }
        if not creators or creators - {*others}:
            yield f"Condition: lets {named} change rules that others made; add a condition on events:creatorAccount"


def _does(statement: Statement, *actions: str) -> bool:
    return any(like(action.lower(), name) for action in statement.actions for name in actions)


CREATOR = "events:creatoraccount"
KEY_KEYS = ("aws:sourcearn", "aws:sourceaccount", "kms:encryptioncontext:*")
BUS_KEYS = ("aws:principalarn", "events:source")


def _pins(statement: Statement, *keys: str) -> bool:
    """Whether a condition on one of some keys, in which `*` stands for any characters, excludes anything."""
    return any(
        any(like(key, condition.key.lower()) for key in keys)
        and not (condition.operator.if_exists or condition.operator.negated)
        and any(value.pattern.strip("*") for value in condition.values)
        for condition in statement.conditions
    )


def _publishing(statement: Statement) -> Iterator[str]:
    """What a function may publish: bus policies speak of accounts, and a function is one service's."""
    if _does(statement, "events:putevents"):
        for key, words in (("events:source", "under any source"), ("events:detail-type", "events of any type")):
            if not _pins(statement, key):
                yield f"Condition: lets the function publish {words}; add a condition on {key}"


def _has_resources(action: str) -> bool:
    """Whether an action is done to single resources; some can only be allowed on everything."""
    prefix, _, name = action.partition(":")
    service = catalogue.service(prefix.lower())
    return service is None or any(found.resources for found in service.matching(name))
