"""Who may do what in a system: each decision that AWS makes on an event's way, and the reason for it in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from backbone.system.iam import Identity, Policy, authorize, event_source
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
    Topic,
    TopicSubscription,
)

__all__ = [
    "API_GATEWAY",
    "DESTINATIONS_NOT_SIMULATED",
    "EVENTS",
    "NOTIFIED",
    "READING",
    "SENDING",
    "SNS",
    "TARGETS_NOT_SIMULATED",
    "Refusal",
    "dead_letter_refusal",
    "delivery_refusal",
    "invoke_permission",
    "may",
    "may_assume",
    "notification_refusal",
    "policies_of",
    "send_refusal",
    "sent_to",
    "service_of",
    "topic_send_refusal",
]

EVENTS = "events.amazonaws.com"
SNS = "sns.amazonaws.com"
ECS_TASKS = "ecs-tasks.amazonaws.com"
NOTIFIED = ("lambda", "sqs")
"""The protocols of a topic's subscribers that are simulated."""
API_GATEWAY = "apigateway.amazonaws.com"
SENDING = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "s3": "s3:PutObject",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}
"""What a function's role must be allowed, by the service of a destination (Lambda developer guide, "Capturing records
of Lambda asynchronous invocations")."""

READING = {
    "sqs": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "kinesis": ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
}
"""What Lambda does to a queue or stream with the role of the function that reads it (Lambda developer guide, "Invoking
Lambda with events from other AWS services")."""

TARGETS_NOT_SIMULATED = frozenset(
    {
        *("appsync", "batch", "codebuild", "codepipeline", "ecs", "execute-api", "firehose", "glue", "inspector"),
        *("redshift", "redshift-serverless", "sagemaker", "sns", "ssm", "ssm-incidents", "states"),
    }
)
"""The services that rules can send to and that are not simulated (EventBridge user guide, "Event bus targets")."""

BY_ROLE: Mapping[str, tuple[str, ...]] = {
    "ecs": ("ecs:RunTask",),
    "execute-api": ("execute-api:Invoke",),
    "firehose": ("firehose:PutRecord", "firehose:PutRecordBatch"),
    "states": ("states:StartExecution",),
}
"""What a target's role must be allowed, by the service of targets that are not simulated (EventBridge user guide,
"Using identity-based policies", "Permissions required for EventBridge to access targets")."""

OPEN = frozenset({"execute-api"})
"""Services whose targets need no role: an API may let anyone call it, or events.amazonaws.com by its own policy."""

DESTINATIONS_NOT_SIMULATED = frozenset({"s3", "sns"})
"""The services that functions and their mappings can send records to and that are not simulated."""

LOG_DELIVERY = "delivery.logs.amazonaws.com"


@dataclass(frozen=True)
class Refusal:
    """Why a delivery fails: EventBridge's error code, and the reason in words."""

    code: str
    why: str

    def __str__(self) -> str:
        return f"{self.code}: {self.why}"


def service_of(arn: str) -> str:
    """The service of an ARN; empty where the text is none."""
    return arn.split(":")[2] if arn.startswith("arn:") and arn.count(":") >= 5 else ""


def policies_of(resource: Resource | None) -> tuple[Policy, ...]:
    """The policies that a resource has of its own, by which others may send to it or call it."""
    if isinstance(resource, Function):
        return resource.permissions
    if isinstance(resource, EventBus | Queue | Topic) and resource.policy is not None:
        return (resource.policy,)
    return ()


