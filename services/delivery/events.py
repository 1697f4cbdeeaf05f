"""The events of the Delivery Service. Their JSON Schemas are in `schemas/` and are a promise to consumers."""

from __future__ import annotations

from typing import ClassVar

from backbone.runtime import EventData

__all__ = ["CONSUMES", "PUBLISHES", "DeliveryUpdated", "OrderCreated"]


class DeliveryUpdated(EventData):
    """The state of a delivery changed. A larger `sequence` is the newer state; times are UTC in ISO 8601."""

    detail_type: ClassVar[str] = "Delivery.Updated"
    version: ClassVar[int] = 1

    delivery_id: str
    order_id: str
    status: str
    sequence: int
    updated_at: str


class OrderCreated(EventData):
    """What the Delivery Service needs of the order service's event."""

    detail_type: ClassVar[str] = "Order.Created"
    version: ClassVar[int] = 1

    order_id: str
    customer: str


PUBLISHES: tuple[type[EventData], ...] = (DeliveryUpdated,)
CONSUMES: tuple[type[EventData], ...] = (OrderCreated,)
