"""Whatever goes wrong, and wherever: what was promised happens once, and what was refused does not happen.

The real handlers run in the simulated example. `BACKBONE_SCHEDULES` says how many random schedules of faults are tried.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.simulator import Fault, Simulator
from backbone.simulator.faults import CallKind, Kind
from backbone.simulator.processes import Outcome, Worker
from backbone.simulator.server import Server
from backbone.system.reader import Reading, read
from mutants.scenario import warm_functions

ORDER = {"customer": "c-1", "items": [{"sku": "tea", "quantity": 2, "price": 4.95}]}
SCHEDULES = int(os.environ.get("BACKBONE_SCHEDULES", "200"))
CALLS = (
    "shop-order-service-api/PutItem",
    "shop-order-service-api/GetItem",
    "shop-order-service-orders-outbox/PutEvents",
    "shop-delivery-service-on-event/PutItem",
    "shop-delivery-service-on-event/GetItem",
    "shop-delivery-service-on-event/UpdateItem",
    "shop-delivery-service-deliveries-outbox/PutEvents",
    "shop-order-service-on-event/UpdateItem",
)
"""Every AWS call that the handlers make when all goes well."""

CALLS_AFTER_FAILURES = (
    "shop-delivery-service-on-event/ChangeMessageVisibilityBatch",
    "shop-order-service-on-event/ChangeMessageVisibilityBatch",
    "shop-delivery-service-on-event/SendMessage",
    "shop-order-service-on-event/SendMessage",
)
DELIVERIES: tuple[Kind, ...] = ("throttle", "deny", "timeout", "crash", "duplicate", "delay", "reorder")
PLACES = ("*-buffer", "*-on-event", "*-outbox", "*-api", "shop-*-service", "shop-global", "*-orders", "*-handled")


@pytest.fixture(scope="module")
def reading(stacks: Callable[[str], Path]) -> Iterator[Reading]:
    """The example, whose functions keep their processes from schedule to schedule."""
    with warm_functions():
        yield read(stacks("single"))


class Shop:
    """The example in operation, with customers who repeat what was not answered for certain."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.promised: dict[str, str] = {}
        """The orders that were answered with 201, by the key of their request."""

    def order(self, key: str, body: dict[str, Any] = ORDER) -> int:
        """Order until the answer is certain; the status of the last answer."""
        for _attempt in range(200):
            answer = self.simulator.http("POST", "/orders", body, headers={"Idempotency-Key": key}, caller="order")
            assert answer.status in (201, 400, 409, 429, 500, 503), answer
            if answer.status == 201:
                assert self.promised.setdefault(key, answer.body["order_id"]) == answer.body["order_id"]
            if answer.status < 429:
                break
            self.simulator.run_until_idle(at_most=3)
        return answer.status

    def events(self) -> list[dict[str, Any]]:
        return self.simulator.logs["/aws/events/shop-global"]

    def check(self) -> None:
        """Let everything be tried again, and see that what was promised is so, and nothing else."""
        simulator = self.simulator
        simulator.run_until_idle()
        simulator.faults.clear()
        for _ in range(5):
            for name in [name for name, messages in simulator.queues.items() if messages]:
                for message in simulator.queues[name]:
                    assert reason(message)
                simulator.redrive(name)
            simulator.run_until_idle()
        assert {name: messages for name, messages in simulator.queues.items() if messages} == {}
        assert simulator.trace().lost == []
        orders = {item["id"]["S"]: item for item in simulator.items("shop-order-service-orders")}
        assert set(self.promised.values()) == set(orders)
        assert {item["delivery_status"]["S"] for item in orders.values()} <= {"DELIVERED"}
        deliveries = Counter(item["order_id"]["S"] for item in simulator.items("shop-delivery-service-deliveries"))
        assert deliveries == Counter(dict.fromkeys(orders, 1))
        told: dict[str, set[str]] = {}
        for event in self.events():
            told.setdefault(event["detail-type"], set()).add(
                f"{event['detail']['data']['order_id']} {event['detail']['meta']['idempotency_key']}"
            )
        for detail_type in ("Order.Created", "Delivery.Updated", "Order.Updated"):
            keys = told.get(detail_type, set())
            assert Counter(key.partition(" ")[0] for key in keys) == Counter(dict.fromkeys(orders, 1)), detail_type


def reason(message: Any) -> str:
    """Why a message is in a queue for what failed."""
    if "ERROR_CODE" in message.attributes:
        return f"{message.attributes['ERROR_CODE']} {message.attributes['ERROR_MESSAGE']}"
    body = json.loads(message.body)
    if "requestContext" in body:
        return f"{body['requestContext']['condition']} {body.get('responsePayload', {}).get('errorMessage', '')}"
    return f"received {message.receives} times"


def test_the_calls_are_those_that_are_made(reading: Reading) -> None:
    with Simulator(reading) as simulator:
        shop, faults = Shop(simulator), [Fault("call-error", "*/*", times=0)]
        simulator.faults[:] = faults
        struck: set[str] = set()
        original = Fault.strikes

        def strikes(self: Fault, kinds: tuple[Kind, ...], names: tuple[str, ...], seconds: float) -> bool:
            struck.update(name for name in names if "/" in name and name.startswith("shop-"))
            return original(self, kinds, names, seconds)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Fault, "strikes", strikes)
            assert shop.order("k") == 201
            simulator.run_until_idle()
            simulator.http("GET", f"/orders/{shop.promised['k']}", caller="order")
        assert struck == set(CALLS)


