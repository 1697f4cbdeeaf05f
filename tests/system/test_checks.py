"""What Terraform and AWS refuse of how blocks belong together, each by one change of an example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.system import terraform
from backbone.system.reader import reading_of
from mutants.documents import JSON, REMOVED, Rename, changed, value_at
from mutants.documents import Path as Place
from tests.synthesis import Stacks

BUS, RULE, TARGET = "aws_cloudwatch_event_bus", "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"
DELIVERY, SOURCE = "aws_cloudwatch_log_delivery", "aws_cloudwatch_log_delivery_source"
CONFIG, FUNCTION = "aws_lambda_function_event_invoke_config", "aws_lambda_function"
ROLE, ALIASED = ("provider", "aws", 0, "assume_role", 0), ("provider", "aws", 0)
LOGS, ROLE_POLICY = "aws_cloudwatch_log_resource_policy", "aws_iam_role_policy"
STATEMENT: Place = ("Statement", 0)
CONDITION: Place = (*STATEMENT, "Condition")

AGAIN = object()
"""Stands for the block once more, under another name."""

CASES: dict[str, tuple[str, Place, Any, str, str]] = {
    "a template for a log group without a message": (
        "all-features",
        (TARGET, "global-bus_confidential-log", "input_transformer"),
        {"input_template": '{"id": <id>}', "input_paths": {"id": "$.id"}},
        "BB207",
        "a log group takes only",
    ),
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
        "direct",
        (TARGET, "order-service_deliveries", "depends_on", 0),
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
    "reports that may not be written": (
        "all-features",
        (LOGS, "accounts_order", "policy_document", JSON, "Statement", 0, "Principal", "Service"),
        "sns.amazonaws.com",
        "BB601",
        "delivery.logs.amazonaws.com may not logs:CreateLogStream",
    ),
    "a queue in another account": (
        "single",
        ("aws_sqs_queue_policy", "forwarding_order", "provider"),
        "aws.order",
        "BB108",
        "queue_url: names backbone/aws_sqs_queue.forwarding_order",
    ),
    "an attribute that a resource has not": (
        "single",
        ("output", "global_bus", "value", "arn"),
        "${aws_cloudwatch_event_bus.global-bus.url}",
        "BB110",
        "has no attribute url",
    ),
    "a function that may not write its log": (
        "single",
        (ROLE_POLICY, "delivery-service_on-event_role-policy", "policy", JSON, "Statement", 1),
        REMOVED,
        "BB604",
        "may not logs:CreateLogStream and logs:PutLogEvents on /aws/lambda/shop-delivery-service-on-event: its log",
    ),
    "a function without its log group": (
        "single",
        (FUNCTION, "delivery-service_on-event", "logging_config", "log_group"),
        "/none",
        "BB604",
        "logs:CreateLogGroup on /none, which no stack makes",
    ),
    "traces that may not be sent": (
        "single",
        (ROLE_POLICY, "delivery-service_on-event_role-policy", "policy", JSON, "Statement", 2, "Action", 0),
        "xray:GetGroup",
        "BB604",
        "may not xray:PutTelemetryRecords: traces are lost",
    ),
    "a bus that may not send to its queue": (
        "all-features",
        (
            "aws_sqs_queue_policy",
            "order-service_bus_dead-letters",
            "policy",
            JSON,
            *CONDITION,
            "ArnEquals",
            "aws:SourceArn",
        ),
        "arn:aws:events:eu-central-1:222222222222:event-bus/other",
        "BB605",
        "what cannot be encrypted is lost",
    ),
    "a bus with a key and no queue": (
        "all-features",
        (BUS, "services_order-service_bus", "dead_letter_config"),
        REMOVED,
        "BB605",
        "has a key and no dead_letter_config",
    ),
    "every action": (
        "single",
        (ROLE_POLICY, "grant-publish", "policy", JSON, *STATEMENT, "Action"),
        "events:*",
        "BB510",
        "allows events:*",
    ),
    "every action but one": (
        "single",
        (ROLE_POLICY, "grant-publish", "policy", JSON, *STATEMENT, "Action"),
        Rename("NotAction"),
        "BB510",
        "all but what NotAction",
    ),
    "every queue": (
        "single",
        (ROLE_POLICY, "delivery-service_on-event_role-policy", "policy", JSON, *STATEMENT, "Resource"),
        "*",
        "BB510",
        "allows it on everything",
    ),
    "a condition that holds without the key": (
        "single",
        ("aws_sqs_queue_policy", "forwarding_order", "policy", JSON, *CONDITION, "ArnEquals"),
        Rename("ArnEqualsIfExists"),
        "BB510",
        "ArnEqualsIfExists holds for requests without aws:SourceArn",
    ),
    "anyone's rules": (
        "single",
        ("aws_sqs_queue_policy", "forwarding_order", "policy", JSON, *CONDITION),
        REMOVED,
        "BB510",
        "events.amazonaws.com may use it for anyone's rule",
    ),
    "anyone's API": (
        "single",
        ("aws_lambda_permission", "permission-api", "source_arn"),
        REMOVED,
        "BB510",
        "apigateway.amazonaws.com may use it",
    ),
    "any account's reports": (
        "all-features",
        (LOGS, "accounts_order", "policy_document", JSON, *CONDITION),
        REMOVED,
        "BB510",
        "AWS's services may write for any account",
    ),
    "every identity of the global bus's account": (
        "single",
        ("aws_cloudwatch_event_bus_policy", "services_order-service_bus", "policy", JSON, *CONDITION),
        REMOVED,
        "BB510",
        "admits every identity of 111111111111",
    ),
    "a function that publishes under any source": (
        "single",
        (
            ROLE_POLICY,
            "order-service_orders-outbox_grant-publish",
            "policy",
            JSON,
            *CONDITION,
            "StringEquals",
            "events:source",
        ),
        REMOVED,
        "BB510",
        "publish under any source",
    ),
    "a function that publishes any type": (
        "single",
        (
            ROLE_POLICY,
            "order-service_orders-outbox_grant-publish",
            "policy",
            JSON,
            *CONDITION,
            "StringEquals",
            "events:detail-type",
        ),
        REMOVED,
        "BB510",
        "publish events of any type",
    ),
    "a key of another region": (
        "all-features",
        ("aws_sqs_queue", "forwarding_billing", "kms_master_key_id"),
        "arn:aws:kms:eu-west-1:111111111111:key/00000000-0000-0000-0000-000000000001",
        "BB108",
        "is in eu-west-1 (aws); allowed: eu-central-1 (aws)",
    ),
    "a key that is none": (
        "all-features",
        ("aws_sqs_queue", "forwarding_billing", "kms_master_key_id"),
        "arn:aws:kms:eu-central-1:111111111111:grant/1",
        "BB108",
        "allowed: the ARN of a key",
    ),
    "a failure queue whose key the function may not use": (
        "all-features",
        (ROLE_POLICY, "delivery-service_on-event_role-policy", "policy", JSON, "Statement", 1),
        REMOVED,
        "BB302",
        "may not kms:Decrypt and kms:GenerateDataKey with the key of its failure queue",
    ),
    "a queue in the environment that is another's": (
        "single",
        (FUNCTION, "order-service_api", "environment", "variables", "FAILURE_QUEUE_URL"),
        "${aws_sqs_queue.services_order-service_on-event_failures_ADC771EE.url}",
        "BB319",
        "FAILURE_QUEUE_URL names shop-order-service-on-event-failures, which shop-order-service-api-eu-west-1 may",
    ),
    "a table in the environment that is another's": (
        "single",
        (ROLE_POLICY, "order-service_api_grant-orders", "policy", JSON, *STATEMENT, "Action"),
        "dynamodb:DescribeTable",
        "BB319",
        "ORDERS_TABLE names shop-order-service-orders",
    ),
    "a rule that is switched off": ("single", (RULE, "forwarding_order", "state"), "DISABLED", "BB205", "switched off"),
    "a rule that is not enabled": ("single", (RULE, "forwarding_order", "is_enabled"), False, "BB205", "switched off"),
    "a rule without a target": ("single", (TARGET, "forwarding_order"), REMOVED, "BB206", "has no target"),
    "a rule's role of no stack": (
        "single",
        (RULE, "forwarding_order", "role_arn"),
        "arn:aws:iam::111111111111:role/none",
        "BB105",
        "role_arn: names 'arn:aws:iam::111111111111:role/none'",
    ),
    "an integration's role of no stack": (
        "single",
        ("aws_apigatewayv2_integration", "integration-api", "credentials_arn"),
        "arn:aws:iam::222222222222:role/none",
        "BB105",
        "credentials_arn: names 'arn:aws:iam::222222222222:role/none'",
    ),
    "an integration that HTTP APIs do not have": (
        "single",
        ("aws_apigatewayv2_integration", "integration-api", "integration_type"),
        "MOCK",
        "BB106",
        "integration_type: got 'MOCK'; allowed for an HTTP API: AWS_PROXY, HTTP_PROXY",
    ),
    "a failure destination of an alias only": (
        "single",
        ("aws_lambda_function_event_invoke_config", "delivery-service", "qualifier"),
        "live",
        "BB303",
        "has no failure destination",
    ),
    "a failure destination that is no ARN": (
        "single",
        (CONFIG, "delivery-service", "destination_config", "on_failure", "destination"),
        "shop-failures",
        "BB108",
        "got 'shop-failures'; allowed: an ARN",
    ),
    "a dead-letter queue for small messages": (
        "single",
        ("aws_sqs_queue", "forwarding_order", "max_message_size"),
        1024,
        "BB107",
        "max_message_size: got 1,024",
    ),
    "a queue for small messages": (
        "all-features",
        ("aws_sqs_queue", "services_delivery-service_orders_buffer_", "max_message_size"),
        1024,
        "BB107",
        "max_message_size: got 1,024: events over it are not delivered",
    ),
    "an ARN of another partition": (
        "single",
        ("aws_cloudwatch_event_bus_policy", "global-bus", "policy", JSON, *STATEMENT, "Principal", "AWS"),
        "arn:aws-cn:iam::333333333333:root",
        "BB108",
        "arn:aws-cn:iam::… is of the partition aws-cn",
    ),
    "an ARN of a region that is none": (
        "all-features",
        (LOGS, "accounts_order", "policy_document", JSON, *CONDITION, "ArnLike", "aws:SourceArn"),
        "arn:aws:logs:eu-cental-1:222222222222:*",
        "BB108",
        "arn:aws:logs:eu-cental-1:… names no region of aws",
    ),
    "a delivery before the logs policy": (
        "all-features",
        ("aws_cloudwatch_log_delivery_destination", "services_order-service", "depends_on"),
        [],
        "BB113",
        "without which reports may not be written",
    ),
    "a pattern of a field that no event has": (
        "single",
        (RULE, "forwarding_order", "event_pattern"),
        '{"souce":["a"],"detail":{"x":["a"]}}',
        "BB208",
        "no event has the field souce",
    ),
    "an alternative of a field that no event has": (
        "single",
        (RULE, "forwarding_order", "event_pattern"),
        '{"$or":[{"source":["a"]},{"souce":["a"]}]}',
        "BB208",
        "no event has the field souce",
    ),
    "a path to a field that no event has": (
        "single",
        (TARGET, "forwarding_order", "input_path"),
        "$.detal.x",
        "BB208",
        "$.detal.x: no event has the field detal",
    ),
    "a key that a service may use for anybody": (
        "all-features",
        ("aws_kms_key", "shared", "policy", "(json)", "Statement", 2, "Condition"),
        REMOVED,
        "BB510",
        "events.amazonaws.com may use it for anybody",
    ),
    "a key for all but one encryption context": (
        "all-features",
        ("aws_kms_key", "shared", "policy", "(json)", "Statement", 2, "Condition"),
        {"StringNotEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": "a"}},
        "BB510",
        "events.amazonaws.com may use it for anybody",
    ),
    "a key with which a service may do everything": (
        "all-features",
        ("aws_kms_key", "shared", "policy", "(json)", "Statement", 2, "Action"),
        "kms:*",
        "BB510",
        "Action: allows kms:*",
    ),
    "a key's alias of another account": (
        "single",
        ("aws_sqs_queue", "order-service_api", "kms_master_key_id"),
        "arn:aws:kms:eu-west-1:111111111111:alias/mine",
        "BB505",
        "a key of another account",
    ),
    "an alias twice": ("all-features", ("aws_kms_alias", "shared"), AGAIN, "BB102", "has the same name as"),
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


def test_log_policies_are_counted_by_account(synthesized: Callable[[str], Stacks]) -> None:
    stacks = synthesized("single")
    (stack,) = stacks
    policies = stacks[stack]["resource"]["aws_cloudwatch_log_resource_policy"]
    (one,) = [body for body in policies.values() if body["provider"] == "aws.order"]
    more = {f"more-{number}": one | {"policy_name": f"more-{number}"} for number in range(10)}
    read = changed(stacks, (stack, "resource", "aws_cloudwatch_log_resource_policy"), {**policies, **more})
    configuration = terraform.parse({Path("nowhere") / name / "cdk.tf.json": body for name, body in read.items()})
    found = [str(one) for one in reading_of(configuration, Path("nowhere")).findings if one.rule == "BB114"]
    assert found == [
        "backbone/aws_cloudwatch_log_resource_policy.more-9: is number 11 of its type in 222222222222 in eu-west-1; "
        "allowed: 10"
    ]
