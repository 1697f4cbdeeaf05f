"""A service that keeps events in a stream, and authorises payments."""

from __future__ import annotations

from backbone.constructs.service import Service
from backbone.constructs.stream import Stream


def build(service: Service) -> None:
    """Add the service's resources."""
    authorise = service.function("authorise", handler="tests.deployment.plans.shop.ledger.handlers.handle")
    service.grant_publish(authorise, "Payment.Authorised")
    service.subscribe("requests", "Order.Created", to=authorise, buffer=False)
    stream = Stream(service, "entries", account=service.account, name=service.name_of("entries"))
    service.subscribe("book", "Order.Created", "Order.Updated", to=stream, partition_key_path="$.detail.id")
