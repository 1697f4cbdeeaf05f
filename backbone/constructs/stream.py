"""A Kinesis stream."""

from __future__ import annotations

from backbone.cdk import Construct, KinesisStream, KinesisStreamStreamModeDetails
from backbone.constructs.account import Account

__all__ = ["Stream"]


class Stream(Construct):
    """An encrypted stream on demand, which keeps records of one partition key in order for `retention_hours`."""

    def __init__(self, scope: Construct, id: str, *, account: Account, name: str, retention_hours: int = 168) -> None:
        super().__init__(scope, id)
        stream = KinesisStream(
            self,
            "Default",
            provider=account.provider,
            name=name,
            retention_period=retention_hours,
            encryption_type="KMS",
            kms_key_id=account.kms_key or "alias/aws/kinesis",
            stream_mode_details=KinesisStreamStreamModeDetails(stream_mode="ON_DEMAND"),
        )
        self.name, self.arn = stream.name, stream.arn
