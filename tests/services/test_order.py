from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.runtime import PublishError
from services.order import handlers
from services.order.orders import UnknownOrderError
from tests.services.conftest import CONTEXT, Surroundings, load_event

BODY = {"customer": "c-1", "items": [{"sku": "tea", "quantity": 2, "price": 4.95}]}


def call(
    method: str, path: str, body: object = None, *, key: str | None = None, user: str = "shopper", **change: Any
) -> tuple[int, dict[str, Any], dict[str, str]]:
    event = load_event("post-orders")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    event["requestContext"]["authorizer"]["iam"]["userArn"] = f"arn:aws:iam::222222222222:user/{user}"
    event["body"] = body if isinstance(body, str) or body is None else json.dumps(body)
    if key is not None:
        event["headers"]["idempotency-key"] = key
    answer = handlers.api(event | change, CONTEXT)
    return answer["statusCode"], json.loads(answer["body"]), answer.get("headers", {})


def delivered(order_id: str, sequence: int = 1, status: str = "DELIVERED") -> dict[str, Any]:
    event = load_event("delivery-updated")
    event["detail"]["data"] |= {"order_id": order_id, "sequence": sequence, "status": status}
    return event


def test_an_order_is_made_and_published(aws: Surroundings) -> None:
    event = load_event("post-orders")
    answer = handlers.api(event, CONTEXT)
    order = json.loads(answer["body"])
    assert answer["statusCode"] == 201
    assert answer["headers"]["Location"] == f"/orders/{order['order_id']}"
    assert order["total"] == "9.90"
    assert order["status"] == "CREATED"
    (published,) = aws.order_bus.events
    assert published["Source"] == "order-service"
    assert published["DetailType"] == "Order.Created"
    assert published["Detail"]["data"] == {key: value for key, value in order.items() if key != "status"}
    assert published["Detail"]["meta"] == {
        "correlation_id": event["requestContext"]["requestId"],
        "causation_id": None,
        "version": 1,
        "idempotency_key": f"{order['order_id']}/created",
    }
    assert call("GET", f"/orders/{order['order_id']}")[:2] == (200, order)


def test_health_and_what_is_not_there(aws: Surroundings) -> None:
    assert call("GET", "/health")[:2] == (200, {"status": "ok"})
    for path in ("/orders/nothing", "/orders/7f9c24e8-3b12-5ad6-9f11-0d6b1f6a2c90", "/", "/orders/" + "x" * 3000):
        status, problem, headers = call("GET", path)
        assert status == 404
        assert problem["title"] == "Not Found"
        assert headers["Content-Type"] == "application/problem+json"
    assert call("DELETE", "/orders")[0] == 404


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"customer": ""}, ["customer"]),
        ({"customer": None, "items": []}, ["customer", "items"]),
        ({"items": [{"sku": "x", "quantity": 0, "price": 1}]}, ["items.0.quantity"]),
        ({"items": [{"sku": "x", "quantity": 1.5, "price": 1}]}, ["items.0.quantity"]),
        ({"items": [{"sku": "x", "quantity": 1, "price": -1}, {"sku": "y"}]}, ["items.0.price", "items.1.price"]),
        ({"items": [{"sku": "x", "quantity": 1, "price": 1.005}]}, ["items.0.price"]),
        ({"items": {"sku": "x"}}, ["items"]),
    ],
)
def test_each_bad_field_is_named(aws: Surroundings, change: dict[str, Any], fields: list[str]) -> None:
    status, problem, headers = call("POST", "/orders", BODY | change)
    assert status == 400
    assert headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "errors"} == problem.keys()
    assert set(fields) <= {mistake["field"] for mistake in problem["errors"]}
    assert aws.count("orders") == 0
    assert aws.order_bus.events == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "NaN", '{"customer": "\\ud800"}', None])
def test_what_is_no_order_at_all(aws: Surroundings, body: str | None) -> None:
    assert call("POST", "/orders", body)[0] == 400


def test_a_body_in_base64_and_one_that_is_too_large(aws: Surroundings) -> None:
    text = base64.b64encode(json.dumps(BODY).encode()).decode()
    assert call("POST", "/orders", text, isBase64Encoded=True)[0] == 201
    assert call("POST", "/orders", "/w==", isBase64Encoded=True)[0] == 400
    assert call("POST", "/orders", "a", isBase64Encoded=True)[0] == 400
    status, problem, _ = call("POST", "/orders", json.dumps(BODY) + " " * 65_536)
    assert status == 413
    assert "65,536" in problem["detail"]


