"""The stacks against what was declared: each way in which they can part is a finding."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone import manifest
from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import parse
from tests.conftest import EXAMPLES, example

Resources = dict[str, dict[str, dict[str, Any]]]
Edit = Callable[[Resources], object]


@pytest.fixture(scope="module")
def synthesized_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("declared")
    output.synth(example("single"), folder)
    return folder


def only(resources: Resources, kind: str, start: str) -> dict[str, Any]:
    (found,) = [body for name, body in resources[kind].items() if name.startswith(start)]
    return found


def policy(start: str, before: str, after: str) -> Edit:
    """Replace something in a bus's policy."""

    def edit(resources: Resources) -> None:
        body = only(resources, "aws_cloudwatch_event_bus_policy", start)
        assert before in body["policy"]
        body["policy"] = body["policy"].replace(before, after)

    return edit


def pattern(start: str, text: str) -> Edit:
    def edit(resources: Resources) -> None:
        only(resources, "aws_cloudwatch_event_rule", start)["event_pattern"] = text

    return edit


def remove(kind: str, start: str) -> Edit:
    def edit(resources: Resources) -> None:
        (name,) = [name for name in resources[kind] if name.startswith(start)]
        del resources[kind][name]

    return edit


CASES: dict[str, tuple[Edit, str, str]] = {
    "the hub": (remove("aws_cloudwatch_event_bus", "global-bus"), "BB701", "no stack makes the global bus"),
    "the forwarding target": (
        remove("aws_cloudwatch_event_target", "forwarding_delivery"),
        "BB702",
        "delivery-service is declared to receive Order.Created from order-service, and no rule of shop-global forwards",
    ),
    "the forwarding rule is off": (
        lambda resources: only(resources, "aws_cloudwatch_event_rule", "forwarding_order").update(state="DISABLED"),
        "BB702",
        "order-service is declared to receive Delivery.Updated from delivery-service",
    ),
    "the forwarding pattern matches nothing": (
        pattern("forwarding_delivery", '{"source":["nobody"]}'),
        "BB702",
        "delivery-service is declared to receive Order.Created",
    ),
    "the consumer's pattern matches nothing": (
        pattern("services_delivery-service_orders", '{"detail-type":["Order.Creatd"]}'),
        "BB703",
        "no rule of its local bus hands it to anything",
    ),
    "events go back": (
        pattern("forwarding_order", '{"source":[{"prefix":""}]}'),
        "BB704",
        "events of order-service are forwarded back to order-service",
    ),
    "a rule that nobody declared": (
        lambda resources: only(resources, "aws_cloudwatch_event_target", "forwarding_order").update(
            arn="arn:aws:events:eu-west-1:444444444444:event-bus/other"
        ),
        "BB705",
        "forwards to arn:aws:events:eu-west-1:444444444444:event-bus/other, the bus of no declared service",
    ),
    "a publisher shut out": (
        policy("global", '"Order.Updated"', '"Order.Updatd"'),
        "BB706",
        "order-service is declared to publish Order.Updated",
    ),
    "a source that is not pinned": (
        policy("global", '"delivery-service"', '["delivery-service","order-service"]'),
        "BB707",
        "the account delivery can publish under order-service, the source of order-service",
    ),
    "a stranger on the hub": (
        policy("global", '"Principal":{"AWS":"arn:aws:iam::222222222222:root"}', '"Principal":"*"'),
        "BB708",
        "lets anybody put events on shop-global",
    ),
    "a stranger on a local bus": (
        policy("services_delivery", '"ArnEquals"', '"ArnNotEquals"'),
        "BB708",
        "put events on shop-delivery-service",
    ),
    "a route for everyone": (
        lambda resources: only(
            resources, "aws_apigatewayv2_route", "services_order-service_http-api_route-get-orders"
        ).update(authorization_type="NONE"),
        "BB407",
        "asks nobody who calls, and no module made it so",
    ),
    "a route that is no longer for everyone": (
        lambda resources: only(
            resources, "aws_apigatewayv2_route", "services_order-service_http-api_route-get-health"
        ).update(authorization_type="AWS_IAM"),
        "BB408",
        "asks for AWS_IAM, and its module lets anyone call it",
    ),
    "the log": (
        remove("aws_cloudwatch_event_target", "services_order-service_bus_log"),
        "BB709",
        "no rule of shop-order-service logs every event",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_where_the_stacks_part_from_what_was_declared(synthesized_folder: Path, tmp_path: Path, name: str) -> None:
    edit, rule, words = CASES[name]
    document = json.loads((synthesized_folder / "stacks" / "backbone" / "cdk.tf.json").read_text())
    edit(document["resource"])
    folder = tmp_path / "out"
    (folder / "stacks" / "backbone").mkdir(parents=True)
    (folder / "stacks" / "backbone" / "cdk.tf.json").write_text(json.dumps(document))
    (folder / "backbone.json").write_bytes((synthesized_folder / "backbone.json").read_bytes())
    messages = [finding.message for finding in read(folder).findings if finding.rule == rule]
    assert any(words in message for message in messages), [str(each) for each in read(folder).findings]


def test_a_log_of_confidential_events_that_is_gone(tmp_path: Path) -> None:
    text = EXAMPLES["single"].read_text() + "confidential: [Order.Created]\n"
    output.synth(parse(text), tmp_path)
    assert read(tmp_path).findings == ()
    file = tmp_path / "stacks" / "backbone" / "cdk.tf.json"
    document = json.loads(file.read_text())
    remove("aws_cloudwatch_event_target", "global-bus_confidential-log")(document["resource"])
    file.write_text(json.dumps(document))
    found = [finding.message for finding in read(tmp_path).findings if finding.rule == "BB709"]
    assert found == ["no rule of shop-global logs Order.Created of order-service"]


def test_code_that_synth_did_not_pack(tmp_path: Path) -> None:
    output.synth(example("single"), tmp_path)
    stack = tmp_path / "stacks" / "backbone"
    with zipfile.ZipFile(stack / "assets" / "order-service.zip", "a") as archive:
        archive.writestr("more.py", "")
    digest = base64.b64encode(hashlib.sha256((stack / "assets" / "order-service.zip").read_bytes()).digest()).decode()
    document = json.loads((stack / "cdk.tf.json").read_text())
    for function in document["resource"]["aws_lambda_function"].values():
        if "order-service" in function["filename"]:
            function["source_code_hash"] = digest
    (stack / "cdk.tf.json").write_text(json.dumps(document))
    found = {(finding.rule, finding.message) for finding in read(tmp_path).findings}
    assert found == {("BB318", "order-service.zip has other code than synth packed into it")}


def test_a_target_that_is_not_simulated_is_a_note(tmp_path: Path) -> None:
    output.synth(example("single"), tmp_path)
    file = tmp_path / "stacks" / "backbone" / "cdk.tf.json"
    document = json.loads(file.read_text())
    topic = "arn:aws:sns:eu-west-1:333333333333:orders"
    only(document["resource"], "aws_cloudwatch_event_target", "services_delivery-service_orders")["arn"] = topic
    file.write_text(json.dumps(document))
    found = [(finding.severity, finding.message) for finding in read(tmp_path).findings]
    assert found == [("note", f"not simulated: what becomes of events in {topic}")]


def test_nothing_parts_in_the_example(synthesized_folder: Path) -> None:
    assert read(synthesized_folder).findings == ()


@pytest.mark.parametrize(
    ("kind", "start", "argument", "value", "rule", "words"),
    [
        (
            "aws_cloudwatch_event_rule",
            "forwarding_order-service",
            "event_pattern",
            '{"source": ["billing", "delivery-service"]}',
            "BB710",
            "",
        ),
        (
            "aws_cloudwatch_event_rule",
            "forwarding_billing",
            "event_pattern",
            '{"source": ["com.example.orders"]}',
            "BB710",
            "forwards Order.Updated of com.example.orders to billing, which does not subscribe to it",
        ),
        ("aws_sqs_queue", "forwarding_billing", "kms_master_key_id", None, "BB711", "got none; declared for bus"),
        (
            "aws_cloudwatch_event_target",
            "global-bus_confidential-log",
            "input_transformer",
            None,
            "BB712",
            "logs the detail of Invoice.Paid of billing, which is declared confidential",
        ),
        (
            "aws_cloudwatch_event_target",
            "global-bus_confidential-log",
            "input_transformer",
            {"input_paths": {"all": "$.detail.amount"}, "input_template": '{"message": "<all>"}'},
            "BB712",
            "logs the detail of Invoice.Paid of billing",
        ),
    ],
)
def test_where_a_system_with_keys_parts_from_what_was_declared(
    tmp_path: Path, kind: str, start: str, argument: str, value: Any, rule: str, words: str
) -> None:
    output.synth(example("all-features"), tmp_path)
    file = tmp_path / "stacks" / "bus" / "cdk.tf.json"
    document = json.loads(file.read_text())
    only(document["resource"], kind, start)[argument] = value
    file.write_text(json.dumps(document))
    messages = [finding.message for finding in read(tmp_path).findings if finding.rule == rule]
    assert any(words in message for message in messages) is bool(words), messages


def filtered(detail: Any, folder: Path) -> dict[str, Any]:
    """The stack of the example, routed by subscriptions, where deliveries are for some orders only."""
    file = yaml.safe_load(EXAMPLES["single"].read_text()) | {"routing": "subscribed"}
    file["services"]["delivery-service"]["subscribes"] = [{"detail_type": "Order.Created", "detail": detail}]
    output.synth(parse(yaml.safe_dump(file)), folder)
    document: dict[str, Any] = json.loads((folder / "stacks" / "backbone" / "cdk.tf.json").read_text())
    return document


@pytest.mark.parametrize(
    ("start", "rule"),
    [("forwarding_delivery", "BB702"), ("services_delivery-service_orders", "BB703")],
)
@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("vip-", "vip-", False),
        ('{"prefix":"vip-"}', '{"exists":true}', False),
        ("vip-", "vip_", True),
        ('"customer"', '"custmer"', True),
    ],
)
def test_a_filter_that_lets_nothing_through(
    tmp_path: Path, start: str, rule: str, before: str, after: str, found: bool
) -> None:
    document = filtered({"data": {"customer": [{"prefix": "vip-"}]}}, tmp_path)
    body = only(document["resource"], "aws_cloudwatch_event_rule", start)
    assert before in body["event_pattern"]
    body["event_pattern"] = body["event_pattern"].replace(before, after)
    (tmp_path / "stacks" / "backbone" / "cdk.tf.json").write_text(json.dumps(document))
    messages = [finding.message for finding in read(tmp_path).findings if finding.rule == rule]
    assert bool(messages) is found, messages
    assert not found or 'as with the detail {"data":{"customer":"vip-example"}}, and no rule of ' in messages[0]


