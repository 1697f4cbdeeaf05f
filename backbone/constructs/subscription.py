"""From a service's local bus to what handles its events."""

from __future__ import annotations

from backbone.aws import policies
from backbone.aws.limits import QUEUE_NAME_CHARACTERS, ROLE_NAME_CHARACTERS, RULE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import Construct, ITerraformDependable, LambdaEventSourceMapping, LambdaPermission, SqsQueuePolicy
from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.event_bus import EventBus
from backbone.constructs.function import Function
from backbone.constructs.queue import Queue
from backbone.constructs.role import Role
from backbone.constructs.rule import Rule
from backbone.constructs.stream import Stream
from backbone.topology import routing
from backbone.topology.retry import Retry

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
        name_of: NameOf,
        pattern: routing.PatternJson,
        to: Function | Stream | ApiDestination,
        retry: Retry,
        buffer: bool = False,
        partition_key_path: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._account, self._id, self._name_of = bus.account, id, name_of
        rule = self._rule = Rule(
            self,
            account=bus.account,
            bus_name=bus.name,
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
                arn, permission = self._buffer(to)
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
                put = policies.put_records(arn, kms_key=bus.account.kms_key, place=bus.account.place)
                role, permission = self._role(put)
            case ApiDestination():
                role, permission = self._role(policies.allow(["events:InvokeApiDestination"], arn))
        rule.send_to(
            arn,
            target_id="subscriber",
            retry=retry,
            after=[permission],
            role=role,
            partition_key_path=partition_key_path if isinstance(to, Stream) else None,
        )

    def _buffer(self, function: Function) -> tuple[str, SqsQueuePolicy]:
        queue = Queue(
            self,
            "buffer",
            account=self._account,
            name=self._name_of(f"{self._id}-buffer", QUEUE_NAME_CHARACTERS),
            # AWS asks for six times the function's time-out (Lambda developer guide, "Using Lambda with Amazon SQS").
            visibility_timeout_seconds=6 * function.timeout_seconds,
            dead_letters_arn=function.failures.arn,
        )
        policy = SqsQueuePolicy(
            self,
            "buffer-policy",
            provider=self._account.provider,
            queue_url=queue.url,
            policy=policies.to_json(policies.queue(queue.arn, source_arn=self._rule.arn)),
        )
        receive = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        granted = function.grant(f"{self._id}-buffer", policies.allow(receive, queue.arn))
        LambdaEventSourceMapping(
            self,
            "buffer-mapping",
            provider=self._account.provider,
            function_name=function.name,
            event_source_arn=queue.arn,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            depends_on=[granted],  # Lambda tries the role when the mapping is made
        )
        return queue.arn, policy

    def _role(self, permissions: policies.Document) -> tuple[Role, ITerraformDependable]:
        name = self._name_of(f"{self._id}-{self._account.place.region}", ROLE_NAME_CHARACTERS)
        role = self._rule.role(name=name, description=f"Delivers to {self._id}")
        return role, role.allow("role-policy", "deliver", permissions)
