"""The function of the Delivery Service: `on_event` receives events."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache

from backbone.runtime import Consumer, Outbox, Received, client, setting
from services.delivery.deliveries import Deliveries, Delivery
from services.delivery.events import PUBLISHES, DeliveryUpdated, OrderCreated

__all__ = ["on_event"]

consumer = Consumer()
outbox = Outbox(*PUBLISHES)


@cache
def deliveries() -> Deliveries:
    """The table of deliveries."""
    return Deliveries(client("dynamodb"), setting("DELIVERIES_TABLE"))


@consumer.on(OrderCreated)
def deliver(event: Received[OrderCreated]) -> None:
    """Deliver an order once, and publish that each time the order comes, since the first attempt may have failed."""
    delivery = deliveries().get(event.data.order_id)
    if delivery is None:
        time.sleep(float(setting("WORK_SECONDS")))  # stands for the van
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        delivery = deliveries().add(Delivery(event.data.order_id, "DELIVERED", 1, now))
    updated = DeliveryUpdated(
        delivery_id=delivery.id,
        order_id=delivery.order_id,
        status=delivery.status,
        sequence=delivery.sequence,
        updated_at=delivery.updated_at,
    )
    key = f"{delivery.id}/{delivery.sequence}"
    outbox.publish(updated, key=key, correlation_id=event.meta.correlation_id, causation_id=event.id)


on_event = consumer.handler()
