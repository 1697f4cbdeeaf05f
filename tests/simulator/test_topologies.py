"""Whatever the file declares is what is delivered, for any backbone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.system.model import EventBus
from backbone.topology import Topology, parse
from backbone.trace import Node
from benchmarks.synthesis import topology_text
from tests.documents import DETAILS, Declared, Published, documents, topology


@contextmanager
def simulated(declared: Topology) -> Iterator[Simulator]:
    with tempfile.TemporaryDirectory() as folder:
        output.synth(declared, Path(folder))
        with Simulator.load(folder) as sim:
            yield sim


def delivered(root: Node, target: str) -> list[tuple[str, str]]:
    """The accounts and names of the targets of a kind that an event came to."""
    return sorted(
        (one.account, one.place) for one in root.walk() if one.kind == "delivered" and one.data["target"] == target
    )


def check(document: dict[str, Any], sim: Simulator, details: list[dict[str, Any]]) -> int:
    """Have every service publish whatever it declares, with each detail; returns how many events those are."""
    declared = Declared(document)
    puts = 0
    for name, service in declared.services.items():
        for event, detail in product(declared.published_by(name), details):
            hub = declared.hubs[event.hub]
            entry = {"Source": event.source, "DetailType": event.detail_type, "Detail": detail, "EventBusName": hub.arn}
            (result,) = sim.put_events([entry], caller=service["account"])["Entries"]
            trace = sim.run_until_idle()
            assert "EventId" in result
            check_received(declared, name, event, detail, trace.roots[-1])
            puts += 1
    assert sim.trace().lost == []
    assert not any(sim.queues.values())
    return puts


def check_received(declared: Declared, sender: str, event: Published, detail: dict[str, Any], put: Node) -> None:
    """An event is on the local buses of its receivers, not its sender's, and in the log of every bus that is made."""
    receivers = declared.receivers(sender, event, detail)
    assert delivered(put, "bus") == sorted((str(one.account), one.name) for one in receivers)
    assert declared.local_bus(sender) not in receivers
    logged = [one for one in (declared.hubs[event.hub], *receivers) if one.is_made]
    assert delivered(put, "log") == sorted((str(one.account), f"/aws/events/{one.name}") for one in logged)


@settings(max_examples=25)
@given(documents())
def test_what_is_delivered_is_what_is_declared(document: dict[str, Any]) -> None:
    with simulated(topology(document)) as sim:
        assert sim.findings == []
        assert sim.system.not_simulated == ()
        check(document, sim, DETAILS)


AWS_EVENT = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"size": 5}}


def relaying(document: dict[str, Any]) -> dict[str, str]:
    """The account of each service that relays events."""
    return {name: one["account"] for name, one in document["services"].items() if "relays" in one}


@settings(max_examples=8)
@given(documents().filter(relaying))
def test_what_is_relayed_is_delivered_as_what_the_service_publishes(document: dict[str, Any]) -> None:
    declared, services = Declared(document), relaying(document)
    account = next(iter(services.values()))
    with simulated(topology(document)) as sim:
        sim.put_aws_event(AWS_EVENT, account=account)
        root = sim.run_until_idle().roots[-1]
        puts = {node.payload["source"]: node for node in root.walk() if node.kind == "put" and node is not root}
        assert sim.trace().lost == []
    relayed = {}
    for name in (name for name, where in services.items() if where == account):
        detail_type = document["services"][name]["relays"]["uploads"]["publishes"]
        event = next(
            one
            for one in declared.published_by(name)
            if one.detail_type == detail_type and one.source == declared.source(name)
        )
        relayed[event.source] = event
        put = puts[event.source]
        assert (put.place, put.payload["detail-type"]) == (declared.hubs[event.hub].name, detail_type)
        check_received(declared, name, event, put.payload["detail"], put)
    assert puts.keys() == relayed.keys()


@pytest.mark.parametrize("layout", ["single", "per-account"])
@pytest.mark.parametrize("routing", ["broadcast", "subscribed"])
def test_fifty_services(layout: str, routing: str) -> None:
    text = topology_text(50, layout) + f"routing: {routing}\n"
    with simulated(parse(text)) as sim:
        assert sim.findings == []
        assert check(yaml.safe_load(text), sim, [{}]) == 50
        assert len(sim.system.of(EventBus)) == 51 + 51  # and the default buses
