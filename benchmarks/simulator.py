"""How fast the simulator routes, beside moto, and how long an order takes under `backbone up`."""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from rich.console import Console
from rich.table import Table

from backbone import topology
from backbone.simulator import Simulator
from backbone.simulator.server import Server
from backbone.synthesis import output
from backbone.system.model import Rule
from backbone.trace import Node
from benchmarks.patterns import each
from benchmarks.synthesis import ROOT, topology_text

SIZES = (3, 100, 1_000)
ORDERS = 100
ORDER = {"customer": "c-1", "items": [{"sku": "tea", "quantity": 2, "price": 4.95}]}
BUS = "arn:aws:events:eu-west-1:000000000001:event-bus/big-global"
ENTRY = {"Source": "s0", "DetailType": "S0.Created", "Detail": "{}", "EventBusName": BUS}


def simulator(count: int, routing: str) -> Simulator:
    """The system of so many services, each with an account of its own.

    What is loaded by then is kept out of garbage collection, as the command line does.
    """
    declared = topology.parse(topology_text(count, "single") + f"routing: {routing}\n")
    with tempfile.TemporaryDirectory() as folder:
        output.synth(declared, Path(folder))
        simulator = Simulator.load(folder)
    gc.collect()
    gc.freeze()
    return simulator


def deliveries(call: Callable[[], int], *, at_least: float = 1.0) -> tuple[float, float]:
    """Deliveries per second, and seconds per event."""
    call()
    made = calls = 0
    began = time.perf_counter()
    while (spent := time.perf_counter() - began) < at_least:
        made += call()
        calls += 1
    return made / spent, spent / calls


def ours(sim: Simulator) -> Callable[[], int]:
    """Put an event, let it arrive everywhere, and forget it."""

    def call() -> int:
        sim.put_events([ENTRY], caller="a0")
        trace = sim.run_until_idle()
        count = len(trace.of("delivered"))
        sim.forget()
        return count

    return call


def motos(client: Any, logs: Any) -> Callable[[], int]:
    """The same for moto: it delivers before it answers."""

    def call() -> int:
        client.put_events(Entries=[ENTRY | {"EventBusName": "big-global"}])
        return int(logs)

    return call


def moto_rate(sim: Simulator) -> float:
    """Deliveries per second of moto with the rules of the central bus, each with a log group as its target.

    moto does not forward to buses of other accounts, so there is one delivery for each rule.
    """
    with mock_aws():
        session: Any = boto3.Session("testing", "testing", region_name="eu-west-1")
        events, logs = session.client("events"), session.client("logs")
        events.create_event_bus(Name="big-global")
        logs.create_log_group(logGroupName="/aws/events/target")
        target = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/target"
        matching = 0
        for rule in sim.system.of(Rule):
            if rule.bus_arn != BUS or rule.pattern is None:
                continue
            pattern = rule.pattern.to_json()
            events.put_rule(Name=rule.name, EventBusName="big-global", EventPattern=pattern)
            events.put_targets(Rule=rule.name, EventBusName="big-global", Targets=[{"Id": "1", "Arn": target}])
            # moto's own account is the sender, which no rule leaves out.
            matching += rule.pattern.matches({"source": "s0", "detail-type": "S0.Created", "account": "123456789012"})
        return deliveries(motos(events, matching))[0]


def routing(console: Console) -> Table:
    """Deliveries per second for ever more services."""
    columns = ("services", "routing", "deliveries/s", "ms per event", "moto's deliveries/s", "ratio (target 20)")
    table = Table(*columns, title="Routing, without functions")
    with console.status("") as status:
        for count in SIZES:
            for kind in ("broadcast", "subscribed"):
                status.update(f"{count} services, {kind}")
                sim = simulator(count, kind)
                rate, seconds = deliveries(ours(sim))
                theirs = moto_rate(sim)
                row = (f"{count:,}", kind, f"{rate:,.0f}", f"{seconds * 1000:.2f}", f"{theirs:,.0f}")
                table.add_row(*row, f"{rate / theirs:.0f}")
    return table


def orders(folder: Path) -> Table:
    """The time of an order under `backbone up`: until 201, and until Order.Updated is on the bus."""
    accepted: list[float] = []
    updated: list[float] = []
    with Simulator.load(folder, stub_authorizers=True) as sim, Server(sim, port=0) as server:
        done: list[float] = []

        def watch(node: Node) -> None:
            if node.kind == "put" and node.data["detail_type"] == "Order.Updated":
                done.append(time.perf_counter())

        server.on_node = watch
        body = json.dumps(ORDER).encode()
        for number in range(ORDERS + 3):
            done.clear()
            request = urllib.request.Request(f"{server.url}/orders", body, {"content-type": "application/json"})  # noqa: S310
            began = time.perf_counter()
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                answer.read()
            first = time.perf_counter() - began
            while not done:
                time.sleep(0.0005)
            if number >= 3:  # the first start the functions
                accepted.append(first * 1000)
                updated.append((done[0] - began) * 1000)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = Table("an order", "p50, ms", "p95, ms", title=f"backbone up, {ORDERS} orders one after the other")
    for name, times in (("POST /orders to 201", accepted), ("to Order.Updated", updated)):
        table.add_row(name, f"{statistics.median(times):.1f}", f"{statistics.quantiles(times, n=20)[-1]:.1f}")
    table.add_row("memory of the simulator", f"{memory:.0f} MB", "")
    return table


def starts(folder: Path) -> Table:
    """How long the beginning takes."""
    table = Table("start", "seconds")
    table.add_row("Simulator.load of the example", f"{each(lambda: Simulator.load(folder)):.4f}")
    command = [str(Path(sys.executable).parent / "backbone"), "simulate", "-s", str(folder), "--stub-authorizers"]
    command += ["--post", "/orders", json.dumps(ORDER)]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    table.add_row("backbone simulate --post, whole process", f"{statistics.median(times):.2f}")
    began = time.perf_counter()
    subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, check=True, env=os.environ)
    table.add_row("make demo (target under 10)", f"{time.perf_counter() - began:.2f}")
    return table


def main(console: Console) -> None:
    """Print all tables."""
    console.print(routing(console))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        output.synth(topology.load(ROOT / "backbone.yaml"), folder)
        console.print(orders(folder))
        console.print(starts(folder))
