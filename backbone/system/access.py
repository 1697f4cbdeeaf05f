"""Who may do what in a system: each decision that AWS makes on an event's way, and the reason for it in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from backbone.system.iam import Identity, authorize
from backbone.system.model import (
    ApiDestination,
    EventBus,
    Function,
    LogGroup,
    Queue,
    Resource,
    Role,
    Stream,
    System,
    Target,
)

__all__ = [
    "API_GATEWAY",
    "EVENTS",
    "Refusal",
    "dead_letter_refusal",
    "delivery_refusal",
    "invoke_permission",
    "may",
    "organization",
]

EVENTS = "events.amazonaws.com"
API_GATEWAY = "apigateway.amazonaws.com"
LOG_DELIVERY = "delivery.logs.amazonaws.com"

FROM_TARGET = frozenset(["aws:PrincipalArn", "aws:PrincipalAccount", "events:eventBusInvocation"])
"""The condition keys that are known of a delivery before there is an event."""


@dataclass(frozen=True)
class Refusal:
    """Why a delivery fails: EventBridge's error code, and the reason in words."""

    code: str
    why: str

    def __str__(self) -> str:
        return f"{self.code}: {self.why}"


def may(role: Role, action: str, arn: str) -> bool:
    """Whether a role's own policies let it do something to a resource at an ARN."""
    return bool(authorize(role.identity, action, arn, owner=role.account_id, policy=None, context={}))


def invoke_permission(function: Function, service: str, source_arn: str, source_account: str) -> str | None:
    """The permission by which a service may invoke a function; None when it may not."""
    context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
    for permission in function.permissions:
        decision = authorize(
            Identity(service), "lambda:InvokeFunction", function.arn, owner="", policy=permission, context=context
        )
        if decision:
            return decision.why
    return None


def dead_letter_refusal(system: System, target: Target) -> str | None:
    """Why EventBridge may not send to a target's dead-letter queue; None when it may."""
    queue = system.get(Queue, target.dead_letters_arn)
    if queue is None:
        return f"the dead-letter queue {target.dead_letters_arn} is made by no stack"
    refusal = _queue(system, target, queue, {}, None)
    return f"{refusal.why} (dead-letter queue {queue.name})" if refusal else None


def delivery_refusal(
    system: System, target: Target, context: Mapping[str, str], *, ahead: bool = False
) -> Refusal | None:
    """Why a delivery to a target fails; None when it is allowed.

    `context` has the condition keys of the event. With `ahead` there is no event yet, and conditions on it count as
    met.
    """
    to = system.target_of(target.arn)
    if to is None:
        if any(f":{service}:" in target.arn for service in ("events", "sqs", "lambda", "logs", "kinesis")):
            return Refusal("NO_RESOURCE", f"{target.arn} is made by no stack")
        return Refusal("NO_RESOURCE", f"targets such as {target.arn} are not simulated")
    decide = _DELIVERIES.get(type(to))
    if decide is None:
        return Refusal("NO_RESOURCE", f"targets such as {target.arn} are not simulated")
    return decide(system, target, to, context, FROM_TARGET if ahead else None)


Kind = TypeVar("Kind", bound=Resource)
Context = Mapping[str, str]
Decide = Callable[[System, Target, Kind, Context, frozenset[str] | None], Refusal | None]


def _source(target: Target) -> dict[str, str]:
    return {"aws:SourceArn": target.rule_arn, "aws:SourceAccount": target.account_id}


def _function(
    _: System, target: Target, to: Function, context: Context, known: frozenset[str] | None
) -> Refusal | None:
    if invoke_permission(to, EVENTS, target.rule_arn, target.account_id):
        return None
    return Refusal("NO_PERMISSIONS", f"{to.name} has no permission for events.amazonaws.com and this rule")


def _queue(_: System, target: Target, to: Queue, context: Context, known: frozenset[str] | None) -> Refusal | None:
    decision = authorize(
        Identity(EVENTS), "sqs:SendMessage", to.arn, owner=to.account_id, policy=to.policy, context=_source(target)
    )
    return None if decision else Refusal("NO_PERMISSIONS", decision.why)


def _log_group(
    system: System, target: Target, to: LogGroup, context: Context, known: frozenset[str] | None
) -> Refusal | None:
    policies = system.log_policies(to.account_id)
    for service in (EVENTS, LOG_DELIVERY):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            allowed = any(
                authorize(Identity(service), action, f"{to.arn}:*", owner="", policy=policy, context=_source(target))
                for policy in policies
            )
            if not allowed:
                why = f"no logs resource policy allows {service} {action} on {to.name}"
                return Refusal("NO_PERMISSIONS", why)
    return None


def _by_role(action: str) -> Decide[Resource]:
    """Deliveries that EventBridge makes with the target's role."""

    def decide(
        system: System, target: Target, to: Resource, context: Context, known: frozenset[str] | None
    ) -> Refusal | None:
        role = system.get(Role, target.role_arn)
        if role is None:
            missing = f"the role {target.role_arn} is made by no stack" if target.role_arn else "the target has no role"
            return Refusal("FAILED_TO_ASSUME_ROLE", missing)
        trusted = authorize(
            Identity(EVENTS), "sts:AssumeRole", role.arn, owner="", policy=role.trust, context=_source(target)
        )
        if not trusted:
            return Refusal("FAILED_TO_ASSUME_ROLE", f"{role.name} does not trust events.amazonaws.com for this rule")
        principal = {
            "aws:PrincipalArn": role.arn,
            "aws:PrincipalAccount": role.account_id,
            "events:eventBusInvocation": "true",
        }
        decision = authorize(
            role.identity,
            action,
            to.arn,
            owner=to.account_id,
            policy=to.policy if isinstance(to, EventBus) else None,
            context={**context, **principal},
            known=known,
        )
        return None if decision else Refusal("NO_PERMISSIONS", decision.why)

    return decide


_DELIVERIES: dict[type[Resource], Decide[Any]] = {
    Function: _function,
    Queue: _queue,
    LogGroup: _log_group,
    EventBus: _by_role("events:PutEvents"),
    Stream: _by_role("kinesis:PutRecord"),
    ApiDestination: _by_role("events:InvokeApiDestination"),
}


def organization(system: System) -> str | None:
    """The organization that bus policies ask for: all accounts of the stacks count as members of it."""
    for bus in system.of(EventBus):
        for statement in bus.policy.statements if bus.policy else ():
            for keys in statement.get("Condition", {}).values():
                if found := keys.get("aws:PrincipalOrgID"):
                    return str(found[0] if isinstance(found, list) else found)
    return None
