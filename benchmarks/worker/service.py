"""Resources of a service that receives what its setting lists, and publishes what its name says."""

from __future__ import annotations

from backbone.constructs.service import Service

__all__ = ["build"]


def build(service: Service) -> None:
    """Add the service's resources."""
    function = service.function("on-event", handler="benchmarks.worker.handlers.on_event")
    service.subscribe("all", *str(service.setting("subscribes", default="")).split(), to=function)
    service.grant_publish(function, f"{service.source.upper()}.Created")
