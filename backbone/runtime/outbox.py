"""The way of a service's events to the global bus."""

from __future__ import annotations

from functools import cached_property

from backbone.runtime.envelope import EventData, detail
from backbone.runtime.environment import setting
from backbone.runtime.publisher import Entry, Publisher

__all__ = ["Outbox"]


class Outbox:
    """Publishes events of some types in their envelope, to the bus and under the source that the environment names."""

    def __init__(self, *models: type[EventData], publisher: Publisher | None = None) -> None:
        self._models = models
        self._given = publisher

    @cached_property
    def _publisher(self) -> Publisher:
        return self._given or Publisher(
            bus=setting("EVENT_BUS_ARN"),
            source=setting("EVENT_SOURCE"),
            detail_types=[model.detail_type for model in self._models],
        )

    def publish(self, data: EventData, *, key: str, correlation_id: str, causation_id: str | None = None) -> None:
        """Put an event on the bus; PublishError when it is not there. `key` is the same for each repetition."""
        content = detail(data, correlation_id=correlation_id, causation_id=causation_id, idempotency_key=key)
        self._publisher.publish(Entry(data.detail_type, content))
