"""The kinds of event patterns that public templates have: each can be written down, and takes what it takes on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.topology import parse

CASES = yaml.safe_load(Path(__file__).with_name("templates.yaml").read_text(encoding="utf-8"))
RELAYS, SUBSCRIPTIONS = CASES["relays"], CASES["subscriptions"]
PUBLISHED = {
    "ecommerce.orders": "Order Created",
    "com.example.billing": "invoice.changed",
    "Ordering:Main": "CDC",
}
BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
TYPES = ("Order Created", "invoice.changed", "CDC")


def document() -> dict[str, Any]:
    """A file with all of it: a service that relays, a publisher of several sources, and a service for each entry."""
    published = [{"detail_type": one, "source": source} for source in PUBLISHED for one in TYPES]
    services: dict[str, Any] = {
        "relays": {
            "account": "aws",
            "publishes": ["Relayed"],
            "receives": "none",
            "relays": {name: {"pattern": case["pattern"], "publishes": "Relayed"} for name, case in RELAYS.items()},
        },
        "publisher": {"account": "publisher", "publishes": published, "receives": "none"},
        "sink": {"account": "readers", "subscribes": ["Relayed"]},
    }
    for name, case in SUBSCRIPTIONS.items():
        services[name] = {"account": "readers", "subscribes": [case["subscribe"]]}
    ids = {"aws": "111111111111", "publisher": "222222222222", "readers": "333333333333"}
    return {
        "name": "shop",
        "region": "eu-west-1",
        "routing": "subscribed",
        "accounts": {name: {"id": account} for name, account in ids.items()},
        "bus": {"account": "aws"},
        "services": services,
    }


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    declared = parse(yaml.safe_dump(document(), sort_keys=False, allow_unicode=True))
    assert declared.warnings == ()
    folder = tmp_path_factory.mktemp("templates")
    output.synth(declared, folder)
    with Simulator.load(folder) as made:
        yield made


def delivered(sim: Simulator, events: int) -> list[set[str]]:
    """Where each of the last events came to."""
    roots = sim.run_until_idle().roots[-events:]
    return [{node.place for node in root.walk() if node.kind == "delivered"} for root in roots]


def test_nothing_is_wrong_with_them(sim: Simulator) -> None:
    assert sim.findings == []
    assert sim.system.not_simulated == ()


def test_a_relay_takes_what_its_pattern_says(sim: Simulator) -> None:
    wanted = []
    for name, case in RELAYS.items():
        given = {key: found[0] for key, found in case["pattern"].items() if key in ("source", "detail-type")}
        for is_taken in (True, False):
            for event in case["takes" if is_taken else "leaves"]:
                sim.put_aws_event({**given, **event}, account="aws")
                wanted.append((name, event, is_taken))
    for (name, event, is_taken), places in zip(wanted, delivered(sim, len(wanted)), strict=True):
        assert (f"shop-relays-relay-{name}-buffer" in places) is is_taken, (name, event)
    assert sim.trace().lost == []


def test_a_subscription_receives_what_it_says(sim: Simulator) -> None:
    wanted = []
    for name, case in SUBSCRIPTIONS.items():
        entry = case["subscribe"]
        for is_received in (True, False):
            for event in case["takes" if is_received else "leaves"]:
                source = event.get("source", entry.get("source"))
                detail_type = event.get("detail-type", entry.get("detail_type")) or PUBLISHED[source]
                put = {"Source": source, "DetailType": detail_type, "Detail": event["detail"], "EventBusName": BUS}
                (answer,) = sim.put_events([put], caller="publisher")["Entries"]
                assert "EventId" in answer, (name, answer)
                wanted.append((name, event, is_received))
    for (name, event, is_received), places in zip(wanted, delivered(sim, len(wanted)), strict=True):
        assert (f"shop-{name}" in places) is is_received, (name, event)
    assert sim.trace().lost == []
