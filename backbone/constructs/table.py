"""A DynamoDB table."""

from __future__ import annotations

from backbone.aws import policies
from backbone.cdk import (
    Construct,
    DynamodbTable,
    DynamodbTableAttribute,
    DynamodbTablePointInTimeRecovery,
    DynamodbTableServerSideEncryption,
    IamRolePolicy,
)
from backbone.constructs.account import Account
from backbone.constructs.function import Function

__all__ = ["Table"]


class Table(Construct):
    """A table billed on demand, with a text `key`, that can be restored to any second of the last 35 days."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        key: str,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, id)
        table = DynamodbTable(
            self,
            "Default",
            provider=account.provider,
            name=name,
            billing_mode="PAY_PER_REQUEST",
            hash_key=key,
            attribute=[DynamodbTableAttribute(name=key, type="S")],
            point_in_time_recovery=DynamodbTablePointInTimeRecovery(enabled=True),
            server_side_encryption=DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=account.kms_key),
            deletion_protection_enabled=deletion_protection,
        )
        self.name, self.arn = table.name, table.arn

    def grant_read_write(self, function: Function) -> IamRolePolicy:
        """Let a function read and write single items; returns the policy that says so."""
        actions = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
        return function.grant(self.node.id, policies.allow([*actions, "dynamodb:UpdateItem"], self.arn))
