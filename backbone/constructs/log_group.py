"""A log group."""

from __future__ import annotations

from backbone.cdk import CloudwatchLogGroup, Construct
from backbone.constructs.account import Account

__all__ = ["log_group"]


def log_group(scope: Construct, id: str, *, account: Account, name: str, retention_days: int) -> CloudwatchLogGroup:
    """A log group, encrypted with the account's own key where it has one."""
    return CloudwatchLogGroup(
        scope,
        id,
        provider=account.provider,
        name=name,
        retention_in_days=retention_days,
        kms_key_id=account.kms_key,
    )
