"""The functions of the Order Service: `api` answers HTTP, `on_event` receives events."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel, Field, StrictInt, StringConstraints, ValidationError

from backbone.runtime import (
    Consumer,
    Outbox,
    Received,
    answer,
    client,
    is_transient,
    lambda_handler,
    logger,
    metrics,
    principal,
    problem,
    setting,
)
from services.order.events import PUBLISHES, DeliveryUpdated
from services.order.orders import ConflictError, Order, Orders, UnknownOrderError

__all__ = ["api", "on_event"]

MAX_BODY_BYTES = 64 * 1024
RETRY_AFTER_SECONDS = 5
ORDER_IDS = uuid.UUID("5e0a5ee1-6f0c-4b9f-9d56-0e2f2f1c7c11")
"""The namespace of order ids that are derived from caller and Idempotency-Key."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class OrderedItem(BaseModel):
    """An item of an order, as the customer asks for it."""

    sku: Text
    quantity: Annotated[StrictInt, Field(ge=1, le=10_000)]
    price: Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2)]


class OrderRequest(BaseModel):
    """The body of `POST /orders`."""

    customer: Text
    items: Annotated[list[OrderedItem], Field(min_length=1, max_length=100)]


@cache
def orders() -> Orders:
    """The table of orders."""
    return Orders(client("dynamodb"), setting("ORDERS_TABLE"), Outbox(*PUBLISHES))


app = APIGatewayHttpResolver()


@app.get("/health")
def health() -> Response[str]:
    """An answer that shows that the function runs."""
    return answer(200, {"status": "ok"})


@app.get("/orders/<order_id>")
def get_order(order_id: str) -> Response[str]:
    """The order and its state, for the caller who made it."""
    missing = problem(404, f"there is no order {order_id[:60]!r}")
    if not re.fullmatch(r"[0-9a-f-]{36}", order_id):
        return missing
    try:
        order = orders().get(order_id)
    except UnknownOrderError:
        return missing
    except Exception as error:
        return _failed(error, "the order cannot be read now; repeat the request later")
    return answer(200, _body(order)) if order.owner == _caller() else missing


@app.post("/orders")
def post_order() -> Response[str]:
    """Accept an order. With its Idempotency-Key the request can be repeated: the same order is answered."""
    key = app.current_event.headers.get("idempotency-key") or str(uuid.uuid4())
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        return problem(400, "Idempotency-Key: allowed: 1 to 255 visible ASCII characters")
    try:
        body = (app.current_event.decoded_body or "").encode("utf-8", "surrogatepass")
    except ValueError:
        return problem(400, "the body is not base64 of UTF-8 text")
    if len(body) > MAX_BODY_BYTES:
        return problem(413, f"the body has {len(body):,} bytes; at most {MAX_BODY_BYTES:,} are taken")
    try:
        request = OrderRequest.model_validate_json(body)
    except ValidationError as error:
        errors = [
            {"field": _field(mistake["loc"]), "message": mistake["msg"]} for mistake in error.errors(include_url=False)
        ]
        return problem(400, "the order is not valid", errors=errors)
    try:
        order = _accept(request, key)
    except ConflictError:
        return problem(409, "another order was made with this Idempotency-Key; use a new one")
    except Exception as error:  # whatever it is, the caller gets the key
        return _failed(
            error,
            "it is not known whether the order was accepted; repeat the request with this Idempotency-Key",
            key=key,
        )
    return answer(201, _body(order), headers={"Location": f"/orders/{order.id}", "Idempotency-Key": key})


def _accept(request: OrderRequest, key: str) -> Order:
    """The order of a request, in the table along with its event. The same key and request give the same order."""
    caller = _caller()
    order_id = str(uuid.uuid5(ORDER_IDS, f"{caller}\n{key}"))
    logger.append_keys(order_id=order_id)
    document = {
        "order_id": order_id,
        **request.model_dump(mode="json"),
        "total": str(sum((item.price * item.quantity for item in request.items), Decimal(0))),
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    request_hash = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
    correlation_id = logger.get_correlation_id() or order_id
    order = orders().add(Order(document, caller), request_hash=request_hash, correlation_id=correlation_id)
    metrics.add_metric(name="OrdersAccepted", unit="Count", value=1)
    return order


def _caller() -> str:
    """Whose keys and orders these are."""
    return principal(app.current_event.request_context.raw_event)


def _body(order: Order) -> dict[str, Any]:
    return {**order.document, "status": order.status}


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "body"


@app.not_found
def _no_route(_error: Exception) -> Response[str]:
    return problem(404, f"there is no {app.current_event.http_method} {app.current_event.path}")


def _failed(error: Exception, what: str, *, key: str | None = None) -> Response[str]:
    """The answer after an error: 503 when the same request may succeed later, 500 when something is set up wrongly."""
    logger.error("the request failed", exc_info=error)
    metrics.add_metric(name="RequestsFailed", unit="Count", value=1)
    status, headers = (503, {"Retry-After": str(RETRY_AFTER_SECONDS)}) if is_transient(error) else (500, {})
    if key is None:
        return problem(status, what, headers=headers)
    return problem(status, what, headers=headers | {"Idempotency-Key": key}, idempotency_key=key)


@lambda_handler
def api(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What API Gateway calls."""
    logger.set_correlation_id(event["requestContext"]["requestId"])
    metrics.add_metric(name="Requests", unit="Count", value=1)
    return app.resolve(event, context)


consumer = Consumer()


@consumer.on(DeliveryUpdated)
def follow_delivery(event: Received[DeliveryUpdated]) -> None:
    """Take over the state of the delivery and publish it as the order's."""
    meta, data = event.meta, event.data
    if not orders().follow_delivery(data, correlation_id=meta.correlation_id, causation_id=event.id):
        logger.info("this or a newer state of the delivery is known", order_id=data.order_id, sequence=data.sequence)


on_event = consumer.handler()
