"""What the Delivery Service consists of. Runs when the Terraform is synthesized; does not ship."""

from __future__ import annotations

from backbone.constructs.service import Service
from backbone.constructs.table import Table
from services.delivery.events import CONSUMES, PUBLISHES

__all__ = ["build"]


def build(service: Service) -> None:
    """Add the service's resources."""
    deliveries = Table(
        service,
        "deliveries",
        account=service.account,
        name=service.name_of("deliveries"),
        key="order_id",
        deletion_protection=service.setting("deletion_protection", default=True),
    )
    work_seconds = service.setting("work_seconds", default=0)
    on_event = service.function(
        "on-event",
        handler="services.delivery.handlers.on_event",
        environment={"DELIVERIES_TABLE": deliveries.name, "WORK_SECONDS": str(work_seconds)},
        timeout_seconds=15 + work_seconds,
    )
    deliveries.grant_read_write(on_event)
    service.grant_publish(on_event, *(event.detail_type for event in PUBLISHES))
    service.subscribe("orders", *(event.detail_type for event in CONSUMES), to=on_event)
