"""What the Order Service consists of. Runs when the Terraform is synthesized; does not ship."""

from __future__ import annotations

from backbone.constructs.http_api import HttpApi, Route
from backbone.constructs.service import Service
from services.order.events import CONSUMES, PUBLISHES

__all__ = ["build"]


def build(service: Service) -> None:
    """Add the service's resources."""
    orders = service.table(
        "orders",
        key="id",
        outbox=[model.detail_type for model in PUBLISHES],
        deletion_protection=service.setting("deletion_protection", default=True),
    )
    environment = {"ORDERS_TABLE": orders.name}

    api = service.function("api", handler="services.order.handlers.api", environment=environment)
    orders.grant(api, "GetItem", "PutItem")
    http_api = HttpApi(
        service,
        "http-api",
        account=service.account,
        name=service.name_of("http-api"),
        routes={
            "POST /orders": api,
            "GET /orders/{order_id}": api,
            "GET /health": Route(api, authorization="none"),
        },
        log_retention_days=service.log_retention_days,
    )
    service.output("endpoint", http_api.endpoint)

    on_event = service.function("on-event", handler="services.order.handlers.on_event", environment=environment)
    orders.grant(on_event, "UpdateItem")
    buffered = service.setting("buffered", default=True)
    service.subscribe("deliveries", *(model.detail_type for model in CONSUMES), to=on_event, buffer=buffered)
