"""The way from the global bus to one service's local bus."""

from __future__ import annotations

from collections.abc import Sequence

from backbone.aws import policies
from backbone.cdk import (
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetRetryPolicy,
    Construct,
    IamRole,
    IamRolePolicy,
    ITerraformDependable,
)
from backbone.constructs.bus import EventBus
from backbone.constructs.dead_letter_queue import DeadLetterQueue
from backbone.topology import routing

__all__ = ["Forwarding"]


class Forwarding(Construct):
    """A rule that forwards what matches `pattern` from a bus to the bus with the ARN `to`.

    The bus at the other end must admit the role before the target is made, or AWS refuses the target: `after`
    is its policy where that is in the same stack; otherwise its stack is deployed first.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bus: EventBus,
        to: str,
        pattern: routing.Pattern,
        rule_name: str,
        role_name: str,
        queue_name: str,
        description: str,
        max_age_seconds: int,
        max_attempts: int,
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id)
        account = bus.account
        rule = CloudwatchEventRule(
            self,
            "Default",
            provider=account.provider,
            name=rule_name,
            description=description,
            event_bus_name=bus.name,
            event_pattern=routing.to_json(pattern),
        )
        self.rule_name, rule_arn = rule.name, rule.arn
        trust = policies.forwarding_trust(account_id=account.place.account_id, rule_arn=rule_arn)
        role = IamRole(
            self,
            "role",
            provider=account.provider,
            name=role_name,
            description=description,
            assume_role_policy=policies.to_json(trust),
        )
        permission = IamRolePolicy(
            self,
            "role-policy",
            provider=account.provider,
            name="put-events",
            role=role.name,
            policy=policies.to_json(policies.put_events(to)),
        )
        self.dead_letters = DeadLetterQueue(self, "dead-letters", account=account, name=queue_name, source_arn=rule_arn)
        CloudwatchEventTarget(
            self,
            "target",
            provider=account.provider,
            rule=self.rule_name,
            event_bus_name=bus.name,
            target_id="local-bus",
            arn=to,
            role_arn=role.arn,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=max_age_seconds,
                maximum_retry_attempts=max_attempts,
            ),
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=self.dead_letters.arn),
            depends_on=[*after, permission, self.dead_letters.policy],
        )
