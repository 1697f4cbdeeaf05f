"""The way of a service's events to the global bus: along with an item of a table, or straight from a function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from backbone.runtime import budget
from backbone.runtime.envelope import EventData, detail
from backbone.runtime.environment import buses_elsewhere, setting
from backbone.runtime.publisher import Entry, Publisher, UndeclaredError

__all__ = ["Outbox", "TooLargeError"]

MAX_ITEM_BYTES = 400 * 1024
"""The largest item of a table, names of attributes included (DynamoDB developer guide, "Quotas")."""

MAX_EVENT_BYTES = 252 * 1024
"""The largest event that fits into every queue on its way, with what EventBridge adds.

A bus takes 1 MB, but a queue that Terraform made takes 256 KB (provider documentation, aws_sqs_queue,
max_message_size); what is larger is lost there."""


class TooLargeError(ValueError):
    """The event, or the item that it is written with, is too large for what is on its way; nothing was written."""


class Outbox:
    """Publishes the event types given, each in its envelope; where to and under which source the environment says.

    With a `source` of the service's others, `publish` uses that; of a table's outbox `service.table` says the source.

    With a table that has an outbox an event is written in its item, in one call: both are there or neither is, and the
    table's stream takes the event to the bus, in some hundred milliseconds, as often as that needs.

    ```python
    item = {"id": {"S": order.id}, "document": {"S": order.text}}
    table.put_item(TableName=…, Item=outbox.with_event(item, created, key=order.id, correlation_id=…))
    ```

    `publish` is for functions without a table. When it fails, the event may be on the bus or not.
    """

    ATTRIBUTE = "outbox"

    def __init__(self, *models: type[EventData], source: str | None = None, publisher: Publisher | None = None) -> None:
        self._detail_types = [model.detail_type for model in models]
        self._source = source
        self._given_publisher = publisher

    @cached_property
    def _publisher(self) -> Publisher:
        if self._given_publisher is not None:
            return self._given_publisher
        source = self._source or setting("EVENT_SOURCE")
        return Publisher(
            bus=setting("EVENT_BUS_ARN"),
            elsewhere=buses_elsewhere(source),
            source=source,
            detail_types=self._detail_types,
            remaining_seconds=budget.remaining_seconds,
        )

    def attribute(
        self, data: EventData, *, key: str, correlation_id: str, causation_id: str | None = None
    ) -> dict[str, str]:
        """An event as the value of the attribute `outbox`, for an update; `key` is the same each time it is written.

        UndeclaredError for an event that the service does not declare; TooLargeError.
        """
        if data.detail_type not in self._detail_types:
            raise UndeclaredError(f"{data.detail_type!r} is not among the events of this outbox: {self._detail_types}")
        content = detail(data, correlation_id=correlation_id, causation_id=causation_id, idempotency_key=key)
        return {"S": _text(data.detail_type, content)}

    def with_event(
        self,
        item: Mapping[str, Any],
        data: EventData,
        *,
        key: str,
        correlation_id: str,
        causation_id: str | None = None,
    ) -> dict[str, Any]:
        """An item with its event; TooLargeError, before anything is written, when the two are too large together."""
        attribute = self.attribute(data, key=key, correlation_id=correlation_id, causation_id=causation_id)
        made = {**item, self.ATTRIBUTE: attribute}
        size = sum(len(name.encode()) + _bytes(value) for name, value in made.items())
        if size > MAX_ITEM_BYTES:
            raise TooLargeError(
                f"{data.detail_type}: the item has {size:,} bytes with its event; an item of a table takes "
                f"{MAX_ITEM_BYTES:,}: keep the large part elsewhere, and publish where it is"
            )
        return made

    def publish(self, data: EventData, *, key: str, correlation_id: str, causation_id: str | None = None) -> None:
        """Put an event on the bus; `key` is the same each time an event is published.

        TooLargeError before it is sent; PublishError when it could not be published.
        """
        content = detail(data, correlation_id=correlation_id, causation_id=causation_id, idempotency_key=key)
        _text(data.detail_type, content)
        self._publisher.publish(Entry(data.detail_type, content))


def _text(detail_type: str, content: Mapping[str, Any]) -> str:
    """An event as an attribute of an item; TooLargeError."""
    text = json.dumps({"detail_type": detail_type, "detail": content}, ensure_ascii=False, separators=(",", ":"))
    if (size := len(text.encode("utf-8", "replace"))) > MAX_EVENT_BYTES:
        raise TooLargeError(
            f"{detail_type}: {size:,} bytes; the queues on its way take {MAX_EVENT_BYTES:,}: keep the large part "
            "elsewhere, and publish where it is"
        )
    return text


def _bytes(value: Mapping[str, Any]) -> int:
    """The size of an attribute's value, no less than what DynamoDB counts ("Item sizes and formats")."""
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return 3 + sum(1 + len(name.encode()) + _bytes(each) for name, each in content.items())
        case "L":
            return 3 + sum(1 + _bytes(each) for each in content)
        case "SS" | "NS" | "BS":
            return sum(len(each if isinstance(each, bytes) else each.encode("utf-8", "replace")) for each in content)
        case "BOOL" | "NULL":
            return 1
        case "N":
            return len(content) // 2 + 2
        case _:
            return len(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
