"""A rule of an event bus, where it sends events, and where those go that cannot be delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backbone.aws import policies
from backbone.cdk import (
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetEcsTarget,
    CloudwatchEventTargetHttpTarget,
    CloudwatchEventTargetInputTransformer,
    CloudwatchEventTargetKinesisTarget,
    CloudwatchEventTargetRetryPolicy,
    Construct,
    ITerraformDependable,
)
from backbone.constructs.account import Account
from backbone.constructs.dead_letter_queue import DeadLetterQueue
from backbone.constructs.role import Role
from backbone.topology import routing
from backbone.topology.retry import Retry

__all__ = ["Rule", "Template"]


@dataclass(frozen=True)
class Template:
    """What a target is sent in place of the event: a text with placeholders, and the JSON path of each."""

    text: str
    paths: Mapping[str, str]


class Rule:
    """A rule with a dead-letter queue. All resources are those of `scope`; `prefix` begins their ids.

    The rule itself has the id `Default` unless there is a prefix. `bus_name` is an ARN for a bus of another account
    alone, whose policy `after` must let this account make the rule before.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        account: Account,
        bus_name: str,
        name: str,
        description: str,
        pattern: routing.PatternJson,
        dead_letters_name: str,
        prefix: str = "",
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        self._scope, self._account, self._bus_name, self._prefix = scope, account, bus_name, prefix
        rule = CloudwatchEventRule(
            scope,
            f"{prefix}rule" if prefix else "Default",
            provider=account.provider,
            name=name,
            description=description,
            event_bus_name=bus_name,
            event_pattern=routing.to_json(pattern),
            depends_on=list(after) or None,
        )
        self.name, self.arn = rule.name, rule.arn
        self.dead_letters = DeadLetterQueue(
            scope, f"{prefix}dead-letters", account=account, name=dead_letters_name, source_arn=self.arn
        )

    def role(self, *, name: str, description: str) -> Role:
        """A role that EventBridge assumes for this rule only."""
        is_here = not self._bus_name.startswith("arn:")
        account_id = self._account.place.account_id if is_here else None
        trust = policies.forwarding_trust(account_id=account_id, rule_arn=self.arn)
        return Role(self._scope, account=self._account, name=name, description=description, trust=trust)

    def send_to(
        self,
        arn: str,
        *,
        target_id: str,
        retry: Retry,
        after: Sequence[ITerraformDependable],
        role: Role | None = None,
        partition_key_path: str | None = None,
        template: Template | None = None,
        ecs: CloudwatchEventTargetEcsTarget | None = None,
        http: CloudwatchEventTargetHttpTarget | None = None,
    ) -> None:
        """Send the events on, whole unless there is a template.

        `after` is the permission that a delivery needs: without it, or without the policy of the dead-letter queue,
        a delivery fails and the failure has nowhere to go.
        """
        kinesis = CloudwatchEventTargetKinesisTarget(partition_key_path=partition_key_path)
        transformer = template and CloudwatchEventTargetInputTransformer(
            input_template=template.text, input_paths=dict(template.paths)
        )
        CloudwatchEventTarget(
            self._scope,
            f"{self._prefix}target",
            provider=self._account.provider,
            rule=self.name,
            event_bus_name=self._bus_name,
            target_id=target_id,
            arn=arn,
            role_arn=role and role.arn,
            kinesis_target=kinesis if partition_key_path else None,
            ecs_target=ecs,
            http_target=http,
            input_transformer=transformer,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=retry.max_age_seconds, maximum_retry_attempts=retry.max_attempts
            ),
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=self.dead_letters.arn),
            depends_on=[*after, self.dead_letters.policy],
        )
