"""A queue for the events that EventBridge could not deliver."""

from __future__ import annotations

from backbone.cdk import Construct
from backbone.constructs.account import Account
from backbone.constructs.queue import Queue

__all__ = ["DeadLetterQueue"]


class DeadLetterQueue(Queue):
    """A queue that EventBridge may send to for the one rule or bus that `source_arn` names.

    A key of the account's own must let events.amazonaws.com use it (kms:Decrypt, kms:GenerateDataKey): that is in
    the key's policy.
    """

    def __init__(self, scope: Construct, id: str, *, account: Account, name: str, source_arn: str) -> None:
        super().__init__(scope, id, account=account, name=name)
        self.policy = self.admit(source_arn)
