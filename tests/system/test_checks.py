"""What Terraform and AWS refuse of how blocks belong together, each by one change of an example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.system import terraform
from backbone.system.reader import reading_of
from mutants.documents import REMOVED, changed, value_at
from mutants.documents import Path as Place
from tests.synthesis import Stacks

BUS, RULE, TARGET = "aws_cloudwatch_event_bus", "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"
DELIVERY, SOURCE = "aws_cloudwatch_log_delivery", "aws_cloudwatch_log_delivery_source"
CONFIG, FUNCTION = "aws_lambda_function_event_invoke_config", "aws_lambda_function"
ROLE, ALIASED = ("provider", "aws", 0, "assume_role", 0), ("provider", "aws", 0)
QUEUE = "arn:aws:sqs:eu-central-1:222222222222:shop-order-service-bus-dead-letters"

AGAIN = object()
"""Stands for the block once more, under another name."""

CASES: dict[str, tuple[str, Place, Any, str, str]] = {
    # example, place (a resource by its type and what its name has), what stands there then, finding, words
    "a missing resource in an output": (
        "single",
        ("output", "global_bus", "value", "arn"),
        "${aws_sqs_queue.none.arn}",
        "BB110",
        "value.arn: ${aws_sqs_queue.none.arn} refers",
    ),
    "an expression without an end": (
        "single",
        ("output", "global_bus", "value", "arn"),
        "${aws_sqs_queue.none.arn",
        "BB110",
        "an expression that does not end",
    ),
    "a block made zero times": ("single", (BUS, "global-bus", "count"), 0, "BB110", "count: got 0"),
    "a dependency on nothing": (
        "single",
        (BUS, "global-bus", "depends_on"),
        ["aws_sqs_queue.x"],
        "BB110",
        "got 'aws_sqs_queue.x'",
    ),
    "dependencies that are no list": (
        "single",
        (BUS, "global-bus", "depends_on"),
        "aws_sqs_queue.x",
        "BB110",
        "a list of addresses",
    ),
    "a cycle": (
        "single",
        (BUS, "global-bus", "depends_on"),
        ["aws_cloudwatch_event_archive.global-bus_archive_DEE3EB87"],
        "BB110",
        "depends on itself",
    ),
    "a rule that names its bus": (
        "single",
        (RULE, "forwarding_order", "event_bus_name"),
        "shop-global",
        "BB111",
        "event_bus_name: names",
    ),
    "a log group that is not there": (
        "single",
        (FUNCTION, "order-service_api", "logging_config", "log_group"),
        "/aws/lambda/none",
        "BB105",
        "names '/aws/lambda/none'",
    ),
    "a destination of no stack": (
        "all-features",
        (DELIVERY, "global-bus_report-delivery-error", "delivery_destination_arn"),
        "arn:aws:logs:x",
        "BB105",
        "names 'arn:aws:logs:x'",
    ),
    "a region that is none": ("single", (*ALIASED, "region"), "eu-wst-1", "BB112", "region: got 'eu-wst-1'"),
    "a role of another account": (
        "single",
        (*ROLE, "role_arn"),
        "arn:aws:iam::111111111111:role/x",
        "BB112",
        "a role of 333333333333",
    ),
    "a role that is none": (
        "single",
        (*ROLE, "role_arn"),
        "arn:aws:sqs::333333333333:role/x",
        "BB112",
        "the ARN of a role",
    ),
    "a session name with a space": ("single", (*ROLE, "session_name"), "a b", "BB112", "session_name: got 'a b'"),
    "an unknown argument of a provider": ("single", (*ALIASED, "regin"), "eu-west-1", "BB112", "regin: is no argument"),
    "a tag that AWS refuses": (
        "single",
        (*ALIASED, "default_tags", 0, "tags", "team"),
        "a!",
        "BB112",
        "tags.team: got 'a!'",
    ),
    "a tag of AWS's own": ("single", (*ALIASED, "default_tags", 0, "tags", "aws:x"), "a", "BB112", "the key 'aws:x'"),
    "a function's permission comes late": (
        "single",
        (TARGET, "delivery-service_orders", "depends_on", 0),
        REMOVED,
        "BB113",
        "aws_lambda_permission",
    ),
    "a queue's policy comes late": (
        "single",
        (TARGET, "forwarding_order", "depends_on", 2),
        REMOVED,
        "BB113",
        "aws_sqs_queue_policy",
    ),
    "a logs policy comes late": (
        "single",
        (TARGET, "global-bus_log", "depends_on", 0),
        REMOVED,
        "BB113",
        "aws_cloudwatch_log_resource_policy",
    ),
    "a role's policy comes late": (
        "single",
        (TARGET, "forwarding_order", "depends_on", 1),
        REMOVED,
        "BB113",
        "aws_iam_role_policy",
    ),
    "a failure destination before the role's policy": (
        "single",
        (FUNCTION, "delivery-service_on-event", "depends_on"),
        REMOVED,
        "BB113",
        "which AWS asks for",
    ),
    "two stages of a name": (
        "single",
        ("aws_apigatewayv2_stage", "http-api_stage"),
        AGAIN,
        "BB102",
        "the same api_id, name",
    ),
    "two targets of an id": (
        "single",
        (TARGET, "global-bus_log"),
        AGAIN,
        "BB102",
        "the same event_bus_name, rule, target_id",
    ),
    "a level that is delivered nowhere": (
        "all-features",
        (DELIVERY, "global-bus_report-delivery-trace"),
        REMOVED,
        "BB601",
        "at TRACE",
    ),
    "a level that is not switched on": (
        "all-features",
        (BUS, "global-bus", "log_config", "level"),
        "INFO",
        "BB602",
        "TRACE_LOGS",
    ),
    "deliveries at once": (
        "all-features",
        (DELIVERY, "global-bus_report-delivery-info", "depends_on"),
        [],
        "BB603",
        "AWS answers with a conflict",
    ),
}


def edited(stacks: Stacks, place: Place, after: Any) -> Stacks:
    """The stacks with one place changed, or with a block once more under another name."""
    if place[0] in ("output", "provider"):
        path: Place = (next(iter(stacks)), *place)
    else:
        kind, part, *within = place
        path = next(
            (stack, "resource", kind, name, *within)
            for stack, document in stacks.items()
            for name in document["resource"].get(kind, ())
            if str(part) in name
        )
    if after is AGAIN:
        path, after = (*path[:-1], "again"), value_at(stacks, path)
    result: Stacks = changed(stacks, path, after)
    return result


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_a_finding(synthesized: Callable[[str], Stacks], case: str) -> None:
    example, place, after, rule, words = CASES[case]
    stacks = edited(synthesized(example), place, after)
    folder = Path("nowhere")
    configuration = terraform.parse({folder / name / "cdk.tf.json": document for name, document in stacks.items()})
    found = [finding for finding in reading_of(configuration, folder).findings if finding.rule == rule]
    assert any(words in finding.message for finding in found), found
