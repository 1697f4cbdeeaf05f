"""What is run in an edited system: days of schedules, an order and events with the real handlers, then failures."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from backbone.simulator import Simulator, awslambda
from backbone.simulator.faults import Fault
from backbone.simulator.processes import Call, Worker
from backbone.system.http_model import HttpApi
from backbone.system.model import Archive, EventBus, Function, LogGroup, Queue, Resource, System
from backbone.system.reader import Reading
from backbone.system.scheduler import ScheduledCall
from backbone.trace import Node
from mutants.bases import ORDER, Base, Entry, delivery_updated

__all__ = ["Happened", "problem", "run", "warm_functions"]

Happened = Counter[tuple[str, str, str, str]]
"""How often something happened: in which part of the scenario, what, where, and to which type of event."""

BAD = ("denied", "refused", "failed", "lost", "dropped", "dead-lettered", "rejected", "http-error")
"""What is to be noticed when it happens more often than in the system without the edit."""

RUNS = count(1)
"""Functions outlive the run that started them, and remember what they handled: each run has ids and keys of its own."""

WANTED = ("put", "archived", "delivered", "dead-lettered", "rejected", "answered")
"""What is to be noticed when it happens less often."""


WATCHED_SECONDS = 600
"""How long a part without faults goes on: a function whose code breaks is tried again for a day, in real processes."""


SCHEDULED = "Scheduled Event"
DAYS_SECONDS = 3 * 24 * 3600
"""How long schedules are watched. A call may come late, so how many there are is chance; that there is one is not."""


def problem(expected: Happened, happened: Happened) -> str | None:
    """What went wrong that does not in the system without the edit, in a few words; None when nothing did."""
    more = [event for event in happened - expected if event[1] in BAD]
    missing = [event for event in expected - happened if event[1] in WANTED]
    if more:
        return " ".join(more[0])
    return f"{' '.join(missing[0])} is missing" if missing else None


def run(base: Base, reading: Reading) -> Happened:
    """What happens in a system, part by part."""
    happened: Happened = Counter()
    number = next(RUNS)
    with Simulator(reading, seed=number) as simulator:
        if simulator.system.of(ScheduledCall):
            trace = simulator.run_until_idle(at_most=DAYS_SECONDS)
            happened.update({("days pass", *_event(node, simulator.system)) for node in trace})
            simulator.forget()
        for part, faults in _parts(simulator.system).items():
            simulator.faults[:] = faults
            if part == "healthy" and base.orders:
                _order(simulator, base, f"k-{number}")
            else:
                if part == "healthy":
                    _ask(simulator, base)
                _put(simulator, base.bus, _as_new(base.entries, f"{part}-{number}"), malformed=part == "malformed")
                for account, event in base.arising:
                    simulator.put_aws_event(event, account=account)
            trace = simulator.run_until_idle(at_most=math.inf if faults else WATCHED_SECONDS)
            told = (node for node in trace if node.data.get("detail_type") != SCHEDULED)
            happened.update((part, *_event(node, simulator.system)) for node in told)
            simulator.forget()
    return happened


def _parts(system: System) -> dict[str, list[Fault]]:
    """What is made to fail in each part, so that every dead-letter and failure queue is used."""
    to_buses = [target for target in system.targets if system.get(EventBus, target.arn)]
    others = [target for target in system.targets if target not in to_buses]
    return {
        "healthy": [],
        "malformed": [],
        "functions fail": [Fault("timeout", function.address) for function in system.of(Function)],
        "targets deny": [Fault("deny", target.address) for target in others],
        "buses deny": [Fault("deny", target.address) for target in to_buses],
    }


def _as_new(entries: Sequence[Entry], key: str) -> list[Entry]:
    """Entries under an idempotency key that no function has handled before."""
    return [
        replace(entry, detail={**entry.detail, "meta": {**entry.detail["meta"], "idempotency_key": key}})
        for entry in entries
    ]


def _order(simulator: Simulator, base: Base, key: str) -> None:
    """Post an order twice, follow it to its delivery, tell of an older state of it, and read it."""
    headers = {"Idempotency-Key": key}
    answer = simulator.http("POST", "/orders", ORDER, headers=headers, caller=base.orders)
    simulator.run_until_idle(at_most=WATCHED_SECONDS)
    simulator.http("POST", "/orders", ORDER, headers=headers, caller=base.orders)
    order_id = answer.body.get("order_id", "none") if isinstance(answer.body, dict) else "none"
    late = replace(base.entries[-1], detail=delivery_updated(order_id, sequence=0))
    _put(simulator, base.bus, _as_new([late], f"late-{key}"), malformed=False)
    simulator.run_until_idle(at_most=WATCHED_SECONDS)
    simulator.http("GET", f"/orders/{order_id}", caller=base.orders)
    simulator.http("GET", "/health", caller=base.orders)


def _ask(simulator: Simulator, base: Base) -> None:
    """Call the API, and make the requests to services of AWS."""
    for call in base.calls:
        simulator.http(**call)
    for account, service, operation, body in base.requests:
        headers = {"X-Amz-Target": operation, "Content-Type": "application/x-amz-json-1.0"}
        url = f"https://{service}.eu-west-1.amazonaws.com/"
        simulator.call(simulator.identity(account), Call("POST", url, headers, json.dumps(body).encode()))


def _put(simulator: Simulator, bus: str, entries: Sequence[Entry], *, malformed: bool) -> None:
    for entry in entries:
        detail = {} if malformed else entry.detail
        given = {
            "EventBusName": entry.bus or bus,
            "Source": entry.source,
            "DetailType": entry.detail_type,
            "Detail": detail,
        }
        simulator.put_events([given], caller=entry.account)


PLACES: Mapping[str, type[Resource]] = {
    "archived": Archive,
    "bus": EventBus,
    "dead-lettered": Queue,
    "failed": Function,
    "function": Function,
    "log": LogGroup,
    "put": EventBus,
    "queue": Queue,
    "rejected": Queue,
    "returned": HttpApi,
}
"""What the place of a node is, by the kind of the node or of the target."""


def _event(node: Node, system: System) -> tuple[str, str, str]:
    """What happened, where by its address, since a name may be the edit, and to which type of event."""
    kind = PLACES.get(str(node.data.get("target", node.kind)))
    found = (resource for resource in system.of(kind) if node.place == resource.name) if kind else iter(())
    place = next((resource.address for resource in found if resource.account == node.account), node.place)
    if node.kind == "returned":
        status = int(node.data["status"])
        return "http-error" if status >= 400 else "answered", place, str(status)
    return node.kind, place, str(node.data.get("detail_type", ""))


class _Warm(Worker):
    """A function's process that outlives the simulator that started it."""

    def close(self) -> None:
        """Leave it to the next simulator."""

    def end(self) -> None:
        """End it."""
        super().close()


class _WarmFunctions:
    """The processes of the functions that ran last, each with its code, environment and context."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._workers: OrderedDict[str, _Warm] = OrderedDict()

    def __call__(self, code: Path, handler: str, environment: Mapping[str, str], **options: Any) -> _Warm:
        key = json.dumps([str(code), handler, dict(environment), options], sort_keys=True)
        if key not in self._workers:
            self._workers[key] = _Warm(code, handler, environment, **options)
        self._workers.move_to_end(key)
        while len(self._workers) > self._count:
            self._workers.popitem(last=False)[1].end()
        return self._workers[key]

    def end(self) -> None:
        """End all."""
        for worker in self._workers.values():
            worker.end()
        self._workers.clear()


@contextmanager
def warm_functions(count: int = 12) -> Iterator[None]:
    """While this holds, simulators share the processes of functions that are alike, so many at most."""
    warm = _WarmFunctions(count)
    with patch.object(awslambda, "Worker", warm):
        try:
            yield
        finally:
            warm.end()
