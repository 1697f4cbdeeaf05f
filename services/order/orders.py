"""Orders in DynamoDB. Every write is conditional, so a repeated or late call changes nothing that it should not.

An item has the accepted order in `document`, its owner, and the newest known state of the delivery with its sequence.
The attribute `outbox` has the event that the last write published.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from backbone.runtime import Outbox, RejectedError
from services.order.events import DeliveryUpdated, OrderCreated, OrderUpdated

__all__ = ["ConflictError", "Order", "Orders", "UnknownOrderError"]


class ConflictError(Exception):
    """There is an order with this id that asked for something else."""


class UnknownOrderError(RejectedError):
    """There is no order with this id."""


@dataclass(frozen=True)
class Order:
    """An order: what was accepted from whom, and what has become of it."""

    document: dict[str, Any]
    owner: str
    delivery_status: str | None = None

    @property
    def id(self) -> str:
        """The order's id."""
        return str(self.document["order_id"])

    @property
    def status(self) -> str:
        """CREATED, then the status that the delivery service reports."""
        return self.delivery_status or "CREATED"


class Orders:
    """The table of orders. `client` is boto3's of DynamoDB; events go along with the items that they tell of."""

    def __init__(self, client: Any, table: str, outbox: Outbox) -> None:
        self._client = client
        self._table = table
        self._outbox = outbox

    def add(self, order: Order, *, request_hash: str, correlation_id: str) -> Order:
        """The order with this id: the given one, with its Order.Created, or the one that the same request made before.

        ConflictError when another request made it.
        """
        item = {
            "id": {"S": order.id},
            "document": {"S": json.dumps(order.document, ensure_ascii=False)},
            "owner": {"S": order.owner},
            "request_hash": {"S": request_hash},
        }
        created = OrderCreated.model_validate(order.document)
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._outbox.with_event(item, created, key=f"{order.id}/created", correlation_id=correlation_id),
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            found = error.response["Item"]
            if found["request_hash"]["S"] != request_hash:
                raise ConflictError(order.id) from None
            return _order(found)
        return order

    def get(self, order_id: str) -> Order:
        """An order; UnknownOrderError when there is none."""
        answer = self._client.get_item(TableName=self._table, Key={"id": {"S": order_id}}, ConsistentRead=True)
        if "Item" not in answer:
            raise UnknownOrderError(f"there is no order {order_id}")
        return _order(answer["Item"])

    def follow_delivery(self, delivery: DeliveryUpdated, *, correlation_id: str, causation_id: str) -> bool:
        """Take over the state of a delivery, with its Order.Updated; False when that or a newer state is known.

        UnknownOrderError when there is no such order.
        """
        order_id, status, sequence = delivery.order_id, delivery.status, delivery.sequence
        event = self._outbox.attribute(
            OrderUpdated(order_id=order_id, status=status, sequence=sequence),
            key=f"{order_id}/{sequence}",
            correlation_id=correlation_id,
            causation_id=causation_id,
        )
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": order_id}},
                UpdateExpression="SET delivery_status = :status, delivery_sequence = :sequence, outbox = :event",
                ConditionExpression=(
                    "attribute_exists(id) AND"
                    " (attribute_not_exists(delivery_sequence) OR delivery_sequence < :sequence)"
                ),
                ExpressionAttributeValues={
                    ":status": {"S": status},
                    ":sequence": {"N": str(sequence)},
                    ":event": event,
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            if "Item" not in error.response:
                raise UnknownOrderError(f"there is no order {order_id}") from None
            return False
        return True


def _order(item: dict[str, Any]) -> Order:
    return Order(
        document=json.loads(item["document"]["S"]),
        owner=item["owner"]["S"],
        delivery_status=item.get("delivery_status", {}).get("S"),
    )
