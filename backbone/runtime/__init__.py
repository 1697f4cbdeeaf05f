"""What a service's functions run on: events in their envelope, a publisher, a consumer, and answers of an HTTP API.

It ships in the zip of every function, needs Powertools, pydantic and boto3 only, and imports nothing else of the
backbone. Each name is loaded when it is first used: who needs event models only does not load Powertools.

```python
from typing import ClassVar
from backbone.runtime import Consumer, EventData, Outbox, Received

class OrderCreated(EventData):
    detail_type: ClassVar[str] = "Order.Created"
    version: ClassVar[int] = 1
    order_id: str

class InvoiceSent(EventData):
    detail_type: ClassVar[str] = "Invoice.Sent"
    version: ClassVar[int] = 1
    order_id: str

consumer, outbox = Consumer(), Outbox(InvoiceSent)

@consumer.on(OrderCreated)
def send_invoice(event: Received[OrderCreated]) -> None:
    sent = InvoiceSent(order_id=event.data.order_id)
    outbox.publish(sent, key=f"{event.data.order_id}/invoice", correlation_id=event.meta.correlation_id)

on_event = consumer.handler()
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backbone.runtime.answers import answer, problem
    from backbone.runtime.callers import principal
    from backbone.runtime.calls import LateError, is_aws_error, is_transient
    from backbone.runtime.consumer import Consumer
    from backbone.runtime.envelope import EventData, MalformedError, Meta, Received, RejectedError
    from backbone.runtime.environment import client, lambda_handler, logger, metrics, setting, tracer
    from backbone.runtime.idempotency import BusyError, Idempotency
    from backbone.runtime.outbox import Outbox, TooLargeError
    from backbone.runtime.publisher import Entry, Failure, Publisher, PublishError, UndeclaredError

__all__ = [
    "BusyError",
    "Consumer",
    "Entry",
    "EventData",
    "Failure",
    "Idempotency",
    "LateError",
    "MalformedError",
    "Meta",
    "Outbox",
    "PublishError",
    "Publisher",
    "Received",
    "RejectedError",
    "TooLargeError",
    "UndeclaredError",
    "answer",
    "client",
    "is_aws_error",
    "is_transient",
    "lambda_handler",
    "logger",
    "metrics",
    "principal",
    "problem",
    "setting",
    "tracer",
]

_HOMES = {
    "answers": ("answer", "problem"),
    "callers": ("principal",),
    "calls": ("LateError", "is_aws_error", "is_transient"),
    "consumer": ("Consumer",),
    "envelope": ("EventData", "MalformedError", "Meta", "Received", "RejectedError"),
    "environment": ("client", "lambda_handler", "logger", "metrics", "setting", "tracer"),
    "idempotency": ("BusyError", "Idempotency"),
    "outbox": ("Outbox", "TooLargeError"),
    "publisher": ("Entry", "Failure", "PublishError", "Publisher", "UndeclaredError"),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
