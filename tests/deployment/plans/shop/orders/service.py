"""A service with an API that takes tokens, and a table with a stream."""

from __future__ import annotations

from backbone.constructs.http_api import HttpApi, Jwt
from backbone.constructs.service import Service
from backbone.constructs.table import Table


def build(service: Service) -> None:
    """Add the service's resources."""
    orders = Table(service, "orders", account=service.account, name=service.name_of("orders"), key="id")
    api = service.function("api", handler="tests.deployment.plans.shop.orders.handlers.handle")
    orders.grant(api, "GetItem", "PutItem", "UpdateItem")
    service.grant_publish(api, "Order.Created", "Order.Updated")
    HttpApi(
        service,
        "http-api",
        account=service.account,
        name=service.name_of("http-api"),
        routes={"POST /orders": api, "GET /orders/{order_id}": api},
        log_retention_days=service.log_retention_days,
        authorization=Jwt("https://login.example.com/", ("shop",)),
    )
    on_event = service.function("on-event", handler="tests.deployment.plans.shop.orders.handlers.handle")
    orders.grant(on_event, "GetItem", "PutItem", "UpdateItem")
    service.subscribe("deliveries", "Delivery.Updated", to=on_event, buffer=False)
    service.subscribe("payments", "Payment.Authorised", to=on_event, buffer=False)
