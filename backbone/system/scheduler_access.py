"""What EventBridge Scheduler may do with the role of a schedule.

Sources: EventBridge Scheduler user guide, "Using templated targets", "Using universal targets", "Setting up the
execution role", "Confused deputy prevention" and "Configuring a dead-letter queue".
"""

from __future__ import annotations

from backbone.system.access import Refusal, may_assume, policies_of, service_of
from backbone.system.iam import authorize, event_source
from backbone.system.model import EventBus, Function, Queue, Resource, Role, Stream, System, Topic
from backbone.system.scheduler import ScheduledCall

__all__ = ["DENIED", "NOT_RUN", "SCHEDULER", "call_refusal", "dead_letter_refusal", "is_run", "target_of"]

SCHEDULER = "scheduler.amazonaws.com"
DENIED = "AccessDeniedException"

ACTIONS = {
    "codebuild": "codebuild:StartBuild",
    "codepipeline": "codepipeline:StartPipelineExecution",
    "ecs": "ecs:RunTask",
    "events": "events:PutEvents",
    "firehose": "firehose:PutRecord",
    "inspector": "inspector:StartAssessmentRun",
    "kinesis": "kinesis:PutRecord",
    "lambda": "lambda:InvokeFunction",
    "sagemaker": "sagemaker:StartPipelineExecution",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}
"""What the role must be allowed, by the service of a templated target."""

UNIVERSAL = "scheduler"
"""The service in the ARN of a universal target, `arn:aws:scheduler:::aws-sdk:SERVICE:ACTION`."""

NOT_RUN = frozenset({*ACTIONS, UNIVERSAL} - {"events", "kinesis", "lambda", "sns", "sqs"})
"""Services whose targets are recorded and not run."""

RUN = (EventBus, Function, Queue, Stream, Topic)


def target_of(system: System, schedule: ScheduledCall) -> Resource | None:
    """What a schedule calls, where the stacks make it; a function's version or alias is the function."""
    arn = schedule.target.arn
    found = system.resources.get(":".join(arn.split(":")[:7]) if service_of(arn) == "lambda" else arn)
    return found if isinstance(found, RUN) else None


def is_run(schedule: ScheduledCall) -> bool:
    """Whether what becomes of a schedule's call is simulated."""
    return service_of(schedule.target.arn) not in NOT_RUN


def call_refusal(system: System, schedule: ScheduledCall) -> Refusal | None:
    """Why a schedule's call fails; None when it is allowed, or when nothing is known of the action's resource."""
    role = _role_of(system, schedule)
    if isinstance(role, Refusal):
        return role
    arn, to = schedule.target.arn, target_of(system, schedule)
    service = service_of(arn)
    if service == UNIVERSAL:
        return None  # what it would be done to stands in the input, in the words of the service
    if service not in ACTIONS:
        return Refusal("ValidationException", f"{arn} is nothing that a templated target of Scheduler can be")
    if to is None and is_run(schedule):
        return Refusal("ResourceNotFoundException", f"{arn} is not in any stack")
    return _role_refusal(role, schedule, ACTIONS[service], to)


def _role_refusal(role: Role, schedule: ScheduledCall, action: str, to: Resource | None) -> Refusal | None:
    arn = schedule.target.arn
    context: dict[str, str] = {}
    resource = schedule.target.task_definition_arn if action == "ecs:RunTask" else arn
    if action == "ecs:RunTask":
        context["ecs:cluster"] = arn
    if schedule.event_source and schedule.event_type:
        context |= {"events:source": schedule.event_source, "events:detail-type": schedule.event_type}
    policies = policies_of(to)
    decision = authorize(
        role.identity, action, resource or arn, owner=arn.split(":")[4], policies=policies, context=context
    )
    return None if decision else Refusal(DENIED, decision.why)


def dead_letter_refusal(system: System, schedule: ScheduledCall) -> str | None:
    """Why a failed call cannot be sent to the dead-letter queue of a schedule; None when it can."""
    arn, role = schedule.target.dead_letters_arn, _role_of(system, schedule)
    queue = system.get(Queue, arn)
    if queue is None:
        return f"the dead-letter queue {arn} is not in any stack"
    if queue.fifo is not None:
        return f"the dead-letter queue {queue.name} is FIFO: Scheduler does not send to it"
    if isinstance(role, Refusal):
        return role.why
    policies = [queue.policy] if queue.policy else []
    owner = queue.account_id
    decision = authorize(role.identity, "sqs:SendMessage", queue.arn, owner=owner, policies=policies, context={})
    return None if decision else f"{decision.why} (dead-letter queue {queue.name})"


def _role_of(system: System, schedule: ScheduledCall) -> Role | Refusal:
    role = system.get(Role, schedule.target.role_arn)
    if role is None:
        return Refusal(DENIED, f"the role {schedule.target.role_arn} is not in any stack")
    if not may_assume(SCHEDULER, role, event_source(schedule.group_arn, schedule.account_id)):
        return Refusal(DENIED, f"{role.name} does not trust {SCHEDULER} for the schedule group {schedule.group_arn}")
    return role