@pytest.mark.parametrize(
    ("detail", "unknown"),
    [
        ({"data": {"customer": ["c-1"], "items": {"sku": ["tea"]}}, "meta": {"correlation_id": ["1"]}}, None),
        ({"data": {"customr": ["c-1"]}}, "data.customr"),
        ({"data": {"items": {"skus": ["tea"]}}}, "data.items.skus"),
        ({"customer": ["c-1"]}, "customer"),
        ({"meta": {"kind": [{"exists": False}]}}, "meta.kind"),
        ({"$or": [{"data": {"customer": ["c-1"]}}, {"data.custom": ["c-1"]}]}, "data.custom"),
    ],
)
def test_a_filter_on_a_field_that_the_publisher_does_not_have(tmp_path: Path, detail: Any, unknown: str | None) -> None:
    filtered(detail, tmp_path)
    found = [finding for finding in read(tmp_path).findings if finding.rule == "BB713"]
    assert [one.severity for one in found] == ["warning"] * (unknown is not None)
    assert unknown is None or f"by detail.{unknown}, a field that order-service's schema of it does not" in str(
        found[0]
    )


OWNED = """
name: shop
region: eu-west-1
layout: per-account
rules: owner
accounts: {bus: {id: "111111111111"}, order: {id: "222222222222"}, delivery: {id: "333333333333"}}
bus: {account: bus}
services:
  orders: {account: order, publishes: [Order.Created], subscribes: [Delivery.Updated]}
  delivery: {account: delivery, publishes: [Delivery.Updated], subscribes: [Order.Created]}
"""
OF_ORDER = '{"StringEqualsIfExists":{"events:creatorAccount":"222222222222"}}'


