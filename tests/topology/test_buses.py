"""Several global buses in a file: who publishes where, who receives from where, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.system.keys import Key
from backbone.system.model import Rule
from backbone.system.reader import read
from backbone.topology import TopologyError, parse

TEXT = """
name: shop
region: eu-west-1
layout: per-account
routing: subscribed
accounts:
  hub: {id: "111111111111"}
  order: {id: "222222222222"}
  delivery: {id: "333333333333"}
bus: {account: hub}
buses: {payments: {account: delivery}, mail: {account: hub}}
services:
  order:
    account: order
    buses: [global, payments]
    publishes: [Order.Created, {detail_type: Payment.Asked, bus: payments}]
    subscribes: [Payment.Taken, Mail.Sent]
  delivery:
    account: delivery
    buses: [payments, global]
    publishes: [Payment.Taken]
    subscribes: [Order.Created, Payment.Asked]
  post: {account: hub, buses: [mail, global], publishes: [Mail.Sent], receives: none}
"""
PUT = [
    ("order", "order", "Order.Created", "global", {"shop-delivery"}),
    ("order", "order", "Payment.Asked", "payments", {"shop-delivery"}),
    ("delivery", "delivery", "Payment.Taken", "payments", {"shop-order"}),
    ("hub", "post", "Mail.Sent", "mail", set()),
]
DENIED = [("order", "order", "Order.Created", "payments"), ("order", "order", "Order.Created", "mail")]


@pytest.mark.parametrize("rules", ["platform", "owner"])
@pytest.mark.parametrize("layout", ["single", "per-account"])
def test_events_go_by_the_bus_that_they_are_published_on(tmp_path: Path, layout: str, rules: str) -> None:
    topology = parse(TEXT.replace("per-account", layout) + f"rules: {rules}\n")
    output.synth(topology, tmp_path)
    assert read(tmp_path).findings == ()
    with Simulator.load(tmp_path) as sim:
        for account, source, detail_type, bus, reached in PUT:
            entry = {
                "Source": source,
                "DetailType": detail_type,
                "Detail": "{}",
                "EventBusName": topology.hubs[bus].arn,
            }
            (answer,) = sim.put_events([entry], caller=account)["Entries"]
            assert "EventId" in answer
            root = sim.run_until_idle().roots[-1]
            found = {one.place for one in root.walk() if one.kind == "delivered" and one.data["target"] == "bus"}
            assert found == reached
        for account, source, detail_type, bus in DENIED:
            entry = {"Source": source, "DetailType": detail_type, "Detail": "{}"}
            (answer,) = sim.put_events([entry | {"EventBusName": topology.hubs[bus].arn}], caller=account)["Entries"]
            assert "EventId" not in answer


def test_what_never_arrives_is_a_warning_that_names_the_bus() -> None:
    (warning,) = parse(TEXT).warnings
    assert "'Mail.Sent' is published on mail only, which the service is not on" in str(warning)


def test_functions_know_the_buses(tmp_path: Path) -> None:
    topology = parse(TEXT)
    hub = topology.elsewhere("order")
    assert {event.detail_type: bus.key for event, bus in hub.items()} == {"Payment.Asked": "payments"}
    assert topology.elsewhere("delivery") == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bus": None, "buses": {}}, "bus: is missing"),
        ({"buses": {"global": {"account": "hub"}}}, "and not global"),
        ({"buses": {"payments": {}, "mail": {"account": "hub"}}}, "buses.payments.account: is missing"),
        ({"services": {"order": {"account": "order", "buses": ["payment"]}}}, "did you mean 'payments'"),
        ({"services": {"order": {"account": "order", "buses": ["mail", "mail"]}}}, "a second time"),
        (
            {"services": {"order": {"account": "order", "publishes": [{"detail_type": "A", "bus": "mail"}]}}},
            "services.order.publishes[0].bus: got 'mail'; allowed: one of the service's buses: global",
        ),
        ({"bus": None, "services": {"order": {"account": "order"}}}, "is on no global bus, and there are several"),
        (
            {
                "services": {
                    "order": {
                        "account": "order",
                        "bus_arn": "arn:aws:events:eu-west-1:222222222222:event-bus/own",
                    }
                }
            },
            "allowed with rules: owner",
        ),
        (
            {
                "services": {
                    "order": {
                        "account": "order",
                        "bus_arn": "arn:aws:events:eu-west-1:999999999999:event-bus/own",
                    }
                }
            },
            "allowed: one in the service's own account, 222222222222",
        ),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], message: str) -> None:
    document = {key: value for key, value in (yaml.safe_load(TEXT) | change).items() if value is not None}
    with pytest.raises(TopologyError) as caught:
        parse(yaml.safe_dump(document))
    assert message in str(caught.value)


def test_a_service_that_does_not_say_its_bus_is_told_so_once() -> None:
    document = yaml.safe_load(TEXT)
    del document["bus"]
    document["services"] = {"order": {"account": "order", "publishes": [{"detail_type": "A", "bus": "mail"}]}}
    with pytest.raises(TopologyError) as caught:
        parse(yaml.safe_dump(document))
    (problem,) = caught.value.problems
    assert "there are several: mail, payments; say which, as in buses: [mail]" in problem.message


def test_a_local_bus_that_exists_is_left_alone(tmp_path: Path) -> None:
    arn = "arn:aws:events:eu-west-1:222222222222:event-bus/own"
    document = yaml.safe_load(TEXT) | {"rules": "owner"}
    document["services"]["order"]["bus_arn"] = arn
    output.synth(parse(yaml.safe_dump(document)), tmp_path)
    assert read(tmp_path).findings == ()
    stack = json.loads((tmp_path / "stacks" / "order" / "cdk.tf.json").read_text())["resource"]
    assert "aws_cloudwatch_event_bus" not in stack
    assert {one["arn"] for one in stack["aws_cloudwatch_event_target"].values()} == {arn}


def test_a_stack_of_buses_is_not_forgotten(tmp_path: Path) -> None:
    output.synth(parse(TEXT), tmp_path)
    document = yaml.safe_load(TEXT)
    del document["buses"]["payments"]
    for service in document["services"].values():
        service["buses"] = ["global"]
        service["publishes"] = ["A"]
    with pytest.raises(Exception, match="the last bus of the stack delivery_buses left the file"):
        output.synth(parse(yaml.safe_dump(document)), tmp_path)


def test_services_that_leave_an_account_of_buses_are_destroyed_by_a_stack_without_them(tmp_path: Path) -> None:
    output.synth(parse(TEXT), tmp_path)
    document = yaml.safe_load(TEXT)
    del document["services"]["delivery"]
    output.synth(parse(yaml.safe_dump(document)), tmp_path)
    stack = json.loads((tmp_path / "stacks" / "delivery" / "cdk.tf.json").read_text())
    assert stack["provider"]["aws"][0]["alias"] == "delivery"
    assert "resource" not in stack
    assert "delivery_buses" in {folder.name for folder in (tmp_path / "stacks").iterdir()}


@pytest.mark.parametrize("rules", ["platform", "owner"])
def test_nothing_is_made_in_an_account_for_a_bus_that_exists_there_and_has_rules_of_others(
    tmp_path: Path, rules: str
) -> None:
    document = yaml.safe_load(TEXT) | {"rules": rules}
    document["accounts"]["company"] = {"id": "444444444444"}
    document["buses"]["shared"] = {"arn": "arn:aws:events:eu-west-1:444444444444:event-bus/shared"}
    document["services"]["order"]["buses"].append("shared")
    output.synth(parse(yaml.safe_dump(document)), tmp_path)
    stack = json.loads((tmp_path / "stacks" / "company" / "cdk.tf.json").read_text())
    assert "resource" not in stack
    assert (tmp_path / "stacks" / "company_buses").exists() is (rules == "platform")


@pytest.mark.parametrize("layout", ["single", "per-account"])
def test_each_stack_of_an_account_has_a_key_of_its_own(tmp_path: Path, layout: str) -> None:
    output.synth(parse(TEXT.replace("per-account", layout) + "kms_key: create\n"), tmp_path)
    found = read(tmp_path)
    assert found.findings == ()
    keys = {one.arn for one in found.system.of(Key) if one.account == "delivery"}
    assert len(keys) == (2 if layout == "per-account" else 1)


def test_what_forwards_from_each_bus_belongs_to_the_service(tmp_path: Path) -> None:
    output.synth(parse(TEXT), tmp_path)
    system = read(tmp_path).system
    rules = {one.name: system.services.get(one.address) for one in system.of(Rule) if "-forward-" in one.name}
    assert rules == {
        "shop-forward-delivery": "delivery",
        "shop-forward-order": "order",
        "shop-forward-payments_delivery": "delivery",
        "shop-forward-payments_order": "order",
    }
