"""The streams of DynamoDB's tables: what changed, as functions get it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backbone.simulator.engine import Engine, StreamRecord
from backbone.system.model import Table
from backbone.trace import Node

__all__ = ["Change", "emit"]

SHARD = "shardId-00000001704067200000-00000000"
FIRST_SEQUENCE_NUMBER = 100_000_000_000_000_000_000

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an item, before and after, in DynamoDB's JSON; empty is no item."""

    keys: Item
    old: Item
    new: Item
    number: int
    """How many changes of the table there were before."""
    by_expiry: bool = False
    """Whether DynamoDB deleted the item, since its time had passed."""

    @property
    def name(self) -> str:
        """What the change is called."""
        if not self.old:
            return "INSERT"
        return "MODIFY" if self.new else "REMOVE"


def emit(engine: Engine, table: Table, change: Change, node: Node | None) -> None:
    """Give a change to those who read the table's stream."""
    readers = engine.streams.get(table.stream_arn or "", ())
    if not readers or change.old == change.new:
        return
    number = str(FIRST_SEQUENCE_NUMBER + change.number)
    content = _content(engine, table, change, number)
    record = StreamRecord(SHARD, _text(change.keys[table.keys[0]]), number, engine.now, content, node)
    for read in readers:
        read(record)


def _content(engine: Engine, table: Table, change: Change, number: str) -> dict[str, Any]:
    view, images = table.stream_view, dict[str, Item]()
    if view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES") and change.new:
        images["NewImage"] = change.new
    if view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES") and change.old:
        images["OldImage"] = change.old
    content: dict[str, Any] = {
        "eventID": engine.new_id().replace("-", ""),
        "eventName": change.name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": table.place.region,
        "dynamodb": {
            "ApproximateCreationDateTime": int(engine.timestamp),
            "Keys": change.keys,
            **images,
            "SequenceNumber": number,
            "SizeBytes": sum(map(_size, (change.keys, *images.values()))),
            "StreamViewType": view,
        },
        "eventSourceARN": table.stream_arn,
    }
    if change.by_expiry:
        content["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return content


def _size(item: Item) -> int:
    """The bytes of an item: of names and values (developer guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.lstrip("-").replace(".", "")) + 1) // 2 + 1
    if kind == "B":
        return len(base64.b64decode(content))
    if kind == "M":
        return 3 + _size(content) + len(content)
    if kind == "L":
        return 3 + sum(1 + _value_size(part) for part in content)
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size({kind[0]: part}) for part in content)
    return 1


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))