def test_the_same_key_and_body_give_the_same_order(aws: Surroundings) -> None:
    first = call("POST", "/orders", BODY, key="k-1")
    assert call("POST", "/orders", json.dumps(BODY, indent=1), key="k-1")[:2] == first[:2]
    assert len(aws.order_bus.events) == 1
    assert call("POST", "/orders", BODY | {"customer": "c-2"}, key="k-1")[0] == 409
    assert call("POST", "/orders", BODY, key="k-2")[1]["order_id"] != first[1]["order_id"]
    assert call("POST", "/orders", BODY, key="k-1", user="other")[1]["order_id"] != first[1]["order_id"]
    assert call("POST", "/orders", BODY, key="a key with spaces")[0] == 400
    assert aws.count("orders") == 3


def test_without_a_key_every_call_is_an_order(aws: Surroundings) -> None:
    assert call("POST", "/orders", BODY)[1]["order_id"] != call("POST", "/orders", BODY)[1]["order_id"]


def test_what_could_not_be_published_is_not_acknowledged_and_completed_later(aws: Surroundings) -> None:
    aws.order_bus.failures = ["InternalFailure"] * 3
    status, problem, headers = call("POST", "/orders", BODY, key="k-1")
    assert status == 503
    assert headers["Retry-After"] == "5"
    assert "same Idempotency-Key" in problem["detail"]
    assert aws.order_bus.events == []
    status, order, _ = call("POST", "/orders", BODY, key="k-1")
    assert (status, order["status"]) == (201, "CREATED")
    assert len(aws.order_bus.of("Order.Created")) == 1
    assert aws.count("orders") == 1


def test_the_order_follows_its_delivery(aws: Surroundings) -> None:
    order = call("POST", "/orders", BODY)[1]
    event = delivered(order["order_id"])
    handlers.on_event(event, CONTEXT)
    assert call("GET", f"/orders/{order['order_id']}")[1]["status"] == "DELIVERED"
    (updated,) = aws.order_bus.of("Order.Updated")
    assert updated["data"] == {"order_id": order["order_id"], "status": "DELIVERED", "sequence": 1}
    assert updated["meta"]["causation_id"] == event["id"]
    assert updated["meta"]["correlation_id"] == event["detail"]["meta"]["correlation_id"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_late_repeated_and_missing_events_end_in_the_newest_state(aws: Surroundings, sequences: list[int]) -> None:
    aws.clear()
    order_id = call("POST", "/orders", BODY)[1]["order_id"]
    for sequence in sequences:
        handlers.on_event(delivered(order_id, sequence, f"STATE-{sequence}"), CONTEXT)
    newest = max(sequences)
    assert call("GET", f"/orders/{order_id}")[1]["status"] == f"STATE-{newest}"
    told = [event["data"]["sequence"] for event in aws.order_bus.of("Order.Updated")]
    assert told == sorted(told)
    assert told[-1] == newest


def test_an_update_that_could_not_be_told_is_told_by_the_retry(aws: Surroundings) -> None:
    order_id = call("POST", "/orders", BODY)[1]["order_id"]
    aws.order_bus.failures = ["ThrottlingException"] * 3
    with pytest.raises(PublishError, match="1 events could not be published: Order"):
        handlers.on_event(delivered(order_id), CONTEXT)
    handlers.on_event(delivered(order_id), CONTEXT)
    assert len(aws.order_bus.of("Order.Updated")) == 1


def test_a_delivery_of_an_unknown_order_is_retried_by_lambda(aws: Surroundings) -> None:
    with pytest.raises(UnknownOrderError, match="7f9c24e8"):
        handlers.on_event(load_event("delivery-updated"), CONTEXT)
    assert aws.order_bus.events == []


words = st.text(max_size=10) | st.sampled_from(["tea", "c-1"])
numbers = st.integers(-2, 20_000) | st.floats() | st.decimals(allow_nan=False, allow_infinity=False).map(str)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "customer": words | st.none() | numbers,
        "items": st.lists(
            st.fixed_dictionaries({}, optional={"sku": words, "quantity": numbers, "price": numbers}), max_size=3
        )
        | st.none(),
        "extra": st.none(),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    bodies.map(json.dumps) | st.text() | st.binary().map(lambda body: base64.b64encode(body).decode()), st.booleans()
)
def test_no_body_is_answered_with_500(aws: Surroundings, body: str, encoded: bool) -> None:
    status, answer, _ = call("POST", "/orders", body, isBase64Encoded=encoded)
    assert status in (201, 400, 413)
    if status == 201:
        assert re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", answer["total"])
