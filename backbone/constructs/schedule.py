"""A schedule of EventBridge Scheduler, which calls something of a service at certain times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypedDict

from backbone.aws import target_policies
from backbone.aws.limits import QUEUE_NAME_CHARACTERS, ROLE_NAME_CHARACTERS, SCHEDULE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import (
    Construct,
    SchedulerSchedule,
    SchedulerScheduleFlexibleTimeWindow,
    SchedulerScheduleGroup,
    SchedulerScheduleTarget,
    SchedulerScheduleTargetDeadLetterConfig,
    SchedulerScheduleTargetRetryPolicy,
)
from backbone.constructs.account import Account
from backbone.constructs.delivery_stream import DeliveryStream
from backbone.constructs.function import Function
from backbone.constructs.queue import Queue
from backbone.constructs.role import Role
from backbone.constructs.state_machine import StateMachine
from backbone.constructs.topic import Topic
from backbone.topology.retry import Retry

__all__ = ["Called", "Schedule", "ScheduleGroup", "ScheduleSettings"]

Called = Function | Queue | Topic | StateMachine | DeliveryStream
"""What a schedule can call."""


class ScheduleSettings(TypedDict, total=False):
    """When a schedule is due, where that is not as `Schedule` has it by default."""

    timezone: str
    start: str | None
    end: str | None
    window_minutes: int | None


class ScheduleGroup(Construct):
    """The group of a service's schedules, for which alone their roles are assumed."""

    def __init__(self, scope: Construct, id: str, *, account: Account, name: str) -> None:
        super().__init__(scope, id)
        group = SchedulerScheduleGroup(self, "Default", provider=account.provider, name=name)
        self.name, self.arn = group.name, group.arn


class Schedule(Construct):
    """A schedule that calls a function, queue, topic, state machine or delivery stream, with a role of its own.

    `expression` is `at(2030-12-31T18:00:00)`, `rate(5 minutes)` or `cron(0 2 * * ? *)`, in `timezone`; `start` and
    `end` are dates in RFC 3339. A call may come up to `window_minutes` after its time. `input` is sent as JSON, where
    `<aws.scheduler.scheduled-time>` and the like stand for what they say; without it Scheduler sends a notification of
    its own. What could not be delivered is in the queue `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        group: ScheduleGroup,
        name_of: NameOf,
        expression: str,
        to: Called,
        retry: Retry,
        timezone: str = "UTC",
        start: str | None = None,
        end: str | None = None,
        window_minutes: int | None = None,
        input: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = Queue(
            self, "dead-letters", account=account, name=name_of(f"{id}-dead-letters", QUEUE_NAME_CHARACTERS)
        )
        role = Role(
            self,
            account=account,
            name=name_of(f"{id}-{account.place.region}", ROLE_NAME_CHARACTERS),
            description=f"Calls on the schedule {id}",
            trust=target_policies.scheduler_trust(account.place, group_arn=group.arn),
        )
        allowed = target_policies.call(
            _action(to), to.arn, dead_letters_arn=self.dead_letters.arn, kms_key=account.kms_key
        )
        mode = "OFF" if window_minutes is None else "FLEXIBLE"
        schedule = SchedulerSchedule(
            self,
            "Default",
            provider=account.provider,
            name=name_of(id, SCHEDULE_NAME_CHARACTERS),
            group_name=group.name,
            schedule_expression=expression,
            schedule_expression_timezone=timezone,
            start_date=start,
            end_date=end,
            kms_key_arn=account.kms_key,
            flexible_time_window=SchedulerScheduleFlexibleTimeWindow(
                mode=mode, maximum_window_in_minutes=window_minutes
            ),
            target=SchedulerScheduleTarget(
                arn=to.arn,
                role_arn=role.arn,
                input=None if input is None else json.dumps(input, sort_keys=True, ensure_ascii=False),
                dead_letter_config=SchedulerScheduleTargetDeadLetterConfig(arn=self.dead_letters.arn),
                retry_policy=SchedulerScheduleTargetRetryPolicy(
                    maximum_event_age_in_seconds=retry.max_age_seconds, maximum_retry_attempts=retry.max_attempts
                ),
            ),
            depends_on=[role.allow("role-policy", "call", allowed)],
        )
        self.name, self.arn = schedule.name, schedule.arn


def _action(to: Called) -> str:
    match to:
        case Function():
            return "lambda:InvokeFunction"
        case Queue():
            return "sqs:SendMessage"
        case Topic():
            return "sns:Publish"
        case StateMachine():
            return "states:StartExecution"
        case DeliveryStream():
            return "firehose:PutRecord"
