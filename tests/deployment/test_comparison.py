"""What a change of the file means in events and resources, without a plan."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.deployment.comparison import Comparison, compare
from backbone.manifest import FILE_NAME
from backbone.synthesis import output
from backbone.topology import load, parse
from tests.conftest import ROOT, TOPOLOGIES

BASE = yaml.safe_load("""
name: shop
region: eu-west-1
accounts:
  bus: {id: "111111111111"}
  order: {id: "222222222222"}
  delivery: {id: "333333333333"}
  billing: {id: "444444444444"}
bus: {account: bus}
services:
  order: {account: order, publishes: [Order.Created]}
  delivery: {account: delivery, publishes: [Delivery.Updated], subscribes: [Order.Created]}
  billing: {account: billing, subscribes: [Order.Created]}
tags: {team: platform}
""")
CASES = yaml.safe_load(Path(__file__).with_name("comparisons.yaml").read_text())


def changed(document: Any, changes: dict[str, Any]) -> Any:
    found = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, key = path.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
        if value is None:
            del place[key]
    return found


def synthesized(document: Any, folder: Path) -> Path:
    output.synth(parse(yaml.safe_dump(document)), folder)
    return folder


def compared(before: Any, after: Any, folder: Path) -> Comparison:
    return compare(synthesized(before, folder / "before"), synthesized(after, folder / "after"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_a_change_means(case: dict[str, Any], tmp_path: Path) -> None:
    before = changed(BASE, case.get("before", {}))
    found = compared(before, changed(before, case["change"]), tmp_path)
    assert {who: list(words) for who, words in found.words.items()} == case["words"]
    assert found.is_empty is not bool(case["words"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_way_back_is_the_opposite(case: dict[str, Any], tmp_path: Path) -> None:
    before = changed(BASE, case.get("before", {}))
    found = compared(changed(before, case["change"]), before, tmp_path)
    opposite = {"starts": "stops", "stops": "starts", "now": "no longer", "creates": "deletes", "deletes": "creates"}
    words = [
        " ".join(opposite.get(word, word) for word in line.replace("no longer", "now").split()) for line in flat(found)
    ]
    expected = [
        line.replace("may now", "may no longer") for lines in case.get("back", case["words"]).values() for line in lines
    ]
    assert sorted(words) == sorted(expected)


def flat(found: Comparison) -> list[str]:
    return [line for lines in found.words.values() for line in lines]


def test_resources_are_told_by_stack_service_and_argument(tmp_path: Path) -> None:
    found = compared(BASE, changed(BASE, {"services.order.log_retention_days": 30, "bus.archive_days": 0}), tmp_path)
    gone, changes = sorted(found.as_json()["changes"], key=lambda change: str(change["action"]))
    assert (gone["action"], gone["service"], gone["arguments"]) == ("delete", "global bus", {})
    assert (changes["stack"], changes["service"]) == ("backbone", "order")
    assert changes["resource"].startswith("aws_cloudwatch_log_group.services_order_bus_log-group_")
    assert changes["arguments"] == {"retention_in_days": {"before": 7, "after": 30}}
    assert found.counts == {"delete": 1, "update": 1}


def test_another_order_of_a_policys_keys_is_no_change(tmp_path: Path) -> None:
    before, after = (synthesized(BASE, tmp_path / name) for name in ("before", "after"))
    file = after / "stacks" / "backbone" / "cdk.tf.json"
    document = json.loads(file.read_text())
    (policy,) = [
        body
        for name, body in document["resource"]["aws_cloudwatch_event_bus_policy"].items()
        if name.startswith("global")
    ]
    policy["policy"] = json.dumps(dict(reversed(json.loads(policy["policy"]).items())))
    file.write_text(json.dumps(document))
    assert compare(before, after).is_empty


def test_the_code_of_a_function(tmp_path: Path) -> None:
    before, after = (tmp_path / name for name in ("before", "after"))
    topology = load(ROOT / "backbone.yaml")
    for folder in (before, after):
        output.synth(topology, folder)
    file = after / "stacks" / "backbone" / "cdk.tf.json"
    document = json.loads(file.read_text())
    for name, body in document["resource"]["aws_lambda_function"].items():
        body["source_code_hash"] = "other" if "on-event" in name and "order" in name else body["source_code_hash"]
    file.write_text(json.dumps(document))
    assert compare(before, after).words == {"order-service": ["shop-order-service-on-event gets new code", "updates 1"]}


def test_environments_differ_in_what_they_say_alone(tmp_path: Path) -> None:
    """They have other accounts, another name and another layout; some names are parts of others."""
    file = TOPOLOGIES / "environments.yaml"
    for name in ("dev", "prod"):
        output.synth(load(file, environment=name), tmp_path / name)
    found = compare(tmp_path / "dev", tmp_path / "prod")
    arguments = {(change["service"], *change["arguments"]) for change in found.as_json()["changes"]}
    assert arguments == {
        ("delivery-service", "retention_in_days"),
        ("delivery-service", "retry_policy"),
        ("global bus", "retention_days"),
        ("global bus", "retention_in_days"),
        ("global bus", "retry_policy"),
        ("order-service", "deletion_protection_enabled"),
        ("order-service", "retention_in_days"),
        ("order-service", "retry_policy"),
    }
    assert not [line for line in flat(found) if "receiving" in line or "publish" in line]
    assert found.words["account bus"] == ["the provider changes: assume_role, default_tags, profile"]


@pytest.mark.parametrize("name", ["order", "s", "shop-order", "order-dev"])
def test_environments_of_any_name_are_the_same_where_nothing_else_differs(name: str, tmp_path: Path) -> None:
    ids = [{key: {"id": f"{start}{account['id'][1:]}"} for key, account in BASE["accounts"].items()} for start in "98"]
    environments = {
        "dev": {"name": f"{name}-dev", "accounts": dict(reversed(ids[0].items())), "region": "us-east-1"},
        "prod": {"name": name, "accounts": ids[1]},
    }
    text = yaml.safe_dump(BASE | {"environments": environments})
    for environment in environments:
        output.synth(parse(text, environment=environment), tmp_path / environment)
    assert compare(tmp_path / "dev", tmp_path / "prod").is_empty


def test_an_environment_with_other_events(tmp_path: Path) -> None:
    said = {"name": "shop-dev", "changes_events": True, "services": {"billing": {"subscribes": ["Delivery.Updated"]}}}
    text = yaml.safe_dump(BASE | {"environments": {"dev": said, "prod": {}}})
    for environment in ("dev", "prod"):
        output.synth(parse(text, environment=environment), tmp_path / environment)
    assert compare(tmp_path / "dev", tmp_path / "prod").words == {
        "billing": [
            "billing stops receiving Delivery.Updated from delivery",
            "billing starts receiving Order.Created from order",
        ]
    }


def test_stacks_without_a_manifest(tmp_path: Path) -> None:
    before, after = synthesized(BASE, tmp_path / "before"), synthesized(BASE, tmp_path / "after")
    for folder in (before, after):
        (folder / FILE_NAME).unlink()
    assert compare(before, after).is_empty


def test_who_sends_is_who_is_declared_where_the_policy_admits_the_whole_organization(tmp_path: Path) -> None:
    """60 accounts: the bus's policy names neither sources nor detail-types, so that anybody may publish anything."""
    numbers = range(60)
    accounts = {f"a{number}": {"id": f"{500000000000 + number}"} for number in numbers}
    services = {
        f"s{number}": {"account": f"a{number}", "publishes": [f"Event{number}.Made"], "subscribes": ["Order.Created"]}
        for number in numbers
    }
    before = {
        **BASE,
        "layout": "per-account",
        "routing": "subscribed",
        "organization_id": "o-a1b2c3d4e5",
        "accounts": BASE["accounts"] | accounts,
        "services": BASE["services"] | services,
    }
    after = changed(before, {"services.s3.subscribes": ["Order.Created", "Event7.Made"]})
    found = compared(before, after, tmp_path)
    assert found.words == {"s3": ["s3 starts receiving Event7.Made from s7", "updates 1"]}
