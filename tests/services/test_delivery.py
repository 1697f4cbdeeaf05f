from __future__ import annotations

import json
import time
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ParamValidationError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.runtime import BusyError, client
from services.delivery import handlers
from tests.services.conftest import CONTEXT, Surroundings, load_event


def created(order: str) -> dict[str, Any]:
    event = load_event("order-created")
    event["detail"]["data"]["order_id"] = order
    event["detail"]["meta"]["idempotency_key"] = f"{order}/created"
    return event


def test_an_order_is_delivered_and_told(aws: Surroundings) -> None:
    event = load_event("order-created")
    handlers.on_event(event, CONTEXT)
    aws.relay()
    (updated,) = aws.delivery_bus.of("Delivery.Updated")
    assert updated["data"]["order_id"] == event["detail"]["data"]["order_id"]
    assert (updated["data"]["status"], updated["data"]["sequence"]) == ("DELIVERED", 1)
    assert updated["meta"]["causation_id"] == event["id"]
    assert updated["meta"]["correlation_id"] == event["detail"]["meta"]["correlation_id"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.sampled_from(["o-1", "o-2", "o-3"]), max_size=8), st.sets(st.integers(0, 20)))
def test_one_delivery_per_order_however_often_it_comes(aws: Surroundings, orders: list[str], failing: set[int]) -> None:
    aws.clear()
    count, begin, passed = iter(range(100)), time.time(), 0.0

    def fail(**_: Any) -> None:
        if next(count) in failing:
            raise ParamValidationError(report="this call fails")

    client("dynamodb").meta.events.register_first("before-send.dynamodb", fail)
    try:
        with patch("time.time", lambda: begin + passed):
            for order in orders:
                for _attempt in range(99):  # of the queue
                    try:
                        handlers.on_event(created(order), CONTEXT)
                        break
                    except ParamValidationError:
                        continue
                    except BusyError as busy:  # the claim could not be given back, and its lease ends
                        passed += busy.seconds + 1
    finally:
        client("dynamodb").meta.events.unregister("before-send.dynamodb", fail)
    aws.relay()
    assert aws.count("deliveries") == len(set(orders))
    told = aws.delivery_bus.of("Delivery.Updated")
    assert sorted(event["data"]["order_id"] for event in told) == sorted(set(orders))


def test_work_takes_as_long_as_is_set(aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setenv("WORK_SECONDS", "5")
    monkeypatch.setattr("time.sleep", slept.append)
    handlers.on_event(load_event("order-created"), CONTEXT)
    handlers.on_event(load_event("order-created"), CONTEXT)
    assert slept == [5.0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"detail": None}, "detail: got NoneType; allowed: an object with data and meta"),
        ({"detail": {}}, "detail.meta: Input should be a valid dictionary or instance of Meta"),
        ({"detail-type": "Order.Deleted"}, "detail-type: got 'Order.Deleted'; allowed: Order.Created"),
        (
            {"detail": {"data": {}, "meta": {"correlation_id": "c", "version": 1, "idempotency_key": "k"}}},
            "detail.data.order_id: Field required; detail.data.customer: Field required",
        ),
        (
            {"detail": {"data": {}, "meta": {"correlation_id": "c", "version": 2, "idempotency_key": "k"}}},
            "detail.meta.version: got 2; allowed: 1",
        ),
    ],
)
def test_a_malformed_event_goes_to_the_failure_queue_at_once(
    aws: Surroundings, change: dict[str, Any], reason: str
) -> None:
    event = load_event("order-created") | change
    handlers.on_event(event, CONTEXT)
    (record,) = aws.rejected()
    assert record["requestPayload"] == event
    assert record["responsePayload"] == {"errorType": "MalformedError", "errorMessage": reason}
    assert record["requestContext"]["condition"] == "Rejected"
    assert aws.count("deliveries") == 0


def test_a_batch_gives_back_what_failed_alone(aws: Surroundings) -> None:
    batch = load_event("sqs-batch")
    template = batch["Records"][0]
    events = [created(f"o-{number}") for number in range(3)]
    events[1]["detail"]["data"] = {}
    batch["Records"] = [
        template | {"messageId": f"m-{number}", "body": json.dumps(event)} for number, event in enumerate(events)
    ]
    batch["Records"].append(template | {"messageId": "m-3", "body": "no json"})
    with aws.failing("dynamodb.PutItem", *[ReadTimeoutError(endpoint_url="dynamodb")] * 4):
        assert handlers.on_event(batch, CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}
    assert len(aws.rejected()) == 2
    aws.relay()
    assert [event["data"]["order_id"] for event in aws.delivery_bus.of("Delivery.Updated")] == ["o-2"]