@pytest.mark.parametrize("kind", get_args(CallKind))
@pytest.mark.parametrize("call", CALLS)
def test_each_call_goes_wrong_in_each_way(reading: Reading, call: str, kind: CallKind) -> None:
    for times in (1, 9):
        fault = Fault(kind, call, times=times)
        with Simulator(reading, faults=[replace(fault)]) as simulator:
            shop = Shop(simulator)
            assert shop.order("k-1") == 201
            assert shop.order("k-1", ORDER | {"customer": "c-2"}) == 409
            assert shop.order("k-2", ORDER | {"items": []}) == 400
            shop.check()


@pytest.mark.parametrize(("operation", "skip"), [("PutItem", 0), ("GetItem", 0), ("PutItem", 1), ("UpdateItem", 0)])
def test_copies_that_come_at_once_are_worked_on_once(reading: Reading, operation: str, skip: int) -> None:
    fault = Fault("concurrent", f"shop-delivery-service-on-event/{operation}", times=1, skip=skip)
    with Simulator(reading, faults=[fault, Fault("duplicate", "*-buffer")]) as simulator:
        shop = Shop(simulator)
        shop.order("k")
        calls = simulator.run_until_idle().of("call")
        delivered = ("shop-delivery-service-deliveries", "dynamodb:PutItem")
        assert [(call.place, call.words) for call in calls].count(delivered) == 1
        assert fault.struck == 1
        shop.check()


call_faults = st.builds(
    Fault,
    st.sampled_from(get_args(CallKind)),
    st.sampled_from(CALLS + CALLS_AFTER_FAILURES),
    times=st.integers(1, 4).map(float),
    skip=st.integers(0, 4),
)
delivery_faults = st.builds(
    Fault,
    st.sampled_from(DELIVERIES),
    st.sampled_from(PLACES),
    times=st.integers(1, 6).map(float),
    skip=st.integers(0, 3),
)


@settings(max_examples=SCHEDULES)
@given(st.lists(call_faults | delivery_faults, min_size=1, max_size=5), st.integers(0, 3))
def test_any_schedule_of_faults(reading: Reading, schedule: list[Fault], seed: int) -> None:
    with Simulator(reading, seed=seed, faults=[replace(fault) for fault in schedule]) as simulator:
        shop = Shop(simulator)
        assert shop.order("k-1") == 201
        assert shop.order("k-2", ORDER | {"items": []}) == 400
        assert shop.order("k-3") == 201
        assert shop.order("k-1", ORDER | {"customer": "c-2"}) == 409
        shop.check()


class Killer:
    """Kills the processes of functions, about half of them at a time, as long as the block runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.killed: set[int] = set()
        self._workers: set[Worker] = set()
        self._stopped, self._draw = threading.Event(), random.Random(7)  # noqa: S311
        run = Worker.invoke

        def noted(worker: Worker, *given: Any, **options: Any) -> Outcome:
            self._workers.add(worker)
            return run(worker, *given, **options)

        monkeypatch.setattr(Worker, "invoke", noted)

    def kill(self, share: float) -> None:
        for process in [worker._process_id for worker in list(self._workers)]:
            if process is not None and self._draw.random() < share:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                    self.killed.add(process)

    @contextlib.contextmanager
    def at_work(self, order: Callable[[], int]) -> Iterator[None]:
        """Kill about as often as a function can begin here: less often proves little, more often ends nowhere."""
        assert order() == 201
        self.kill(1)
        began = time.monotonic()
        assert order() == 201
        longest = time.monotonic() - began

        def go_on() -> None:
            while not self._stopped.wait(self._draw.uniform(0, longest)):
                self.kill(0.5)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()


def test_functions_that_are_killed_at_any_time(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    killer, keys = Killer(monkeypatch), (f"k-{number}" for number in count())
    with Simulator(reading) as simulator:
        shop = Shop(simulator)
        with killer.at_work(lambda: shop.order(next(keys))):
            for number in range(200):
                assert shop.order(next(keys)) == 201
                simulator.run_until_idle(at_most=50)
                if number >= 12 and len(killer.killed) > 5:
                    break
        assert len(killer.killed) > 5
        shop.check()


def test_functions_that_are_killed_while_the_system_is_up(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    killer, keys = Killer(monkeypatch), (f"k-{number}" for number in count())
    with Simulator(reading, stub_authorizers=True) as simulator:
        shop, body = Shop(simulator), json.dumps(ORDER).encode()
        with Server(simulator, port=0) as server:

            def order() -> int:
                """Order over HTTP until the answer is certain."""
                key, status = next(keys), 500
                headers = {"Content-Type": "application/json", "Idempotency-Key": key}
                request = urllib.request.Request(f"{server.url}/orders", body, headers)  # noqa: S310
                while status in (429, 500, 503):
                    try:
                        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                            status, shop.promised[key] = answer.status, json.loads(answer.read())["order_id"]
                    except urllib.error.HTTPError as error:
                        status = error.code
                return status

            with killer.at_work(order):
                for number in range(200):
                    assert order() == 201
                    if number >= 12 and len(killer.killed) > 5:
                        break
        assert len(killer.killed) > 5
        shop.check()  # in simulated time: what waits for its turn need not be waited for