def may(role: Role, action: str, arn: str, context: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Whether a role's own policies let it do something to a resource at an ARN."""
    return bool(authorize(role.identity, action, arn, owner=role.account_id, context=context))


def send_refusal(who: Identity, arn: str, context: Mapping[str, str], policies: Iterable[Policy] = ()) -> str | None:
    """Why an identity may not send to a destination, by its own policies and the destination's; None when it may."""
    action, account = SENDING[service_of(arn)], "".join(arn.split(":")[4:5])
    decision = authorize(who, action, sent_to(arn), owner=account or who.account_id, policies=policies, context=context)
    return None if decision else decision.why


def sent_to(arn: str) -> str:
    """The resource that a permission to send to a destination is about: of a bucket an object in it."""
    return f"{arn}/*" if service_of(arn) == "s3" else arn


def may_assume(service: str, role: Role, context: Mapping[str, str] | None = None) -> bool:
    """Whether a role trusts a service; `context` is what it assumes the role for, where that is known."""
    decision = authorize(
        Identity(service),
        "sts:AssumeRole",
        role.arn,
        owner=role.account_id,
        policies=[role.trust],
        context=context or {},
        ahead=context is None,
    )
    return bool(decision)


def invoke_permission(function: Function, service: str, source_arn: str, source_account: str) -> str | None:
    """The permission by which a service may invoke a function; None when it may not."""
    decision = authorize(
        Identity(service),
        "lambda:InvokeFunction",
        function.arn,
        owner=function.account_id,
        policies=function.permissions,
        context=event_source(source_arn, source_account),
    )
    return decision.why if decision else None


def dead_letter_refusal(system: System, target: Target) -> str | None:
    """Why EventBridge may not send to a target's dead-letter queue; None when it may."""
    queue = system.get(Queue, target.dead_letters_arn)
    if queue is None:
        return f"the dead-letter queue {target.dead_letters_arn} is not in any stack"
    refusal = _queue(system, target, queue, {}, False)
    return f"{refusal.why} (dead-letter queue {queue.name})" if refusal else None


def delivery_refusal(
    system: System, target: Target, context: Mapping[str, str], *, ahead: bool = False
) -> Refusal | None:
    """Why a delivery to a target fails; None when it is allowed, or when nothing is known of targets of its kind.

    `context` has the condition keys of the event. With `ahead` there is no event yet, and conditions on it count as
    met.
    """
    service, to = service_of(target.arn), system.target_of(target.arn)
    if service in BY_ROLE:
        return _started(system, target, BY_ROLE[service], context)
    if to is None and service in TARGETS_NOT_SIMULATED:
        return None
    if to is None:
        return Refusal("NO_RESOURCE", f"{target.arn} is not in any stack")
    decide = _DELIVERIES.get(type(to))
    if decide is None:
        return Refusal("NO_RESOURCE", f"{target.arn} is nothing that a rule can send to")
    return decide(system, target, to, context, ahead)


Kind = TypeVar("Kind", bound=Resource)
Context = Mapping[str, str]
Decide = Callable[[System, Target, Kind, Context, bool], Refusal | None]


def _source(target: Target) -> dict[str, str]:
    return event_source(target.rule_arn, target.account_id)


def _function(_: System, target: Target, to: Function, context: Context, ahead: bool) -> Refusal | None:
    if invoke_permission(to, EVENTS, target.rule_arn, target.account_id):
        return None
    return Refusal("NO_PERMISSIONS", f"{to.name} has no permission for events.amazonaws.com and this rule")


def _by_its_policy(action: str, target: Target, to: Queue | Topic) -> Refusal | None:
    decision = authorize(
        Identity(EVENTS),
        action,
        to.arn,
        owner=to.account_id,
        policies=filter(None, [to.policy]),
        context=_source(target),
    )
    return None if decision else Refusal("NO_PERMISSIONS", decision.why)


def _queue(_: System, target: Target, to: Queue, context: Context, ahead: bool) -> Refusal | None:
    return _by_its_policy("sqs:SendMessage", target, to)


def _log_group(system: System, target: Target, to: LogGroup, context: Context, ahead: bool) -> Refusal | None:
    policies = system.log_policies(to.account_id)
    for service in (EVENTS, LOG_DELIVERY):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            arn, source = f"{to.arn}:*", _source(target)
            allowed = authorize(Identity(service), action, arn, owner=to.account_id, policies=policies, context=source)
            if not allowed:
                why = f"no logs resource policy allows {service} {action} on {to.name}"
                return Refusal("NO_PERMISSIONS", why)
    return None


def _topic(_: System, target: Target, to: Topic, context: Context, ahead: bool) -> Refusal | None:
    return _by_its_policy("sns:Publish", target, to)


def topic_send_refusal(topic: Topic, queue: Queue) -> str | None:
    """Why SNS may not send to a queue for a topic; None when it may."""
    decision = authorize(
        Identity(SNS),
        "sqs:SendMessage",
        queue.arn,
        owner=queue.account_id,
        policies=filter(None, [queue.policy]),
        context=event_source(topic.arn, topic.account_id),
    )
    return None if decision else f"{decision.why} (queue {queue.name})"


def notification_refusal(system: System, topic: Topic, subscription: TopicSubscription) -> str | None:
    """Why a subscriber of a topic does not get what the topic is sent; None when it does."""
    to = system.resources.get(subscription.endpoint)
    match subscription.protocol, to:
        case "sqs", Queue():
            return topic_send_refusal(topic, to)
        case "lambda", Function():
            if invoke_permission(to, SNS, topic.arn, topic.account_id):
                return None
            return f"{to.name} has no permission for sns.amazonaws.com and this topic"
    return f"{subscription.endpoint} is no subscriber over {subscription.protocol} in any stack"


def _role_of(system: System, target: Target) -> Role | Refusal:
    """The role of a target, or why EventBridge cannot assume it."""
    role = system.get(Role, target.role_arn)
    if role is None:
        missing = f"the role {target.role_arn} is not in any stack" if target.role_arn else "the target has no role"
        return Refusal("FAILED_TO_ASSUME_ROLE", missing)
    if not may_assume(EVENTS, role, _source(target)):
        return Refusal("FAILED_TO_ASSUME_ROLE", f"{role.name} does not trust events.amazonaws.com for this rule")
    return role


def _started(system: System, target: Target, actions: Iterable[str], context: Context) -> Refusal | None:
    """Deliveries to a service that is not simulated: what it would be asked for, the target's role must be allowed."""
    if target.role_arn is None and service_of(target.arn) in OPEN:
        return None
    role = _role_of(system, target)
    if isinstance(role, Refusal):
        return role
    task = target.task_definition_arn
    owner = target.arn.split(":")[4]
    for action in actions:
        resource = task if action == "ecs:RunTask" and task else target.arn
        keys = {"ecs:cluster": target.arn} if action == "ecs:RunTask" else {}
        decision = authorize(role.identity, action, resource, owner=owner, context={**context, **keys})
        if not decision:
            return Refusal("NO_PERMISSIONS", decision.why)
    for given in target.task_role_arns:
        keys = {"iam:PassedToService": ECS_TASKS}
        decision = authorize(role.identity, "iam:PassRole", given, owner=given.split(":")[4], context=keys)
        if not decision:
            return Refusal("NO_PERMISSIONS", decision.why)
    return None


def _by_role(action: str) -> Decide[Resource]:
    """Deliveries that EventBridge makes with the target's role."""

    def decide(system: System, target: Target, to: Resource, context: Context, ahead: bool) -> Refusal | None:
        role = _role_of(system, target)
        if isinstance(role, Refusal):
            return role
        decision = authorize(
            role.identity,
            action,
            to.arn,
            owner=to.account_id,
            policies=filter(None, [to.policy if isinstance(to, EventBus) else None]),
            context={**context, "events:eventBusInvocation": "true"},
            ahead=ahead,
        )
        return None if decision else Refusal("NO_PERMISSIONS", decision.why)

    return decide


_DELIVERIES: dict[type[Resource], Decide[Any]] = {
    Function: _function,
    Queue: _queue,
    Topic: _topic,
    LogGroup: _log_group,
    EventBus: _by_role("events:PutEvents"),
    Stream: _by_role("kinesis:PutRecord"),
    ApiDestination: _by_role("events:InvokeApiDestination"),
}
