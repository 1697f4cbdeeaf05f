from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.order import handlers
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
    aws.relay()
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
    assert call("POST", "/orders", BODY | {"customer": "c-2"}, key="k-1")[0] == 409
    aws.relay()
    assert len(aws.order_bus.events) == 1
    assert call("POST", "/orders", BODY, key="k-2")[1]["order_id"] != first[1]["order_id"]
    assert call("POST", "/orders", BODY, key="k-1", user="other")[1]["order_id"] != first[1]["order_id"]
    assert call("POST", "/orders", BODY, key="a key with spaces")[0] == 400
    assert aws.count("orders") == 3


def test_without_a_key_the_caller_is_given_one(aws: Surroundings) -> None:
    first, second = call("POST", "/orders", BODY), call("POST", "/orders", BODY)
    assert first[1]["order_id"] != second[1]["order_id"]
    for status, order, headers in (first, second):
        again = call("POST", "/orders", BODY, key=headers["Idempotency-Key"])
        assert again[:2] == (status, order)
    assert aws.count("orders") == 2


def test_what_is_not_known_to_be_written_is_answered_with_the_key_to_ask_again(aws: Surroundings) -> None:
    errors = [ReadTimeoutError(endpoint_url="dynamodb"), ConnectTimeoutError(endpoint_url="dynamodb")] * 2
    with aws.failing("dynamodb.PutItem", *errors) as left:
        status, problem, headers = call("POST", "/orders", BODY)
    assert left == []
    assert (status, headers["Retry-After"]) == (503, "5")
    assert problem["detail"] == (
        "it is not known whether the order was accepted; repeat the request with this Idempotency-Key"
    )
    assert problem["idempotency_key"] == headers["Idempotency-Key"]
    assert aws.count("orders") == 0
    status, order, _ = call("POST", "/orders", BODY, key=problem["idempotency_key"])
    assert (status, order["status"]) == (201, "CREATED")
    assert aws.count("orders") == 1


def test_an_error_of_the_code_is_answered_with_the_key_too(aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "_accept", lambda *_: 1 / 0)
    status, problem, headers = call("POST", "/orders", BODY, key="k-1")
    assert (status, headers["Idempotency-Key"], "Retry-After" in headers) == (500, "k-1", False)
    assert problem["title"] == "Internal Server Error"


def test_an_order_that_cannot_be_read_now(aws: Surroundings) -> None:
    order = call("POST", "/orders", BODY)[1]
    with aws.failing("dynamodb.GetItem", *[ReadTimeoutError(endpoint_url="dynamodb")] * 4):
        status, problem, headers = call("GET", f"/orders/{order['order_id']}")
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "idempotency_key" not in problem


def test_an_order_is_shown_to_its_owner_only(aws: Surroundings) -> None:
    path = f"/orders/{call('POST', '/orders', BODY)[1]['order_id']}"
    assert call("GET", path)[0] == 200
    status, problem, _ = call("GET", path, user="other")
    assert status == 404
    assert problem == call("GET", path.replace(path[-3:], "000"))[1] | {"detail": problem["detail"]}


def test_a_role_is_the_same_caller_in_every_session(aws: Surroundings) -> None:
    def post(session: str) -> dict[str, Any]:
        event = load_event("post-orders")
        arn = f"arn:aws:sts::222222222222:assumed-role/shop-front/{session}"
        event["requestContext"]["authorizer"]["iam"]["userArn"] = arn
        event["headers"]["idempotency-key"] = "k-1"
        answer: dict[str, Any] = json.loads(handlers.api(event, CONTEXT)["body"])
        return answer

    assert post("pod-1") == post("pod-2")
    assert aws.count("orders") == 1


def test_the_order_follows_its_delivery(aws: Surroundings) -> None:
    order = call("POST", "/orders", BODY)[1]
    event = delivered(order["order_id"])
    handlers.on_event(event, CONTEXT)
    assert call("GET", f"/orders/{order['order_id']}")[1]["status"] == "DELIVERED"
    aws.relay()
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
    aws.relay()
    newest = max(sequences)
    assert call("GET", f"/orders/{order_id}")[1]["status"] == f"STATE-{newest}"
    told = [event["data"]["sequence"] for event in aws.order_bus.of("Order.Updated")]
    assert told == sorted(set(told))
    assert told[-1] == newest


def test_an_update_whose_answer_was_lost_is_told_once(aws: Surroundings) -> None:
    order_id = call("POST", "/orders", BODY)[1]["order_id"]
    handlers.on_event(delivered(order_id), CONTEXT)
    handlers.on_event(delivered(order_id), CONTEXT)
    aws.relay()
    assert len(aws.order_bus.of("Order.Updated")) == 1


def test_a_delivery_of_an_unknown_order_goes_to_the_failure_queue(aws: Surroundings) -> None:
    handlers.on_event(load_event("delivery-updated"), CONTEXT)
    (record,) = aws.rejected()
    assert record["responsePayload"] == {
        "errorType": "UnknownOrderError",
        "errorMessage": "there is no order 7f9c24e8-3b12-5ad6-9f11-0d6b1f6a2c90",
    }


def test_the_largest_order_fits_into_an_item_whatever_its_script(aws: Surroundings) -> None:
    item = {"sku": "ж" * 200, "quantity": 10_000, "price": "99999999.99"}
    body = {"customer": "ж" * 200, "items": [item] * 100}
    text = json.dumps(body, ensure_ascii=False)
    assert 45_000 < len(text.encode()) < 65_536
    assert call("POST", "/orders", text)[0] == 201
    aws.relay()
    (created,) = aws.order_bus.of("Order.Created")
    assert len(created["data"]["items"]) == 100


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
