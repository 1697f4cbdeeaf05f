"""A queue for the events that EventBridge could not deliver."""

from __future__ import annotations

from backbone import policies
from backbone.cdk import Construct, SqsQueue, SqsQueuePolicy
from backbone.constructs.account import Account

__all__ = ["DeadLetterQueue"]

RETENTION_SECONDS = 14 * 24 * 3600  # the longest that SQS keeps a message


class DeadLetterQueue(Construct):
    """An encrypted standard queue that keeps its messages for 14 days.

    EventBridge may send to it for the one rule or bus that `source_arn` names. A key of the account's own
    must let events.amazonaws.com use it (kms:Decrypt, kms:GenerateDataKey): that is in the key's policy.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        source_arn: str,
    ) -> None:
        super().__init__(scope, id)
        queue = SqsQueue(
            self,
            "Default",
            provider=account.provider,
            name=name,
            message_retention_seconds=RETENTION_SECONDS,
            sqs_managed_sse_enabled=None if account.kms_key else True,
            kms_master_key_id=account.kms_key,
        )
        self.arn, self.url = queue.arn, queue.url
        self.policy = SqsQueuePolicy(
            self,
            "policy",
            provider=account.provider,
            queue_url=self.url,
            policy=policies.to_json(policies.queue(self.arn, source_arn=source_arn)),
        )
