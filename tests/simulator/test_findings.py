"""What AWS would refuse, and what could never work, is named before anything is sent, with what it costs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from backbone.simulator import Simulator
from tests.simulator.conftest import Edit, put

Edited = Callable[[Edit], Simulator]


def remove(kind: str, part: str) -> Edit:
    """Take one resource out, and what depends on it explicitly."""

    def edit(resources: dict[str, Any]) -> None:
        (name,) = [one for one in resources[kind] if one.startswith(part)]
        del resources[kind][name]
        for named in resources.values():
            for body in named.values():
                body["depends_on"] = [one for one in body.get("depends_on", []) if one != f"{kind}.{name}"]

    return edit


def empty(kind: str, part: str, key: str = "policy") -> Edit:
    """Leave a policy without statements."""

    def edit(resources: dict[str, Any]) -> None:
        (name,) = [one for one in resources[kind] if one.startswith(part)]
        resources[kind][name][key] = json.dumps({"Version": "2012-10-17", "Statement": []})

    return edit


DEAD = "forwarding_delivery-service_dead-letters_policy"
CASES: dict[str, tuple[Edit, list[str]]] = {
    "the local bus's policy": (
        empty("aws_cloudwatch_event_bus_policy", "services_delivery-service_bus"),
        [
            "forwarding_delivery-service_target",
            "NO_PERMISSIONS: the policy of arn:aws:events:eu-west-1:333333333333:event-bus/shop-delivery-service does "
            "not allow arn:aws:iam::111111111111:role/shop-forward-delivery-service-eu-west-1 events:PutEvents; every "
            "event that the rule matches would go to shop-forward-delivery-service-dead-letters",
        ],
    ),
    "the forwarding role's permission": (
        empty("aws_iam_role_policy", "forwarding_delivery-service"),
        ["forwarding_delivery-service_target", "no policy of arn:aws:iam::111111111111:role/shop-forward"],
    ),
    "the forwarding role's trust": (
        empty("aws_iam_role", "forwarding_delivery-service", "assume_role_policy"),
        [
            "forwarding_delivery-service_target",
            "FAILED_TO_ASSUME_ROLE: shop-forward-delivery-service-eu-west-1 does not",
        ],
    ),
    "the dead-letter queue's policy": (
        remove("aws_sqs_queue_policy", DEAD),
        ["forwarding_delivery-service_target", "no policy of arn:aws:sqs", "what cannot be delivered is lost"],
    ),
    "the logs policy": (
        remove("aws_cloudwatch_log_resource_policy", "accounts_order"),
        ["services_order-service_bus_log-target", "no logs resource policy allows events.amazonaws.com"],
    ),
    "the buffer's policy": (
        remove("aws_sqs_queue_policy", "services_delivery-service_orders_buffer-policy"),
        ["services_delivery-service_orders_target", "no policy of arn:aws:sqs:eu-west-1:333333333333:shop-delivery"],
    ),
    "the API's permission": (
        remove("aws_lambda_permission", "services_order-service_http-api"),
        ["services_order-service_http-api_route-post-orders", "calls are answered with 500"],
    ),
    "the function's way to its failure queue": (
        empty("aws_iam_role_policy", "services_delivery-service_on-event_role"),
        ["services_delivery-service_on-event", "may not sqs:SendMessage on", "what the function fails at is lost"],
    ),
    "the failure destination": (
        remove("aws_lambda_function_event_invoke_config", "services_delivery-service_on-event"),
        ["services_delivery-service_on-event", "has no failure destination"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_permission_that_is_missing_is_named(edited: Edited, name: str) -> None:
    edit, words = CASES[name]
    findings = edited(edit).findings
    assert any(all(one in finding for one in words) for finding in findings), findings


def test_a_target_that_is_made_too_early(edited: Edited) -> None:
    def edit(resources: dict[str, Any]) -> None:
        for name, body in resources["aws_cloudwatch_event_target"].items():
            if name.startswith("forwarding_delivery"):
                body["depends_on"] = []

    findings = edited(edit).findings
    assert all("forwarding_delivery-service_target" in finding for finding in findings)
    (refused,) = [finding for finding in findings if "AWS refuses a target whose bus" in finding]
    assert "does not depend on" in refused
    assert "add it to depends_on" in refused


def test_what_a_missing_permission_costs_when_an_event_comes(edited: Edited) -> None:
    sim = edited(CASES["the local bus's policy"][0])
    put(sim, "order-service", "Order.Created")
    sim.run_until_idle()
    (message,) = sim.queues["shop-forward-delivery-service-dead-letters"]
    assert message.attributes["ERROR_CODE"] == "NO_PERMISSIONS"

    def without_a_queue(resources: dict[str, Any]) -> None:
        CASES["the local bus's policy"][0](resources)
        CASES["the dead-letter queue's policy"][0](resources)

    assert any("would be lost" in one for one in sim.findings) is False
    other = edited(without_a_queue)
    assert any("would be lost" in one for one in other.findings)
    put(other, "order-service", "Order.Created")
    (lost,) = other.run_until_idle().lost
    assert lost.place == "shop-delivery-service"


def test_a_target_that_nobody_makes_and_types_that_are_unknown(edited: Edited) -> None:
    def edit(resources: dict[str, Any]) -> None:
        for name, body in resources["aws_cloudwatch_event_target"].items():
            if name.startswith("forwarding_delivery"):
                body["arn"] = "arn:aws:events:eu-west-1:333333333333:event-bus/other"
        resources["aws_mq_broker"] = {"b": {"broker_name": "b", "provider": "aws.bus"}}

    sim = edited(edit)
    assert any(
        "NO_RESOURCE: arn:aws:events:eu-west-1:333333333333:event-bus/other is not in any stack" in finding
        for finding in sim.findings
    )
    assert sim.system.not_simulated == ("backbone/aws_mq_broker.b",)


def test_an_expression_that_cannot_be_resolved_is_a_finding(edited: Edited) -> None:
    def edit(resources: dict[str, Any]) -> None:
        next(iter(resources["aws_sqs_queue"].values()))["name"] = "${upper(var.x)}"

    findings = edited(edit).findings
    assert any(re.match(r"backbone/aws_sqs_queue\.\S+: \$\{upper", finding) for finding in findings)


def test_a_policy_with_a_mistake_is_a_finding_and_grants_nothing(edited: Edited) -> None:
    def edit(resources: dict[str, Any]) -> None:
        for name, body in resources["aws_cloudwatch_event_bus_policy"].items():
            if name.startswith("global"):
                body["policy"] = body["policy"].replace("StringEquals", "StringMatches")

    sim = edited(edit)
    assert any("StringMatches is no condition operator" in one for one in sim.findings), sim.findings
    assert put(sim, "order-service", "Order.Created")["ErrorCode"] == "AccessDeniedException"
