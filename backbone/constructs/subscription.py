"""From a service's local bus to what handles its events."""

from __future__ import annotations

from backbone.aws import policies
from backbone.cdk import (
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetKinesisTarget,
    CloudwatchEventTargetRetryPolicy,
    Construct,
    IamRole,
    IamRolePolicy,
    LambdaEventSourceMapping,
    LambdaPermission,
    SqsQueuePolicy,
)
from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.bus import EventBus
from backbone.constructs.dead_letter_queue import DeadLetterQueue
from backbone.constructs.function import Function
from backbone.constructs.queue import Queue
from backbone.constructs.stream import Stream
from backbone.topology import routing

__all__ = ["Subscription"]

BATCH_SIZE = 10


class Subscription(Construct):
    """A rule on a bus whose events go to a function, to a stream or to a partner's endpoint.

    With `buffer` a queue stands before the function: events wait there for up to 14 days while it fails or is
    throttled, and one that fails five times goes to the function's failure queue. A stream keeps the events that
    have the same value at `partition_key_path` (a JSON path, such as `$.detail.data.order_id`) in order.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bus: EventBus,
        pattern: routing.Pattern,
        name: str,
        dead_letters_name: str,
        role_name: str,
        buffer_name: str,
        to: Function | Stream | ApiDestination,
        buffer: bool = False,
        partition_key_path: str | None = None,
        max_age_seconds: int = 86_400,
        max_attempts: int = 185,
    ) -> None:
        super().__init__(scope, id)
        account = self._account = bus.account
        rule = CloudwatchEventRule(
            self,
            "Default",
            provider=account.provider,
            name=name,
            description=f"Subscription of {id}",
            event_bus_name=bus.name,
            event_pattern=routing.to_json(pattern),
        )
        self.rule_name, self._rule_arn = rule.name, rule.arn
        self.dead_letters = DeadLetterQueue(
            self, "dead-letters", account=account, name=dead_letters_name, source_arn=rule.arn
        )
        self._role_name, self._buffer_name = role_name, buffer_name
        role_arn, arn, permission = None, to.arn, None
        match to:
            case Function() if buffer:
                arn, permission = self._buffer(to)
            case Function():
                permission = LambdaPermission(
                    self,
                    "permission",
                    provider=account.provider,
                    function_name=to.name,
                    action="lambda:InvokeFunction",
                    principal="events.amazonaws.com",
                    source_arn=rule.arn,
                )
            case Stream():
                role_arn, permission = self._role(policies.allow(["kinesis:PutRecord", "kinesis:PutRecords"], to.arn))
            case ApiDestination():
                role_arn, permission = self._role(policies.allow(["events:InvokeApiDestination"], to.arn))
        kinesis = CloudwatchEventTargetKinesisTarget(partition_key_path=partition_key_path)
        CloudwatchEventTarget(
            self,
            "target",
            provider=account.provider,
            rule=rule.name,
            event_bus_name=bus.name,
            target_id="subscriber",
            arn=arn,
            role_arn=role_arn,
            kinesis_target=kinesis if isinstance(to, Stream) and partition_key_path else None,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=max_age_seconds, maximum_retry_attempts=max_attempts
            ),
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=self.dead_letters.arn),
            depends_on=[permission, self.dead_letters.policy],
        )

    def _buffer(self, function: Function) -> tuple[str, SqsQueuePolicy]:
        queue = Queue(
            self,
            "buffer",
            account=self._account,
            name=self._buffer_name,
            # AWS asks for six times the function's time-out (Lambda developer guide, "Using Lambda with Amazon SQS").
            visibility_timeout_seconds=6 * function.timeout_seconds,
            dead_letters_arn=function.failures.arn,
        )
        policy = SqsQueuePolicy(
            self,
            "buffer-policy",
            provider=self._account.provider,
            queue_url=queue.url,
            policy=policies.to_json(policies.queue(queue.arn, source_arn=self._rule_arn)),
        )
        receive = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        function.grant(f"{self.node.id}-buffer", policies.allow(receive, queue.arn))
        LambdaEventSourceMapping(
            self,
            "buffer-mapping",
            provider=self._account.provider,
            function_name=function.name,
            event_source_arn=queue.arn,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            # Lambda tries the role when the mapping is made.
            depends_on=[function.policies[-1]],
        )
        return queue.arn, policy

    def _role(self, permission: policies.Document) -> tuple[str, IamRolePolicy]:
        trust = policies.forwarding_trust(account_id=self._account.place.account_id, rule_arn=self._rule_arn)
        role = IamRole(
            self,
            "role",
            provider=self._account.provider,
            name=self._role_name,
            description=f"Delivers to {self.node.id}",
            assume_role_policy=policies.to_json(trust),
        )
        policy = IamRolePolicy(
            self,
            "role-policy",
            provider=self._account.provider,
            name="deliver",
            role=role.name,
            policy=policies.to_json(permission),
        )
        return role.arn, policy
