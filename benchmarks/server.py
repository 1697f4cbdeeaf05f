"""What `backbone up` serves at once: many orders, and many events for a long time."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backbone import topology
from backbone.simulator import Simulator
from backbone.simulator.server import Server
from backbone.synthesis import output
from backbone.trace import Node
from benchmarks.simulator import ORDER
from benchmarks.synthesis import ROOT

ORDERS, CLIENTS = 500, 50
EVENTS = 360_000
"""As many as 100 a second are in an hour."""

BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
ENTRY = {"Source": "order-service", "DetailType": "Order.Updated", "Detail": '{"data": {}}', "EventBusName": BUS}
CALL = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"


async def post(port: int, count: int, times: list[float], failures: list[str]) -> None:
    """Post orders one after the other, each on a connection of its own."""
    body = json.dumps(ORDER).encode()
    for _ in range(count):
        began = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(CALL + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            status = (await reader.read()).split(b" ")[1].decode()
            writer.close()
        except (ConnectionError, IndexError) as error:
            failures.append(repr(error))
            continue
        if status == "201":
            times.append(time.perf_counter() - began)
        else:
            failures.append(status)


async def clients(port: int, orders: int, at_once: int) -> None:
    """Print what so many clients at once saw, as JSON; in a process of its own."""
    times: list[float] = []
    failures: list[str] = []
    began = time.perf_counter()
    await asyncio.gather(*(post(port, orders // at_once, times, failures) for _ in range(at_once)))
    print(json.dumps({"seconds": time.perf_counter() - began, "times": times, "failures": failures}))


def orders(folder: Path, count: int, at_once: int) -> Table:
    """Orders by many clients at once, after a first round that starts the processes of the functions."""
    updated: list[Node] = []

    def see(node: Node) -> None:
        if node.kind == "put" and node.data["detail_type"] == "Order.Updated":
            updated.append(node)

    table = Table("answered", "reset or refused", "a second", "p50, ms", "p99, ms", "Order.Updated a second")
    table.title = f"backbone up, {count} orders by {at_once} clients at once"
    with Simulator.load(folder, stub_authorizers=True) as sim, Server(sim, port=0) as server:
        server.on_node = see
        for _ in range(3):
            updated.clear()
            began = time.perf_counter()
            command = [
                sys.executable,
                "-m",
                "benchmarks.server",
                server.url.rpartition(":")[2],
                str(count),
                str(at_once),
            ]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            seen = json.loads(done.stdout)
            while len(updated) < count:
                time.sleep(0.01)
            whole = time.perf_counter() - began
            quantiles = statistics.quantiles(seen["times"], n=100)
            rates = (f"{len(seen['times']) / seen['seconds']:.0f}", *(f"{quantiles[at] * 1e3:.0f}" for at in (49, 98)))
            table.add_row(str(len(seen["times"])), str(len(seen["failures"])), *rates, f"{count / whole:.0f}")
    return table


def memory(folder: Path, events: int) -> Table:
    """Memory of the process while events come in as fast as they are taken."""
    table = Table("events", "memory, MB", "events a second", title="backbone up, events without functions")
    with Simulator.load(folder) as sim, Server(sim, port=0) as server:
        began = time.perf_counter()
        for number in range(0, events + 1, 10):
            if number % max(10, events // 60 // 10 * 100) == 0:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                rate = number / (time.perf_counter() - began)
                table.add_row(f"{number:,}", f"{pages * 4096 / 1e6:.0f}", f"{rate:,.0f}")
            with server.live as simulator:
                simulator.put_events([ENTRY] * 10, caller="order-service")
    return table


def main(console: Console) -> None:
    """Print all tables."""
    with tempfile.TemporaryDirectory() as folder:
        output.synth(topology.load(ROOT / "backbone.yaml"), Path(folder))
        console.print(orders(Path(folder), ORDERS, CLIENTS))
        console.print(memory(Path(folder), EVENTS))


if __name__ == "__main__":
    asyncio.run(clients(*map(int, sys.argv[1:])))
