"""Receives events from EventBridge, over a topic, out of a queue or out of a stream; each is handled by its type."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from backbone.runtime.batches import handle_messages, handle_records
from backbone.runtime.envelope import EventData, MalformedError, Received, RejectedError, read
from backbone.runtime.environment import Handler, lambda_handler, logger, metrics
from backbone.runtime.failures import send_to_failure_queue
from backbone.runtime.idempotency import BusyError, Idempotency
from backbone.runtime.publisher import PublishError

__all__ = ["Consumer"]

Data = TypeVar("Data", bound=EventData)
Event = dict[str, Any]
LONGEST_KEY = 1_000


class Consumer:
    """The event types that a function handles.

    When a handler raises, Lambda (or the queue, or the stream) tries again, and in the end the event is in the failure
    queue. What no retry can change goes there at once, with the reason: a malformed event, one for which the handler
    raises RejectedError, and one whose answer no bus will ever take. With `idempotency` an event that comes several
    times, even at once, is handled one time; events of a replay are others than those that they repeat.
    """

    def __init__(self, *, idempotency: Idempotency | None = None) -> None:
        self._handlers: dict[str, tuple[type[EventData], Callable[[Any], None]]] = {}
        self._idempotency = idempotency

    def on(self, model: type[Data]) -> Callable[[Callable[[Received[Data]], None]], Callable[[Received[Data]], None]]:
        """Register the function that handles events of a type."""

        def register(handle: Callable[[Received[Data]], None]) -> Callable[[Received[Data]], None]:
            self._handlers[model.detail_type] = (model, handle)
            return handle

        return register

    def handler(self) -> Handler:
        """The function that Lambda calls."""
        most_receives = int(os.environ.get("BUFFER_MAX_RECEIVES", "1000000"))

        @lambda_handler
        def handle(event: Event, context: Any) -> dict[str, Any] | None:
            if self._idempotency is not None:
                self._idempotency.begin()
            records = event.get("Records")
            if not isinstance(records, list) or not records:
                self._receive(event, context)
                return None
            if "Sns" in records[0]:
                for record in records:  # it is always one (Lambda developer guide, "Invoking Lambda … with Amazon SNS")
                    self._receive(_event_in(record["Sns"]["Message"]), context)
                return None
            if records[0]["eventSource"] == "aws:kinesis":
                return handle_records(
                    records,
                    lambda record: self._receive(_event_in(base64.b64decode(record["kinesis"]["data"])), context),
                    number=lambda record: str(record["kinesis"]["sequenceNumber"]),
                )
            return handle_messages(records, lambda record: self._receive_message(record, context, most_receives))

        return handle

    def _receive_message(self, record: dict[str, Any], context: Any, most_receives: int) -> None:
        """Handle a message of a queue; at its last receive, an event that fails goes to the failure queue."""
        event = _event_in(record["body"])
        receives = int(record["attributes"].get("ApproximateReceiveCount", 1))
        try:
            self._receive(event, context, attempts=receives)
        except BusyError:
            raise
        except Exception as error:
            if receives < most_receives:
                raise
            self._give_up(event, error, context, condition="RetriesExhausted", attempts=receives)

    def _receive(self, event: Event, context: Any, *, attempts: int = 1) -> None:
        metrics.add_metric(name="EventsReceived", unit="Count", value=1)
        if (age := _age_seconds(event)) is not None:
            metrics.add_metric(name="EventAge", unit="Seconds", value=age)
        with logger.append_context_keys(**_about(event)):
            try:
                done = self._handle(event)
            except (RejectedError, PublishError) as error:
                if isinstance(error, PublishError) and (error.denied or not error.permanent):
                    self._failed()
                    raise
                self._give_up(event, error, context, condition="Rejected", attempts=attempts)
                return
            except BusyError as error:
                metrics.add_metric(name="EventsBusy", unit="Count", value=1)
                logger.info("another invocation is at work on the event", seconds=error.seconds)
                raise
            except Exception:
                self._failed()
                raise
            metrics.add_metric(name="EventsHandled" if done else "EventsRepeated", unit="Count", value=1)
            logger.info("event handled" if done else "event was handled before")

    def _failed(self) -> None:
        metrics.add_metric(name="EventsFailed", unit="Count", value=1)
        logger.exception("the event could not be handled")

    def _handle(self, event: Event) -> bool:
        """Handle an event unless it was handled before; whether it was handled now."""
        detail_type = str(event.get("detail-type"))
        if detail_type not in self._handlers:
            raise MalformedError(f"detail-type: got {detail_type!r}; allowed: {', '.join(self._handlers)}")
        model, handle = self._handlers[detail_type]
        received = read(event, model)
        if self._idempotency is None:
            handle(received)
            return True
        return self._idempotency.once(_key(event, received), lambda: handle(received))

    def _give_up(self, event: Event, error: Exception, context: Any, *, condition: str, attempts: int) -> None:
        send_to_failure_queue(
            event,
            condition=condition,
            error=type(error).__name__,
            reason=str(error),
            attempts=attempts,
            context=context,
        )
        metrics.add_metric(name="EventsRejected", unit="Count", value=1)
        logger.error("the event is in the failure queue", reason=str(error), **_about(event))


def _event_in(data: str | bytes) -> Event:
    """The event that a message or record has; what is no event gets no type, so it will be rejected."""
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"body": data if isinstance(data, str) else data.decode("latin-1")}


def _about(event: Event) -> dict[str, Any]:
    """What tells an event in the logs."""
    detail = event.get("detail")
    meta = detail.get("meta") if isinstance(detail, dict) else None
    correlation_id = meta.get("correlation_id") if isinstance(meta, dict) else None
    found = {"event_id": event.get("id"), "detail_type": event.get("detail-type"), "source": event.get("source")}
    return found | {"correlation_id": correlation_id}


def _age_seconds(event: Event) -> float | None:
    """How long ago an event happened by the clock here; never less than nothing, since clocks differ."""
    try:
        return max(0.0, time.time() - datetime.fromisoformat(str(event.get("time"))).timestamp())
    except ValueError:
        return None


def _key(event: Event, received: Received[Any]) -> str:
    """What is the same for all copies of an event, and for no other event that this function gets."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    parts = [function, received.source, event["detail-type"], received.meta.idempotency_key]
    key = "/".join([*parts, *([event["replay-name"]] if "replay-name" in event else [])])
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
