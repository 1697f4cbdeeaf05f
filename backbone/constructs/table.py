"""A DynamoDB table."""

from __future__ import annotations

from typing import TypedDict

from backbone.aws import policies
from backbone.cdk import (
    Construct,
    DynamodbTable,
    DynamodbTableAttribute,
    DynamodbTablePointInTimeRecovery,
    DynamodbTableServerSideEncryption,
    DynamodbTableTtl,
    IamRolePolicy,
)
from backbone.constructs.account import Account
from backbone.constructs.function import Function

__all__ = ["Table", "TableSettings"]


class TableSettings(TypedDict, total=False):
    """How a table is kept, where that is not the default of `Table`."""

    expires: str | None
    streamed: bool
    deletion_protection: bool


class Table(Construct):
    """A table billed on demand, with a text `key`, that can be restored to any second of the last 35 days.

    Items are removed when the time has come that the attribute `expires` has, in seconds since 1970. `streamed` has the
    table tell every change of an item, with the item as it was and as it is.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        key: str,
        expires: str | None = None,
        streamed: bool = False,
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
            ttl=DynamodbTableTtl(attribute_name=expires, enabled=True) if expires else None,
            stream_enabled=True if streamed else None,
            stream_view_type="NEW_AND_OLD_IMAGES" if streamed else None,
            point_in_time_recovery=DynamodbTablePointInTimeRecovery(enabled=True),
            server_side_encryption=DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=account.kms_key),
            deletion_protection_enabled=deletion_protection,
        )
        self.name, self.arn, self.stream_arn, self.streamed = table.name, table.arn, table.stream_arn, streamed

    def grant(self, function: Function, *operations: str) -> IamRolePolicy:
        """Let a function call operations of the table, such as `GetItem`; returns the policy that says so."""
        return function.grant(self.node.id, policies.allow([f"dynamodb:{each}" for each in operations], self.arn))
