"""Buckets of S3, as blocks of Terraform say them."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.system.blocks import Blocks
from backbone.system.iam import BUCKET, Policy
from backbone.system.model import Resource
from backbone.system.values import Values

__all__ = ["Bucket", "read_bucket"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Bucket(Resource):
    """A bucket with its policy."""

    policy: Policy | None


def read_bucket(blocks: Blocks, values: Values) -> Bucket:
    """A block `aws_s3_bucket` with its policy."""
    block, arn = values.block, values.text("arn")
    name = values.text("bucket")
    return Bucket(
        address=block.id,
        name=name,
        arn=arn,
        account=block.account,
        place=block.place,
        policy=blocks.own_policy(values, "aws_s3_bucket_policy", name, BUCKET, resource=arn),
    )
