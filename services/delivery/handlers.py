"""The function of the Delivery Service: `on_event` receives events."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache

from backbone.runtime import Consumer, Idempotency, Outbox, Received, client, setting
from services.delivery.deliveries import Deliveries, Delivery
from services.delivery.events import PUBLISHES, OrderCreated

__all__ = ["on_event"]

consumer = Consumer(idempotency=Idempotency())


@cache
def deliveries() -> Deliveries:
    """The table of deliveries."""
    return Deliveries(client("dynamodb"), setting("DELIVERIES_TABLE"), Outbox(*PUBLISHES))


@consumer.on(OrderCreated)
def deliver(event: Received[OrderCreated]) -> None:
    """Deliver an order. An attempt before this one may have done so and died before it could say so."""
    if deliveries().has(event.data.order_id):
        return
    time.sleep(float(setting("WORK_SECONDS")))  # stands for the van
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    delivery = Delivery(event.data.order_id, "DELIVERED", 1, now)
    deliveries().add(delivery, correlation_id=event.meta.correlation_id, causation_id=event.id)


on_event = consumer.handler()
