"""A global bus that exists: what is made for it, and that events flow over it once its owner did what is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone import manifest
from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import Topology, parse
from tests.cli.command import BACKBONE, run
from tests.simulator.test_topologies import check
from tests.synthesis import resources, synthesize

ARN = "arn:aws:events:eu-west-1:999999999999:event-bus/company"
TEXT = f"""
name: shop
region: eu-west-1
layout: LAYOUT
routing: subscribed
kms_key: create
accounts: {{order: {{id: "222222222222"}}, delivery: {{id: "333333333333"}}MORE}}
bus: {{arn: "{ARN}"}}
services:
  orders: {{account: order, publishes: [Order.Created], subscribes: [Delivery.Updated, Price.Changed]}}
  delivery:
    account: delivery
    publishes: [Delivery.Updated]
    subscribes: [{{detail_type: Order.Created, detail: {{n: [1]}}}}]
  prices: {{account: delivery, publishes: [{{detail_type: Price.Changed, source: catalog}}], receives: none}}
"""
DETAILS: list[dict[str, Any]] = [{"n": 1}, {"n": 2}]
OURS = ', hub: {id: "999999999999"}'


def text(layout: str = "per-account", *, ours: bool = False) -> str:
    return TEXT.replace("LAYOUT", layout).replace("MORE", OURS if ours else "")


def declared(layout: str = "per-account", *, ours: bool = False) -> Topology:
    return parse(text(layout, ours=ours))


@pytest.mark.parametrize("layout", ["single", "per-account"])
@pytest.mark.parametrize("ours", [False, True])
def test_what_is_delivered_is_what_is_declared(tmp_path: Path, layout: str, ours: bool) -> None:
    topology = declared(layout, ours=ours)
    assert topology.warnings == ()
    output.synth(topology, tmp_path)
    assert read(tmp_path).findings == ()
    with Simulator.load(tmp_path) as sim:
        assert check(yaml.safe_load(text(layout, ours=ours)), sim, DETAILS) == 6


@pytest.mark.parametrize("ours", [False, True])
def test_nothing_of_the_bus_is_made_but_rules(tmp_path: Path, ours: bool) -> None:
    stacks = synthesize(declared(ours=ours), tmp_path)
    made = resources(stacks)
    assert not [one for one in made if one.path.startswith("global-bus")]
    assert ARN not in {one.body.get("event_source_arn") for one in made}
    buses = {one.body["name"] for one in made if one.kind == "aws_cloudwatch_event_bus"}
    assert buses == {"shop-orders", "shop-delivery"}
    rules = [one for one in made if one.kind == "aws_cloudwatch_event_rule" and one.path.startswith("forwarding")]
    assert {one.account for one in rules} == ({"hub"} if ours else {"order", "delivery"})
    policies = {one.path for one in made if one.kind == "aws_cloudwatch_event_bus_policy"}
    assert policies == ({f"services/{name}/bus/policy" for name in ("orders", "delivery")} if ours else set())


def test_the_owner_is_told_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "backbone.yaml").write_text(TEXT.replace("LAYOUT", "per-account").replace("MORE", ""))
    printed, advice = run(BACKBONE, "bus-policy", folder=tmp_path)
    statements = json.loads(printed)
    assert f"have the owner of {ARN} add these statements to its policy" in advice
    stacks = synthesize(declared(), tmp_path / "out")
    written = [
        one
        for stack in stacks.values()
        for one in json.loads(stack["output"]["global_bus_policy"]["value"])["Statement"]
    ]
    assert sorted(written, key=lambda one: str(one["Sid"])) == sorted(statements, key=lambda one: str(one["Sid"]))
    assert {one["Sid"] for one in statements} == {
        *("Account222222222222", "Account333333333333", "Account333333333333Source2"),
        *("Rules222222222222", "Rules333333333333"),
    }
    found = manifest.read(tmp_path / "out").global_bus
    assert (found.account, found.arn) == (None, ARN)


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (lambda statements: [one for one in statements if one["Sid"] != "Rules222222222222"], "BB720"),
        (lambda statements: [one for one in statements if one["Sid"] != "Account222222222222"], "BB706"),
    ],
)
def test_what_the_owner_leaves_out_is_found(
    tmp_path: Path, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], rule: str
) -> None:
    output.synth(declared(), tmp_path)
    found = manifest.read(tmp_path)
    policy = json.loads(str(found.global_bus.policy))
    policy["Statement"] = edit(policy["Statement"])
    bus = found.global_bus.model_copy(update={"policy": json.dumps(policy)})
    manifest.write(found.model_copy(update={"global_bus": bus}), tmp_path)
    assert rule in {finding.rule for finding in read(tmp_path).findings}


@pytest.mark.parametrize("layout", ["single", "per-account"])
def test_a_service_that_receives_on_its_default_bus(tmp_path: Path, layout: str) -> None:
    written = TEXT.replace("LAYOUT", layout).replace("MORE", OURS).replace(f'{{arn: "{ARN}"}}', "{account: hub}")
    written = written.replace("{account: order,", "{account: order, bus_name: default,") + "rules: owner\n"
    topology = parse(written)
    output.synth(topology, tmp_path)
    assert read(tmp_path).findings == ()
    documents = [json.loads(file.read_text()) for file in tmp_path.glob("stacks/*/cdk.tf.json")]
    buses = [one["name"] for each in documents for one in each["resource"].get("aws_cloudwatch_event_bus", {}).values()]
    assert sorted(buses) == ["shop-delivery", "shop-global"]
    bus, place = topology.main.arn, topology.place("order")
    with Simulator.load(tmp_path) as sim:
        entry = {"Source": "delivery", "DetailType": "Delivery.Updated", "Detail": "{}", "EventBusName": bus}
        sim.put_events([entry], caller="delivery")
        trace = sim.run_until_idle()
        reached = [one for one in trace.roots[-1].walk() if one.kind == "delivered" and one.data["target"] == "bus"]
        assert [(one.place, one.account) for one in reached] == [("default", "order")]
        assert trace.lost == []
    assert manifest.read(tmp_path).services["orders"].local_bus == place.bus("default")
