"""The events of the Order Service. Their JSON Schemas are in `schemas/` and are a promise to consumers."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from backbone.runtime import EventData

__all__ = ["CONSUMES", "PUBLISHES", "DeliveryUpdated", "Item", "OrderCreated", "OrderUpdated"]


class Item(BaseModel):
    """An item of an order. `price` is the price of a piece in the shop's currency, as text so that cents stay exact."""

    model_config = ConfigDict(frozen=True)

    sku: str
    quantity: int
    price: Decimal


class OrderCreated(EventData):
    """An order was accepted. Times are UTC in ISO 8601."""

    detail_type: ClassVar[str] = "Order.Created"
    version: ClassVar[int] = 1

    order_id: str
    customer: str
    items: tuple[Item, ...]
    total: Decimal
    created_at: str


class OrderUpdated(EventData):
    """The state of an order changed. A larger `sequence` is the newer state."""

    detail_type: ClassVar[str] = "Order.Updated"
    version: ClassVar[int] = 1

    order_id: str
    status: str
    sequence: int


class DeliveryUpdated(EventData):
    """What the Order Service needs of the delivery service's event."""

    detail_type: ClassVar[str] = "Delivery.Updated"
    version: ClassVar[int] = 1

    order_id: str
    status: str
    sequence: int


PUBLISHES: tuple[type[EventData], ...] = (OrderCreated, OrderUpdated)
CONSUMES: tuple[type[EventData], ...] = (DeliveryUpdated,)
