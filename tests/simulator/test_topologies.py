"""Whatever the file declares is what is delivered, for any backbone."""

from __future__ import annotations

import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.system.model import EventBus
from backbone.topology import Topology, parse
from backbone.topology.publications import Publication
from benchmarks.synthesis import topology_text
from tests.patterns import reference
from tests.synthesis.test_stacks import DETAILS, documents, topology


def simulated(declared: Topology) -> Simulator:
    with tempfile.TemporaryDirectory() as folder:
        output.synth(declared, Path(folder))
        return Simulator.load(folder)


def expected(declared: Topology, sender: str, detail_type: str, source: str, detail: dict[str, Any]) -> set[str]:
    """The local buses that an event is to reach."""
    event = {"detail-type": detail_type, "source": source, "detail": detail}
    found = set()
    for name, service in declared.services.items():
        wanted = any(reference.matches(one.pattern, event) for one in service.subscribes)
        on_it = declared.hub_of(sender, Publication(detail_type, source)) in declared.hubs_of(name)
        if name != sender and on_it and service.receives == "bus" and (declared.routing == "broadcast" or wanted):
            found.add(declared.local_bus(name))
    return found


def check(declared: Topology, sim: Simulator, details: list[dict[str, Any]]) -> int:
    puts = 0
    for name, service in declared.services.items():
        for event, detail in product(declared.published_by(name), details):
            (detail_type, source), hub = event, declared.hub_of(name, event)
            entry = {"Source": source, "DetailType": detail_type, "Detail": detail, "EventBusName": hub.arn}
            (result,) = sim.put_events([entry], caller=service.account)["Entries"]
            trace = sim.run_until_idle()
            root = trace.roots[-1]
            reached = {one.place for one in root.walk() if one.kind == "delivered" and one.data["target"] == "bus"}
            assert "EventId" in result
            assert reached == expected(declared, name, detail_type, source, detail)
            logs = [one.place for one in root.walk() if one.kind == "delivered" and one.data["target"] == "log"]
            logged = {hub.name, *reached} if hub.is_made else reached
            assert sorted(logs) == sorted(f"/aws/events/{one}" for one in logged)
            puts += 1
    assert sim.trace().lost == []
    assert not any(sim.queues.values())
    return puts


@settings(max_examples=15)
@given(documents())
def test_what_is_delivered_is_what_is_declared(document: dict[str, Any]) -> None:
    declared = topology(document)
    sim = simulated(declared)
    assert sim.findings == []
    assert sim.system.not_simulated == ()
    check(declared, sim, DETAILS)


@pytest.mark.parametrize("layout", ["single", "per-account"])
@pytest.mark.parametrize("routing", ["broadcast", "subscribed"])
def test_fifty_services(layout: str, routing: str) -> None:
    declared = parse(topology_text(50, layout) + f"routing: {routing}\n")
    sim = simulated(declared)
    assert sim.findings == []
    assert check(declared, sim, [{}]) == 50
    assert len(sim.system.of(EventBus)) == 51 + 51  # and the default buses
