"""Deliveries in DynamoDB: each order has a single delivery, however often it is asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from backbone.runtime import Outbox
from services.delivery.events import DeliveryUpdated

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
    """The table of deliveries. `client` is boto3's of DynamoDB; events go along with the items that they tell of."""

    def __init__(self, client: Any, table: str, outbox: Outbox) -> None:
        self._client = client
        self._table = table
        self._outbox = outbox

    def has(self, order_id: str) -> bool:
        """Whether there is a delivery of an order."""
        found = self._client.get_item(TableName=self._table, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
        return "Item" in found

    def add(self, delivery: Delivery, *, correlation_id: str, causation_id: str) -> None:
        """Add the delivery of an order, with its Delivery.Updated, unless the order has a delivery."""
        updated = DeliveryUpdated(
            delivery_id=delivery.id,
            order_id=delivery.order_id,
            status=delivery.status,
            sequence=delivery.sequence,
            updated_at=delivery.updated_at,
        )
        item = {
            "order_id": {"S": delivery.order_id},
            "delivery_id": {"S": delivery.id},
            "status": {"S": delivery.status},
            "sequence": {"N": str(delivery.sequence)},
            "updated_at": {"S": delivery.updated_at},
        }
        key = f"{delivery.id}/{delivery.sequence}"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._outbox.with_event(
                    item, updated, key=key, correlation_id=correlation_id, causation_id=causation_id
                ),
                ConditionExpression="attribute_not_exists(order_id)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # this call or another one added it, and its event with it
