"""What the Delivery Service consists of. Runs when the Terraform is synthesized; does not ship."""

from __future__ import annotations

from backbone.constructs.service import Service
from services.delivery.events import CONSUMES, PUBLISHES

__all__ = ["build"]


def build(service: Service) -> None:
    """Add the service's resources."""
    deletion_protection = service.setting("deletion_protection", default=True)
    deliveries = service.table(
        "deliveries",
        key="order_id",
        outbox=[model.detail_type for model in PUBLISHES],
        deletion_protection=deletion_protection,
    )
    handled = service.table("handled", key="id", expires="expires_at", deletion_protection=deletion_protection)
    work_seconds = service.setting("work_seconds", default=0)
    on_event = service.function(
        "on-event",
        handler="services.delivery.handlers.on_event",
        environment={
            "DELIVERIES_TABLE": deliveries.name,
            "IDEMPOTENCY_TABLE": handled.name,
            "WORK_SECONDS": str(work_seconds),
        },
        timeout_seconds=15 + work_seconds,
    )
    deliveries.grant(on_event, "GetItem", "PutItem")
    handled.grant(on_event, "PutItem", "UpdateItem")
    service.subscribe("orders", *(model.detail_type for model in CONSUMES), to=on_event)
