"""Confidential events: whole for whoever receives them, without their detail in every log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.simulator import Fault, Simulator
from backbone.synthesis import output
from backbone.topology import parse
from tests.conftest import EXAMPLES
from tests.simulator.conftest import ORDER, put

BUSES = ("shop-global", "shop-order-service", "shop-delivery-service")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, of which orders and all that the delivery service says are confidential."""
    text = (
        EXAMPLES["single"]
        .read_text()
        .replace("module: services.delivery", "module: services.delivery\n    confidential: true")
    )
    folder = tmp_path_factory.mktemp("confidential")
    output.synth(parse(text + "confidential: [Order.Created]\n"), folder)
    return folder


@pytest.fixture
def sim(folder: Path) -> Iterator[Simulator]:
    with Simulator.load(folder) as sim:
        yield sim


def logged(sim: Simulator) -> dict[str, list[Any]]:
    return {bus: sim.logs[f"/aws/events/{bus}"] for bus in BUSES}


def test_an_order_goes_its_way_and_no_log_of_a_bus_has_its_detail(sim: Simulator) -> None:
    assert sim.findings == []
    assert sim.http("POST", "/orders", ORDER, caller="order-service").status == 201
    trace = sim.run_until_idle()
    assert [node.data["detail_type"] for node in trace.of("put")] == [
        "Order.Created",
        "Delivery.Updated",
        "Order.Updated",
    ]
    (order, delivery, updated) = logged(sim)["shop-global"]
    assert order.startswith("Order.Created of order-service, account 222222222222, id ")
    assert order.endswith(": confidential")
    assert delivery.startswith("Delivery.Updated of delivery-service, account 333333333333, id ")
    assert updated["detail"]["data"]["status"] == "DELIVERED"
    assert "c-1" not in json.dumps(logged(sim))
    assert {bus: len(entries) for bus, entries in logged(sim).items()} == {
        "shop-global": 3,
        "shop-order-service": 1,
        "shop-delivery-service": 2,
    }


def test_an_event_that_is_not_confidential_is_logged_once_and_whole(sim: Simulator) -> None:
    put(sim, "order-service", "Order.Updated", Detail={"a": 1})
    sim.run_until_idle()
    (entry,) = logged(sim)["shop-global"]
    assert entry["detail"] == {"a": 1}


def test_a_confidential_event_that_cannot_be_logged_is_in_a_queue_as_a_whole(folder: Path) -> None:
    with Simulator.load(folder, faults=[Fault("deny", "/aws/events/shop-global")]) as sim:
        put(sim, "order-service", "Order.Created", Detail={"customer": "c-1"})
        sim.run_until_idle()
        assert logged(sim)["shop-global"] == []
        (message,) = sim.queues["shop-global-log-confidential-dead-letters"]
        assert json.loads(message.body)["detail"] == {"customer": "c-1"}
