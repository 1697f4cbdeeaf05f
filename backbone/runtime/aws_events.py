"""Publishes events of AWS services anew, as events of the service; `on_event` is what Lambda calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backbone.runtime import budget
from backbone.runtime.consumer import Consumer
from backbone.runtime.envelope import MalformedError, Meta
from backbone.runtime.environment import buses_elsewhere, setting
from backbone.runtime.publisher import Entry, Publisher

__all__ = ["Relay", "on_event"]

VERSION = 1
"""The version of the events that are published: their data has the shape that AWS gives its events."""


class Relay(Consumer):
    """Publishes every event that it receives under the service's source, as events of one type.

    `data` is the event as AWS made it; its time and resources are the new event's as well. Its id is the idempotency
    key, by which consumers know a copy, and names what caused the event and the flow that the event begins.
    """

    def _handle(self, event: dict[str, Any]) -> bool:
        try:
            event_id, time = str(event["id"]), datetime.fromisoformat(event["time"]).timestamp()
            resources = tuple(map(str, event["resources"]))
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedError(f"it is not what EventBridge makes of an event: {error!r}") from None
        meta = Meta(correlation_id=event_id, causation_id=event_id, version=VERSION, idempotency_key=event_id)
        content = {"data": event, "meta": meta.model_dump(mode="json")}
        detail_type = setting("RELAY_DETAIL_TYPE")
        publisher = Publisher(
            bus=setting("EVENT_BUS_ARN"),
            source=setting("EVENT_SOURCE"),
            elsewhere=buses_elsewhere(setting("EVENT_SOURCE")),
            detail_types=[detail_type],
            remaining_seconds=budget.remaining_seconds,
        )
        publisher.publish(Entry(detail_type, content, resources, time))
        return True


on_event = Relay().handler()
