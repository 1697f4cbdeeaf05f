"""Orders in DynamoDB. Every write is conditional, so that repeated and late calls change nothing they should not.

An item has the order as it was accepted in `document`, whether Order.Created is known to be on the bus in `published`,
and the newest state of the delivery with its sequence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["ConflictError", "Order", "Orders", "UnknownOrderError"]


class ConflictError(Exception):
    """There is an order with this id, made by another request."""


class UnknownOrderError(Exception):
    """There is no order with this id."""


@dataclass(frozen=True)
class Order:
    """An order: what was accepted, and what has become of it."""

    document: dict[str, Any]
    published: bool
    correlation_id: str
    delivery_status: str | None = None

    @property
    def id(self) -> str:
        """The order's id."""
        return str(self.document["order_id"])

    @property
    def status(self) -> str:
        """PENDING until it is published, then CREATED, then what the delivery service says."""
        return self.delivery_status or ("CREATED" if self.published else "PENDING")


class Orders:
    """The table of orders. `client` is boto3's of DynamoDB."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, document: dict[str, Any], *, request_hash: str, correlation_id: str) -> Order:
        """The order with this id: a new order, or the order that the same request made before.

        ConflictError when another request made it.
        """
        item = {
            "id": {"S": document["order_id"]},
            "document": {"S": json.dumps(document)},
            "request_hash": {"S": request_hash},
            "correlation_id": {"S": correlation_id},
            "published": {"BOOL": False},
        }
        try:
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(id)")
        except self._client.exceptions.ConditionalCheckFailedException:
            item = self._item(document["order_id"])
            if item["request_hash"]["S"] != request_hash:
                raise ConflictError(document["order_id"]) from None
        return _order(item)

    def get(self, order_id: str) -> Order:
        """An order; UnknownOrderError when there is none."""
        return _order(self._item(order_id))

    def mark_published(self, order_id: str) -> None:
        """Note that Order.Created is on the bus."""
        self._client.update_item(
            TableName=self._table,
            Key={"id": {"S": order_id}},
            UpdateExpression="SET published = :yes",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )

    def follow_delivery(self, order_id: str, *, status: str, sequence: int) -> bool:
        """Take over the state of a delivery unless a newer state is known. Returns whether it is the newest now.

        The same state again counts as the newest, since what follows from it may not have been done. UnknownOrderError
        when there is no such order.
        """
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": order_id}},
                UpdateExpression="SET delivery_status = :status, delivery_sequence = :sequence",
                ConditionExpression=(
                    "attribute_exists(id) AND"
                    " (attribute_not_exists(delivery_sequence) OR delivery_sequence <= :sequence)"
                ),
                ExpressionAttributeValues={":status": {"S": status}, ":sequence": {"N": str(sequence)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            self._item(order_id)
            return False
        return True

    def _item(self, order_id: str) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key={"id": {"S": order_id}}, ConsistentRead=True)
        if "Item" not in answer:
            raise UnknownOrderError(order_id)
        item: dict[str, Any] = answer["Item"]
        return item


def _order(item: dict[str, Any]) -> Order:
    return Order(
        document=json.loads(item["document"]["S"]),
        published=item["published"]["BOOL"],
        correlation_id=item["correlation_id"]["S"],
        delivery_status=item.get("delivery_status", {}).get("S"),
    )