@pytest.mark.parametrize(
    ("before", "after", "rule", "words"),
    [
        (
            '"events:PutTargets",',
            "",
            "BB720",
            "does not let 222222222222 call events:PutTargets on ",
        ),
        ("rule/shop-global/shop-forward-orders", "rule/shop-global/orders", "BB720", "does not let 222222222222 call"),
        (
            OF_ORDER,
            OF_ORDER.replace("IfExists", ""),
            "BB720",
            "call events:PutRule on arn:aws:events:eu-west-1:111111111111:rule/shop-global/shop-forward-orders",
        ),
        (
            OF_ORDER,
            OF_ORDER.replace("2" * 12, "3" * 12),
            "BB510",
            "lets 222222222222 change rules that others made; add a condition on events:creatorAccount",
        ),
        (f'"Condition":{OF_ORDER},', "", "BB510", "change rules that"),
    ],
)
def test_who_may_have_rules_on_the_bus_of_another_account(
    tmp_path: Path, before: str, after: str, rule: str, words: str
) -> None:
    output.synth(parse(OWNED), tmp_path)
    assert read(tmp_path).findings == ()
    file = tmp_path / "stacks" / "bus" / "cdk.tf.json"
    document = json.loads(file.read_text())
    body = only(document["resource"], "aws_cloudwatch_event_bus_policy", "global")
    statements = json.loads(body["policy"])["Statement"]
    (own,) = [one for one in statements if one["Sid"] == "Rules222222222222"]
    text = json.dumps(own, separators=(",", ":"))
    assert before in text
    statements[statements.index(own)] = json.loads(text.replace(before, after))
    body["policy"] = json.dumps({"Version": "2012-10-17", "Statement": statements})
    file.write_text(json.dumps(document))
    messages = [finding.message for finding in read(tmp_path).findings if finding.rule == rule]
    assert any(words in message for message in messages), messages


def test_the_stacks_of_owners_come_after_the_global_bus(tmp_path: Path) -> None:
    stacks = output.synth(parse(OWNED), tmp_path)
    assert [stack.name for stack in stacks] == ["bus", "delivery", "order"]
    depends_on = {stack.name: stack.depends_on for stack in manifest.read(tmp_path).stacks}
    assert depends_on == {"bus": (), "delivery": ("bus",), "order": ("bus",)}


def test_a_rule_on_a_bus_that_no_stack_makes(tmp_path: Path) -> None:
    output.synth(parse(OWNED), tmp_path)
    file = tmp_path / "stacks" / "order" / "cdk.tf.json"
    document = json.loads(file.read_text())
    arn = "arn:aws:events:eu-west-1:444444444444:event-bus/none"
    only(document["resource"], "aws_cloudwatch_event_rule", "forwarding_order")["event_bus_name"] = arn
    file.write_text(json.dumps(document))
    (found,) = [finding for finding in read(tmp_path).findings if finding.rule == "BB720"]
    assert (found.severity, found.message) == (
        "warning",
        f"no stack makes the bus {arn}, and nothing is known of its policy",
    )
