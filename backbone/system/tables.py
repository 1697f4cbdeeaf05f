"""DynamoDB tables, as blocks of Terraform say them."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system.blocks import Blocks
from backbone.system.model import Index, Table
from backbone.system.values import Values

__all__ = ["read_table"]


def read_table(_blocks: Blocks, values: Values) -> Table:
    """A block `aws_dynamodb_table`."""
    block, ttl = values.block, values.part("ttl")
    streams = values.flag("stream_enabled", default=False)
    return Table(
        address=block.id,
        name=values.text("name"),
        arn=values.text("arn"),
        account=block.account,
        place=block.place,
        keys=_keys(values),
        attribute_types={part.text("name"): part.text("type") for part in values.parts("attribute")},
        global_indexes=tuple(_indexes(values, "global_secondary_index")),
        local_indexes=tuple(_indexes(values, "local_secondary_index", values.text("hash_key"))),
        stream_arn=values.text("stream_arn") if streams else None,
        stream_view=values.text("stream_view_type") if streams else "",
        expiry_attribute=ttl.optional_text("attribute_name") if ttl.flag("enabled", default=False) else None,
    )


def _keys(values: Values, hash_key: str | None = None) -> tuple[str, ...]:
    """The partition key, and the sort key if there is one."""
    sort_key = values.optional_text("range_key")
    return tuple(filter(None, (hash_key or values.text("hash_key"), sort_key)))


def _indexes(values: Values, name: str, hash_key: str | None = None) -> Iterator[Index]:
    for part in values.parts(name):
        yield Index(
            name=part.text("name"),
            keys=_keys(part, hash_key),
            projection=part.text("projection_type"),
            projected=part.texts("non_key_attributes"),
        )
