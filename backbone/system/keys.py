"""Keys of KMS, as blocks of Terraform say them."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.system.blocks import Blocks
from backbone.system.iam import KEY, Policy
from backbone.system.model import Resource
from backbone.system.values import Values

__all__ = ["Key", "read_key"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Key(Resource):
    """A key of KMS. Without a policy of its own its account decides who may use it, as KMS's default policy has it."""

    policy: Policy | None


def read_key(blocks: Blocks, values: Values) -> Key:
    """A block `aws_kms_key`."""
    block, arn = values.block, values.text("arn")
    given = values.optional_text("policy") is not None
    return Key(
        address=block.id,
        name=values.text("key_id"),
        arn=arn,
        account=block.account,
        place=block.place,
        policy=blocks.policy(values, KEY, resource=arn) if given else None,
    )
