"""A service that takes events from a queue."""

from __future__ import annotations

from backbone.constructs.service import Service


def build(service: Service) -> None:
    """Add the service's resources."""
    on_event = service.function("on-event", handler="tests.deployment.plans.shop.delivery.handlers.handle")
    service.grant_publish(on_event, "Delivery.Updated")
    service.subscribe("orders", "Order.Created", to=on_event, buffer=True)
