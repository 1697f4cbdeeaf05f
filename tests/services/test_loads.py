"""Many copies of an event, large orders and large events, in the simulated example."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.runtime.outbox import MAX_EVENT_BYTES
from backbone.simulator import Fault, Simulator
from backbone.simulator.faults import Kind

BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
CYRILLIC = "ж"


def created(order_id: str, **data: Any) -> dict[str, Any]:
    """An entry with an Order.Created."""
    given = {"order_id": order_id, "customer": "c", "items": [], "total": "0", "created_at": "2024-01-01T00:00:00Z"}
    meta = {"correlation_id": order_id, "version": 1, "idempotency_key": f"{order_id}/created"}
    detail = json.dumps({"data": given | data, "meta": meta}, ensure_ascii=False)
    return {"EventBusName": BUS, "Source": "order-service", "DetailType": "Order.Created", "Detail": detail}


def test_ten_thousand_copies_of_an_event_are_one_delivery(stacks: Callable[[str], Path]) -> None:
    with Simulator.load(stacks("single")) as simulator:
        for _ in range(1_000):
            answer = simulator.put_events([created("o-1")] * 10, caller="order-service")
            assert answer["FailedEntryCount"] == 0
        trace = simulator.run_until_idle()
        assert trace.delivered_to("Order.Created").count("shop-delivery-service-orders-buffer") == 10_000
        assert trace.published("Delivery.Updated") == 1
        assert len(simulator.items("shop-delivery-service-deliveries")) == 1
        assert not any(simulator.queues[name] for name in simulator.queues if "delivery-service" in name)


def test_an_order_of_a_hundred_items_goes_its_whole_way(stacks: Callable[[str], Path]) -> None:
    item = {"sku": CYRILLIC * 200, "quantity": 10_000, "price": "99999999.99"}
    order = {"customer": CYRILLIC * 200, "items": [item] * 100}
    body = json.dumps(order, ensure_ascii=False).encode()
    with Simulator.load(stacks("single")) as simulator:
        answer = simulator.http("POST", "/orders", body, caller="order")
        assert answer.status == 201
        assert simulator.run_until_idle().published("Order.Updated") == 1
        read = simulator.http("GET", f"/orders/{answer.body['order_id']}", caller="order").body
        assert (read["status"], read["total"], len(read["items"])) == ("DELIVERED", "99999999990000.00", 100)


@pytest.mark.parametrize("faults", [[], [Fault("deny", "*-buffer")], [Fault("deny", "shop-delivery-service")]])
def test_the_largest_event_of_an_outbox_fits_into_every_queue(
    stacks: Callable[[str], Path], faults: list[Fault]
) -> None:
    entry = created("o-1", customer="")
    entry = created("o-1", customer=CYRILLIC * ((MAX_EVENT_BYTES - 100 - len(entry["Detail"])) // 2))
    assert len(entry["Detail"].encode()) > MAX_EVENT_BYTES - 200
    with Simulator.load(stacks("single"), faults=faults) as simulator:
        assert simulator.put_events([entry], caller="order-service")["FailedEntryCount"] == 0
        trace = simulator.run_until_idle()
        assert trace.lost == []
        assert len(trace.of("dead-lettered")) == len(faults)
        assert trace.published("Delivery.Updated") == 1 - len(faults)


def test_an_event_that_is_larger_than_a_queue_takes_is_lost_with_the_reason(stacks: Callable[[str], Path]) -> None:
    large = created("o-1", customer=CYRILLIC * 500_000)
    with Simulator.load(stacks("single")) as simulator:
        assert simulator.put_events([large], caller="order-service")["FailedEntryCount"] == 0
        (lost,) = simulator.run_until_idle().lost
        assert "262144 bytes" in lost.words


HOUR = 3_600


@pytest.mark.parametrize(
    ("example", "fault", "queue", "hours"),
    [
        ("direct", "call-throttle", "on-event-failures", 0.05),
        ("direct", "timeout", "on-event-failures", 0.05),
        ("direct", "throttle", "on-event-failures", 6),
        ("single", "call-throttle", "on-event-failures", 17.4),
        ("single", "timeout", "deliveries-buffer-dead-letters", 4.95),
        ("single", "throttle", None, 14 * 24),
    ],
)
def test_how_long_an_event_survives(
    stacks: Callable[[str], Path], example: str, fault: Kind, queue: str | None, hours: float
) -> None:
    """The figures of the decision about queues before consumers."""
    target = "shop-order-service-on-event" + "/UpdateItem" * (fault == "call-throttle")
    data = {"order_id": "o-1", "delivery_id": "d-1", "status": "SENT", "sequence": 1, "updated_at": "now"}
    detail = json.dumps({"data": data, "meta": {"correlation_id": "c", "version": 1, "idempotency_key": "k"}})
    entry = {"EventBusName": BUS, "Source": "delivery-service", "DetailType": "Delivery.Updated", "Detail": detail}
    with Simulator.load(stacks(example), faults=[Fault(fault, target)]) as simulator:
        simulator.put_events([entry], caller="delivery-service")
        (end,) = simulator.run_until_idle().of("dead-lettered", "rejected", "lost")
        assert end.kind == ("lost" if queue is None else end.kind)
        assert queue is None or end.place == f"shop-order-service-{queue}"
        assert end.at == pytest.approx(hours * HOUR, rel=0.02)
