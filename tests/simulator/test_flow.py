"""The example, end to end, with the real code of its functions."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.cli.trace import mermaid
from backbone.simulator import Fault, Simulator
from backbone.simulator.faults import Kind
from backbone.trace import Node
from tests.conftest import ROOT
from tests.simulator.conftest import LAYOUTS, ORDER, put

Load = Callable[..., Simulator]


def shape(node: Node) -> tuple[object, ...]:
    """A node and what followed, without what differs between runs."""
    return node.kind, node.place, node.data.get("detail_type"), tuple(shape(one) for one in node.children)


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_order_goes_its_whole_way(load: Load, name: str) -> None:
    sim = load(name)
    assert sim.findings == []
    assert sim.system.not_simulated == ()
    answer = sim.http("POST", "/orders", ORDER, caller="order-service")
    assert answer.status == 201
    trace = sim.run_until_idle()
    assert [one.data["detail_type"] for one in trace.of("put")] == [
        "Order.Created",
        "Delivery.Updated",
        "Order.Updated",
    ]
    assert sim.http("GET", f"/orders/{answer.body['order_id']}", caller="order-service").body["status"] == "DELIVERED"
    assert trace.counts() == {
        "events": 3,
        "hops": 3,
        "deliveries": 11,
        "retries": 0,
        "denials": 0,
        "dead letters": 0,
        "lost": 0,
    }
    assert all(messages == [] for messages in sim.queues.values())


def test_the_same_in_both_layouts(load: Load) -> None:
    shapes = []
    for name in ("single", "per-account"):
        sim = load(name)
        sim.http("POST", "/orders", ORDER, caller="order")
        shapes.append([shape(one) for one in sim.run_until_idle().roots])
    assert shapes[0] == shapes[1]


def test_the_trace_tells_by_whose_leave_and_names_every_rule(load: Load) -> None:
    sim = load()
    sim.http("POST", "/orders", ORDER, caller="order")
    trace = sim.run_until_idle()
    created = trace.of("put")[0]
    assert created.data["allowed_by"].endswith("statement Account222222222222")
    assert created.data["caller"] == "shop-order-service-orders-outbox-eu-west-1"
    rules = [one for one in created.children if one.kind == "rule"]
    assert {one.place for one in rules} == {"shop-forward-delivery-service", "shop-global-log"}
    assert all(one.data["address"].startswith("backbone/aws_cloudwatch_event_rule.") for one in rules)
    only = sim.trace(created.data["id"])
    assert only.roots[0] is created
    read = json.loads(json.dumps(trace.as_json()))
    assert read[0]["kind"] == "http"
    diagram = mermaid(trace)
    assert diagram.startswith("sequenceDiagram\n")
    assert "Delivery.Updated" in diagram


def test_the_same_seed_gives_the_same_trace(load: Load) -> None:
    def run(seed: int) -> list[tuple[float, str, str]]:
        faults = [Fault("throttle", "shop-delivery-service", 0, 300), Fault("reorder", "*log*")]
        sim = load(seed=seed, faults=faults)
        put(sim, "order-service", "Order.Updated")
        return [(one.at, one.kind, one.place) for one in sim.run_until_idle()]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_repeated_deliveries_leave_one_order_and_one_delivery(load: Load) -> None:
    sim = load(faults=[Fault("duplicate", "*-buffer"), Fault("duplicate", "shop-delivery-service")])
    order = sim.http("POST", "/orders", ORDER, headers={"Idempotency-Key": "k"}, caller="order").body
    sim.run_until_idle()
    again = sim.http("POST", "/orders", ORDER, headers={"Idempotency-Key": "k"}, caller="order").body
    trace = sim.run_until_idle()
    assert again["order_id"] == order["order_id"]
    assert len(sim.items("shop-order-service-orders")) == 1
    assert len(sim.items("shop-delivery-service-deliveries")) == 1
    assert trace.delivered_to("Order.Created").count("shop-delivery-service-orders-buffer") == 4
    assert sim.http("GET", f"/orders/{order['order_id']}", caller="order").body["status"] == "DELIVERED"


def test_an_order_is_published_as_soon_as_that_is_possible(load: Load) -> None:
    sim = load(faults=[Fault("throttle", "shop-global", times=5)])
    assert sim.http("POST", "/orders", ORDER, caller="order").status == 201
    assert len(sim.run_until_idle().of("put")) == 3


kinds: st.SearchStrategy[Kind] = st.sampled_from(
    ["throttle", "deny", "timeout", "crash", "duplicate", "delay", "reorder"]
)
faults = st.builds(
    Fault,
    kinds,
    st.sampled_from(["*on-event", "shop-delivery-service", "shop-order-service", "shop-global", "*deliver*", "/aws/*"]),
    st.floats(0, 100),
    st.floats(100, 200_000),
    st.integers(1, 500).map(float),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(faults, max_size=4), st.integers(0, 3))
def test_nothing_is_lost_whatever_goes_wrong(load: Load, schedule: list[Fault], seed: int) -> None:
    sim = load(seed=seed, faults=schedule)
    accepted = []
    for number in range(2):
        answer = sim.http("POST", "/orders", ORDER, headers={"Idempotency-Key": f"k-{number}"}, caller="order")
        assert answer.status in (201, 500, 503)
        if answer.status == 201:
            accepted.append(answer.body["order_id"])
        sim.run_until_idle()
    assert sim.trace().lost == []
    sim.faults.clear()
    for _ in range(10):
        if not any(sim.queues.values()):
            break
        for name, messages in sim.queues.items():
            if messages:
                sim.redrive(name)
        sim.run_until_idle()
    assert not any(sim.queues.values())
    assert sim.trace().lost == []
    for order in accepted:
        assert sim.http("GET", f"/orders/{order}", caller="order").body["status"] == "DELIVERED"
    deliveries = sim.items("shop-delivery-service-deliveries")
    assert {one["order_id"]["S"] for one in deliveries} >= set(accepted)
    assert len(deliveries) <= 2
    sim.close()


def test_every_option_at_once_has_no_findings(load: Load) -> None:
    sim = load("all-features")
    assert sim.findings == []
    assert sim.system.not_simulated == ()
    (answer,) = sim.put_events(
        [
            {
                "Source": "com.example.orders",
                "DetailType": "Order.Created",
                "Detail": json.loads((ROOT / "tests" / "events" / "order-created.json").read_text())["detail"],
                "EventBusName": "arn:aws:events:eu-central-1:111111111111:event-bus/shop.events",
            }
        ],
        caller="com.example.orders",
    )["Entries"]
    assert "EventId" in answer
    trace = sim.run_until_idle()
    assert [one.data["detail_type"] for one in trace.of("put")] == ["Order.Created", "Delivery.Updated"]
    assert trace.lost == []
