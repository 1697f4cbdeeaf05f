"""From a bus to what handles its events in a service."""

from __future__ import annotations

from typing import TypedDict

from backbone.aws import policies
from backbone.aws.limits import QUEUE_NAME_CHARACTERS, ROLE_NAME_CHARACTERS, RULE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import (
    Construct,
    ITerraformDependable,
    LambdaEventSourceMapping,
    LambdaEventSourceMappingScalingConfig,
    LambdaPermission,
    SqsQueuePolicy,
)
from backbone.constructs.account import Account
from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.by_role import ByRole
from backbone.constructs.function import Function
from backbone.constructs.queue import Queue
from backbone.constructs.role import Role
from backbone.constructs.rule import Rule, Template
from backbone.constructs.stream import Stream
from backbone.constructs.topic import Topic
from backbone.topology import routing
from backbone.topology.retry import Retry

__all__ = ["BufferSettings", "Receiver", "Subscription"]

Receiver = Function | Queue | Stream | Topic | ApiDestination | ByRole
"""What events can be delivered to."""

BATCH_SIZE = 10


class BufferSettings(TypedDict, total=False):
    """The queue before a function, where it is not as `Subscription` has it by default."""

    buffer: bool
    max_receives: int
    max_concurrency: int


class Subscription(Construct):
    """A rule on a bus whose events go to a function, or to whatever else a rule can send to.

    A queue stands before a function unless `buffer` is False. Events wait in it while the function is throttled, and
    an event that fails comes again up to `max_receives` times. By default that is for a day: the runtime lets 30 s pass
    after the first failure and twice as long after each further failure, up to 15 minutes. At the last receive the
    runtime sends the event to the function's failure queue with the reason; where the function dies each time, the
    event goes to a dead-letter queue of the buffer. At most `max_concurrency` batches of 10 are with the function at
    once.

    Without the queue Lambda tries an event three times within some three minutes. A stream keeps the events that have
    the same value at `partition_key_path` (a JSON path, such as `$.detail.data.order_id`) in order. `template` is what
    is sent in place of the event.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        bus_name: str,
        name_of: NameOf,
        pattern: routing.PatternJson,
        to: Receiver,
        retry: Retry,
        buffer: bool = True,
        max_receives: int = 100,
        max_concurrency: int = 10,
        partition_key_path: str | None = None,
        template: Template | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._account, self._id, self._name_of = account, id, name_of
        rule = self._rule = Rule(
            self,
            account=account,
            bus_name=bus_name,
            name=name_of(id, RULE_NAME_CHARACTERS),
            description=f"Subscription of {id}",
            pattern=pattern,
            dead_letters_name=name_of(f"{id}-dead-letters", QUEUE_NAME_CHARACTERS),
        )
        self.rule_name, self.dead_letters = rule.name, rule.dead_letters
        arn, role = to.arn, None
        permission: ITerraformDependable
        match to:
            case Function() if buffer:
                arn, permission = self._buffer(to, max_receives, max_concurrency)
            case Function():
                permission = LambdaPermission(
                    self,
                    "permission",
                    provider=self._account.provider,
                    function_name=to.name,
                    action="lambda:InvokeFunction",
                    principal="events.amazonaws.com",
                    source_arn=rule.arn,
                )
            case Stream():
                put = policies.put_records(arn, kms_key=account.kms_key, place=account.place)
                role, permission = self._role(put)
            case Queue() | Topic():
                permission = to.admit(rule.arn)
            case ByRole():
                role, permission = self._role(to.permissions)
            case ApiDestination():
                role, permission = self._role(policies.allow(["events:InvokeApiDestination"], arn))
        rule.send_to(
            arn,
            target_id="subscriber",
            retry=retry,
            after=[permission],
            role=role,
            partition_key_path=partition_key_path if isinstance(to, Stream) else None,
            template=template or (to.template if isinstance(to, ByRole) else None),
            ecs=to.ecs if isinstance(to, ByRole) else None,
            http=to.http if isinstance(to, ByRole) else None,
        )

    def _buffer(self, function: Function, max_receives: int, max_concurrency: int) -> tuple[str, SqsQueuePolicy]:
        dead_letters = Queue(
            self,
            "buffer-dead-letters",
            account=self._account,
            name=self._name_of(f"{self._id}-buffer-dead-letters", QUEUE_NAME_CHARACTERS),
        )
        queue = Queue(
            self,
            "buffer",
            account=self._account,
            name=self._name_of(f"{self._id}-buffer", QUEUE_NAME_CHARACTERS),
            # AWS asks for six times the function's time-out (Lambda developer guide, "Using Lambda with Amazon SQS").
            visibility_timeout_seconds=6 * function.timeout_seconds,
            dead_letters_arn=dead_letters.arn,
            max_receives=max_receives,
        )
        function.give_up_after(max_receives)
        policy = SqsQueuePolicy(
            self,
            "buffer-policy",
            provider=self._account.provider,
            queue_url=queue.url,
            policy=policies.to_json(policies.queue(queue.arn, source_arn=self._rule.arn)),
        )
        receive = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        granted = function.grant(f"{self._id}-buffer", policies.allow(receive, queue.arn))
        # AWS takes 2 or more. Above what the function has reserved it is throttled, and that counts as a receive.
        concurrency = max(2, min(max_concurrency, function.reserved_concurrency or max_concurrency))
        LambdaEventSourceMapping(
            self,
            "buffer-mapping",
            provider=self._account.provider,
            function_name=function.name,
            event_source_arn=queue.arn,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=LambdaEventSourceMappingScalingConfig(maximum_concurrency=concurrency),
            depends_on=[granted],  # Lambda tries the role when the mapping is made
        )
        return queue.arn, policy

    def _role(self, permissions: policies.Document) -> tuple[Role, ITerraformDependable]:
        name = self._name_of(f"{self._id}-{self._account.place.region}", ROLE_NAME_CHARACTERS)
        role = self._rule.role(name=name, description=f"Delivers to {self._id}")
        return role, role.allow("role-policy", "deliver", permissions)
