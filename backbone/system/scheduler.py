"""Schedules of EventBridge Scheduler: what they call and when, as blocks of Terraform say it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from backbone.aws.limits import RETRY_MAX_AGE_SECONDS, RETRY_MAX_ATTEMPTS
from backbone.system.blocks import Blocks
from backbone.system.model import Resource, Target
from backbone.system.schedule import ScheduleError
from backbone.system.scheduler_times import Times, moment
from backbone.system.target_input import TargetInput
from backbone.system.values import Values

__all__ = ["DEFAULT_GROUP", "ScheduledCall", "group_arn", "read_schedule"]

DEFAULT_GROUP = "default"


@dataclass(frozen=True, eq=False, kw_only=True)
class ScheduledCall(Resource):
    """A schedule of EventBridge Scheduler (`aws_scheduler_schedule`), with its single target.

    `times` is None where the expression is wrong, which is a finding of the arguments.
    """

    group_arn: str
    expression: str
    times: Times | None
    enabled: bool
    window_seconds: int
    """How long after its time an invocation may come; 0 without a flexible window."""
    target: Target
    input: str | None
    """None for the notification that Scheduler makes by itself."""
    event_source: str | None
    event_type: str | None
    """The source and detail-type of the event that a bus is sent."""

    def payload(self, *, scheduled: str, execution_id: str, attempt: int) -> str:
        """What the target is sent. Each `<aws.scheduler.…>` in the input stands for what it says."""
        if self.input is None:
            return json.dumps(self._notification(scheduled, execution_id))
        known: Mapping[str, str] = {
            "schedule-arn": self.arn,
            "scheduled-time": scheduled,
            "execution-id": execution_id,
            "attempt-number": str(attempt),
        }
        return re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda found: known.get(found[1], found[0]), self.input)

    def _notification(self, scheduled: str, execution_id: str) -> dict[str, object]:
        return {
            "version": "0",
            "id": execution_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self.account_id,
            "time": scheduled,
            "region": self.place.region,
            "resources": [self.arn],
            "detail": "{}",
        }


def group_arn(values: Values) -> str:
    """The ARN of a schedule's group, for which its role is assumed."""
    return values.block.place.arn("scheduler", f"schedule-group/{values.text('group_name', DEFAULT_GROUP)}")


def read_schedule(_blocks: Blocks, values: Values) -> ScheduledCall:
    """A block `aws_scheduler_schedule`."""
    block, target = values.block, values.part("target")
    window, bus = values.part("flexible_time_window"), target.part("eventbridge_parameters")
    is_flexible = window.text("mode", "OFF") == "FLEXIBLE"
    return ScheduledCall(
        address=block.id,
        name=values.text("name"),
        arn=values.text("arn"),
        account=block.account,
        place=block.place,
        group_arn=group_arn(values),
        expression=values.text("schedule_expression"),
        times=_times(values),
        enabled=values.text("state", "ENABLED") != "DISABLED",
        window_seconds=60 * window.integer("maximum_window_in_minutes", 0) if is_flexible else 0,
        target=_target(values, target),
        input=target.optional_text("input"),
        event_source=bus.optional_text("source"),
        event_type=bus.optional_text("detail_type"),
    )


def _times(values: Values) -> Times | None:
    start, end = values.optional_text("start_date"), values.optional_text("end_date")
    text, timezone = values.text("schedule_expression"), values.text("schedule_expression_timezone", "UTC")
    try:
        begin, until = moment(start) if start else None, moment(end) if end else None
        return Times.parse(text, timezone=timezone, start=begin, end=until)
    except ScheduleError:
        return None


def _target(values: Values, target: Values) -> Target:
    block, retry = values.block, target.part("retry_policy")
    return Target(
        address=block.id,
        rule_arn=values.text("arn"),
        rule_name=values.text("name"),
        account=block.account,
        account_id=block.place.account_id,
        arn=target.text("arn"),
        role_arn=target.text("role_arn"),
        dead_letters_arn=target.part("dead_letter_config").optional_text("arn"),
        max_attempts=retry.integer("maximum_retry_attempts", RETRY_MAX_ATTEMPTS),
        max_age_seconds=retry.integer("maximum_event_age_in_seconds", RETRY_MAX_AGE_SECONDS),
        input=TargetInput("", None, None),
        partition_key_path=None,
        partition_key=target.part("kinesis_parameters").optional_text("partition_key"),
        message_group=target.part("sqs_parameters").optional_text("message_group_id"),
        task_definition_arn=target.part("ecs_parameters").optional_text("task_definition_arn"),
        task_role_arns=(),
    )
