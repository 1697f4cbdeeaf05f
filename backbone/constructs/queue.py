"""A queue of an account."""

from __future__ import annotations

import json

from backbone.aws import policies
from backbone.aws.limits import QUEUE_RETENTION_SECONDS
from backbone.cdk import Construct, SqsQueue, SqsQueuePolicy
from backbone.constructs.account import Account

__all__ = ["Queue"]


class Queue(Construct):
    """An encrypted standard queue that keeps its messages for 14 days.

    Messages that were received `max_receives` times without being deleted move to the queue with the ARN
    `dead_letters_arn`. Only identities of the account may use it, as far as their own policies allow, and who is let
    send to it by `admit`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        visibility_timeout_seconds: int | None = None,
        dead_letters_arn: str | None = None,
        max_receives: int = 5,
    ) -> None:
        super().__init__(scope, id)
        redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": max_receives}
        queue = SqsQueue(
            self,
            "Default",
            provider=account.provider,
            name=name,
            message_retention_seconds=QUEUE_RETENTION_SECONDS,
            visibility_timeout_seconds=visibility_timeout_seconds,
            redrive_policy=json.dumps(redrive) if dead_letters_arn else None,
            sqs_managed_sse_enabled=None if account.kms_key else True,
            kms_master_key_id=account.kms_key,
        )
        self.arn, self.url, self.dead_letters_arn = queue.arn, queue.url, dead_letters_arn
        self._account = account
        self._sources: dict[str, list[str]] = {}
        self._admits: SqsQueuePolicy | None = None

    def admit(self, source_arn: str, *, service: str = policies.EVENTS) -> SqsQueuePolicy:
        """Let a service send to the queue for the rule or topic with an ARN; returns the queue's policy."""
        self._sources.setdefault(service, []).append(source_arn)
        policy = policies.to_json(policies.admitting("sqs:SendMessage", self.arn, self._sources))
        if self._admits is None:
            self._admits = SqsQueuePolicy(
                self, "policy", provider=self._account.provider, queue_url=self.url, policy=policy
            )
        self._admits.policy = policy
        return self._admits
