"""A simulation goes on where that of the system as it was before has stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backbone.simulator import Fault, Simulator
from tests.simulator.conftest import ORDER, Edit, put

Load = Callable[..., Simulator]


@pytest.mark.parametrize(
    ("fault", "waits_in"),
    [
        ("throttle:shop-delivery-service", "a rule's retries"),
        ("throttle:shop-delivery-service-on-event", "a function's queue"),
        ("delay:shop-delivery-service-orders-buffer", "the way to a queue"),
    ],
)
def test_what_is_under_way_arrives(load: Load, fault: str, waits_in: str) -> None:
    before, after = load(stub_authorizers=True, faults=[Fault.parse(fault)]), load(stub_authorizers=True)
    order = before.http("POST", "/orders", ORDER).body
    before.run_until_idle(at_most=5)
    assert before.trace().published("Delivery.Updated") == 0, waits_in
    after.take_over(before)
    assert after.now == before.now
    assert [str(each) for each in after.faults] == [fault]
    after.faults.clear()
    trace = after.run_until_idle()
    assert trace.published("Order.Updated") == 1
    assert trace.lost == []
    assert after.http("GET", f"/orders/{order['order_id']}").body["status"] == "DELIVERED"
    ids = [node.data["id"] for node in trace.of("put")]
    assert len(set(ids)) == len(ids) == 3


def test_logs_and_archives_are_kept_and_items_expire_in_time(load: Load) -> None:
    before, after = load(stub_authorizers=True), load(stub_authorizers=True)
    before.http("POST", "/orders", ORDER)
    before.run_until_idle()
    after.take_over(before)
    assert after.logs["/aws/events/shop-global"] == before.logs["/aws/events/shop-global"]
    assert len(after.logs["/aws/events/shop-global"]) == 3
    assert len(after.items("shop-delivery-service-handled")) == 1
    after.replay()
    assert len(after.trace().of("replayed")) == 3
    after.run_until_idle(at_most=400 * 86_400)
    assert after.items("shop-delivery-service-handled") == []
    assert len(after.items("shop-order-service-orders")) == 1


def test_what_is_in_a_queue_that_is_there_no_more_is_lost(load: Load, edited: Callable[[Edit], Simulator]) -> None:
    queue = "shop-forward-delivery-service-dead-letters"

    def rename(resources: dict[str, dict[str, dict[str, object]]]) -> None:
        for body in resources["aws_sqs_queue"].values():
            if body["name"] == queue:
                body["name"] = "another"

    before, after = load(faults=[Fault("deny", "shop-delivery-service")]), edited(rename)
    put(before, "order-service", "Order.Updated")
    before.run_until_idle()
    assert len(before.queues[queue]) == 1
    after.take_over(before)
    (lost,) = after.trace().lost
    assert (lost.place, lost.words) == (queue, "the queue is there no more")


def test_a_table_with_other_keys_begins_empty(load: Load, edited: Callable[[Edit], Simulator]) -> None:
    def other_key(resources: dict[str, dict[str, dict[str, object]]]) -> None:
        for body in resources["aws_dynamodb_table"].values():
            if body["name"] == "shop-order-service-orders":
                body["hash_key"] = "other"
                body["attribute"] = [{"name": "other", "type": "S"}]

    before, after = load(stub_authorizers=True), edited(other_key)
    before.http("POST", "/orders", ORDER)
    after.take_over(before)
    assert after.items("shop-order-service-orders") == []
    assert len(before.items("shop-delivery-service-deliveries")) == 0
