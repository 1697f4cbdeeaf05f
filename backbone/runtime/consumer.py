"""Receives events, straight from EventBridge or out of a queue, and gives each to the function for its type."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from backbone.runtime.envelope import EventData, MalformedError, Received, read
from backbone.runtime.environment import client, logger, metrics, setting, tracer

__all__ = ["Consumer"]

Data = TypeVar("Data", bound=EventData)
Handler = Callable[[dict[str, Any], Any], Any]


class Consumer:
    """The event types that a function handles.

    When a handler raises, Lambda (or the queue) tries again, and in the end the event is in the failure queue. A
    malformed event goes to the failure queue at once, with the reason.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, tuple[type[EventData], Callable[[Any], None]]] = {}

    def on(self, model: type[Data]) -> Callable[[Callable[[Received[Data]], None]], Callable[[Received[Data]], None]]:
        """Register the function that handles events of a type."""

        def register(handle: Callable[[Received[Data]], None]) -> Callable[[Received[Data]], None]:
            self._handlers[model.detail_type] = (model, handle)
            return handle

        return register

    def handler(self) -> Handler:
        """The function that Lambda calls."""

        @logger.inject_lambda_context
        @tracer.capture_lambda_handler(capture_response=False)
        @metrics.log_metrics(capture_cold_start_metric=True)
        def handle(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
            if "Records" in event:
                return self._batch(event["Records"], context)
            self._handle(event, context)
            return None

        decorated: Handler = handle  # Powertools' decorators are untyped
        return decorated

    def _batch(self, records: list[dict[str, Any]], context: Any) -> dict[str, Any]:
        """The messages that failed: only these return to the queue (SQS partial batch response)."""
        failed = []
        for record in records:
            try:
                self._handle(_event_of(record), context)
            except Exception:
                logger.exception("a message failed", message_id=record["messageId"])
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    def _handle(self, event: dict[str, Any], context: Any) -> None:
        metrics.add_metric(name="EventsReceived", unit="Count", value=1)
        detail_type = str(event.get("detail-type"))
        with logger.append_context_keys(event_id=event.get("id"), detail_type=detail_type):
            try:
                if detail_type not in self._handlers:
                    known = ", ".join(self._handlers)
                    raise MalformedError(f"detail-type: got {detail_type!r}; allowed: {known}")
                model, handle = self._handlers[detail_type]
                received = read(event, model)
            except MalformedError as error:
                self._reject(event, str(error), context)
                return
            with logger.append_context_keys(correlation_id=received.meta.correlation_id):
                handle(received)
                metrics.add_metric(name="EventsHandled", unit="Count", value=1)
                logger.info("event handled")

    def _reject(self, event: dict[str, Any], reason: str, context: Any) -> None:
        """Put the event into the failure queue, in the shape of Lambda's own records there."""
        record = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "requestContext": {
                "requestId": context.aws_request_id,
                "functionArn": context.invoked_function_arn,
                "condition": "Malformed",
                "approximateInvokeCount": 1,
            },
            "requestPayload": event,
            "responsePayload": {"errorType": "MalformedError", "errorMessage": reason},
        }
        client("sqs").send_message(QueueUrl=setting("FAILURE_QUEUE_URL"), MessageBody=json.dumps(record))
        metrics.add_metric(name="EventsRejected", unit="Count", value=1)
        logger.error("malformed event is in the failure queue", reason=reason)


def _event_of(record: dict[str, Any]) -> dict[str, Any]:
    try:
        event = json.loads(record["body"])
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"id": record["messageId"], "body": record["body"]}
