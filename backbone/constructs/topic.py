"""An SNS topic."""

from __future__ import annotations

import json

from backbone.aws import policies, target_policies
from backbone.aws.limits import QUEUE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import Construct, LambdaPermission, SnsTopic, SnsTopicPolicy, SnsTopicSubscription
from backbone.constructs.account import Account
from backbone.constructs.function import Function
from backbone.constructs.queue import Queue

__all__ = ["Topic"]


class Topic(Construct):
    """A topic that gives every message to all who were added by `send_to`: queues and functions.

    Only EventBridge may publish to it, for the rules that send there. What a subscriber does not take is in the queue
    `dead_letters`. With a key of the account's own, the key must let events.amazonaws.com and sns.amazonaws.com use it
    (kms:Decrypt, kms:GenerateDataKey); a key that the stack makes does.
    """

    def __init__(self, scope: Construct, id: str, *, account: Account, name_of: NameOf) -> None:
        super().__init__(scope, id)
        self._account = account
        topic = SnsTopic(
            self, "Default", provider=account.provider, name=name_of(id), kms_master_key_id=account.kms_key
        )
        self.name, self.arn = topic.name, topic.arn
        self.dead_letters = Queue(
            self, "dead-letters", account=account, name=name_of(f"{id}-dead-letters", QUEUE_NAME_CHARACTERS)
        )
        self._kept = self.dead_letters.admit(self.arn, service=policies.SNS)
        self._rules: list[str] = []
        self._policy: SnsTopicPolicy | None = None
        if account.own_key is not None:
            account.own_key.let_use(target_policies.use_key(account.place, name_of(id)))

    def admit(self, rule_arn: str) -> SnsTopicPolicy:
        """Let EventBridge publish to the topic for a rule; returns the topic's policy."""
        self._rules.append(rule_arn)
        policy = policies.to_json(policies.admitting("sns:Publish", self.arn, {policies.EVENTS: self._rules}))
        if self._policy is None:
            self._policy = SnsTopicPolicy(self, "policy", provider=self._account.provider, arn=self.arn, policy=policy)
        self._policy.policy = policy
        return self._policy

    def send_to(self, id: str, to: Queue | Function) -> SnsTopicSubscription:
        """Give every message to a queue, as it is, or to a function, in SNS's envelope."""
        if isinstance(to, Queue):
            protocol, permission = "sqs", to.admit(self.arn, service=policies.SNS)
        else:
            protocol, permission = (
                "lambda",
                LambdaPermission(
                    self,
                    f"{id}-permission",
                    provider=self._account.provider,
                    function_name=to.name,
                    action="lambda:InvokeFunction",
                    principal=policies.SNS,
                    source_arn=self.arn,
                ),
            )
        return SnsTopicSubscription(
            self,
            id,
            provider=self._account.provider,
            topic_arn=self.arn,
            protocol=protocol,
            endpoint=to.arn,
            raw_message_delivery=True if protocol == "sqs" else None,
            redrive_policy=json.dumps({"deadLetterTargetArn": self.dead_letters.arn}),
            depends_on=[permission, self._kept],
        )
