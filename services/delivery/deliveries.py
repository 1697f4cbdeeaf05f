"""Deliveries in DynamoDB: each order has a single delivery, however often it is asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

__all__ = ["Deliveries", "Delivery"]

DELIVERY_IDS = uuid.UUID("0c7f6a1e-94c3-4f0e-8a55-4d3a51a1b7a2")


@dataclass(frozen=True)
class Delivery:
    """A delivery. Its id is derived from the order's id."""

    order_id: str
    status: str
    sequence: int
    updated_at: str

    @property
    def id(self) -> str:
        """The delivery's id."""
        return str(uuid.uuid5(DELIVERY_IDS, self.order_id))


class Deliveries:
    """The table of deliveries. `client` is boto3's of DynamoDB."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, order_id: str) -> Delivery | None:
        """The delivery of an order, if it was made."""
        found = self._client.get_item(TableName=self._table, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
        return _delivery(found["Item"]) if "Item" in found else None

    def add(self, delivery: Delivery) -> Delivery:
        """The delivery of the order: the given one, unless there was one already."""
        item = {
            "order_id": {"S": delivery.order_id},
            "delivery_id": {"S": delivery.id},
            "status": {"S": delivery.status},
            "sequence": {"N": str(delivery.sequence)},
            "updated_at": {"S": delivery.updated_at},
        }
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(order_id)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return self.get(delivery.order_id) or delivery
        return delivery


def _delivery(item: dict[str, Any]) -> Delivery:
    return Delivery(item["order_id"]["S"], item["status"]["S"], int(item["sequence"]["N"]), item["updated_at"]["S"])
