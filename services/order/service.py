"""What the Order Service consists of. Runs when the Terraform is synthesized; does not ship."""

from __future__ import annotations

from backbone.constructs.http_api import HttpApi
from backbone.constructs.service import Service
from backbone.constructs.table import Table
from services.order.events import CONSUMES, OrderCreated, OrderUpdated

__all__ = ["build"]


def build(service: Service) -> None:
    """Add the service's resources."""
    orders = Table(
        service,
        "orders",
        account=service.account,
        name=service.name_of("orders"),
        key="id",
        deletion_protection=service.setting("deletion_protection", default=True),
    )
    environment = {"ORDERS_TABLE": orders.name}

    api = service.function("api", handler="services.order.handlers.api", environment=environment, timeout_seconds=15)
    orders.grant_read_write(api)
    service.grant_publish(api, OrderCreated.detail_type)
    http_api = HttpApi(
        service,
        "http-api",
        account=service.account,
        name=service.name_of("http-api"),
        routes={"POST /orders": api, "GET /orders/{order_id}": api, "GET /health": api},
        log_retention_days=service.log_retention_days,
    )
    service.output("endpoint", http_api.endpoint)

    on_event = service.function("on-event", handler="services.order.handlers.on_event", environment=environment)
    orders.grant_read_write(on_event)
    service.grant_publish(on_event, OrderUpdated.detail_type)
    service.subscribe("deliveries", *(event.detail_type for event in CONSUMES), to=on_event)
