"""Arguments that a resource does not have, and that would change what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mutants.documents import Path
from mutants.edits.values import Change

__all__ = ["of_additions"]

KEY = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000009"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:no-such-queue"

ADDITIONS: dict[str, list[tuple[str, Any]]] = {
    "aws_apigatewayv2_api": [
        ("disable_execute_api_endpoint", True),
        ("fail_on_warnings", True),
        ("route_selection_expression", "$request.body.action"),
    ],
    "aws_apigatewayv2_integration": [
        ("connection_type", "VPC_LINK"),
        ("credentials_arn", "arn:aws:iam::111111111111:role/no-such-role"),
        ("timeout_milliseconds", 10),
        ("timeout_milliseconds", 31_000),
    ],
    "aws_apigatewayv2_route": [("api_key_required", True), ("authorizer_id", "a1b2c3")],
    "aws_apigatewayv2_stage": [("deployment_id", "a1b2c3")],
    "aws_cloudwatch_event_archive": [
        ("event_pattern", '{"source":["no-such-source"]}'),
        ("kms_key_identifier", KEY),
    ],
    "aws_cloudwatch_event_bus": [
        ("dead_letter_config", {"arn": QUEUE}),
        ("event_source_name", "aws.partner/example.com/orders"),
        ("kms_key_identifier", KEY),
    ],
    "aws_cloudwatch_event_rule": [
        ("is_enabled", False),
        ("role_arn", "arn:aws:iam::111111111111:role/no-such-role"),
        ("schedule_expression", "rate(5 minutes)"),
        ("schedule_expression", "every day"),
        ("state", "DISABLED"),
        ("state", "ON"),
    ],
    "aws_cloudwatch_event_target": [
        ("input", "{"),
        ("input", '{"constant":true}'),
        ("input_path", "detail"),
        ("input_path", "$.detail.no_such_field"),
        ("input_transformer", {"input_template": '{"a": <a>}'}),
        ("input_transformer", {"input_paths": {"a": "$.detail.a"}, "input_template": '{"a": <a>'}),
        ("kinesis_target", {"partition_key_path": "$.id"}),
        ("role_arn", "arn:aws:iam::111111111111:role/no-such-role"),
        ("sqs_target", {"message_group_id": "a"}),
    ],
    "aws_cloudwatch_log_group": [("kms_key_id", KEY), ("log_group_class", "INFREQUENT"), ("skip_destroy", True)],
    "aws_dynamodb_table": [
        ("range_key", "no_such_attribute"),
        ("stream_enabled", True),
        ("read_capacity", 1),
        ("ttl", {"enabled": True, "attribute_name": "id"}),
    ],
    "aws_iam_role": [
        ("managed_policy_arns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
        ("max_session_duration", 10),
        ("path", "no-slash"),
        ("permissions_boundary", "arn:aws:iam::aws:policy/AWSDenyAll"),
    ],
    "aws_lambda_event_source_mapping": [("enabled", False), ("filter_criteria", {"filter": [{"pattern": "{"}]})],
    "aws_lambda_function": [
        ("dead_letter_config", {"target_arn": QUEUE}),
        ("image_uri", "111111111111.dkr.ecr.us-east-1.amazonaws.com/a:1"),
        ("kms_key_arn", KEY),
        ("layers", ["arn:aws:lambda:us-east-1:111111111111:layer:no-such-layer:1"]),
        ("package_type", "Image"),
        ("reserved_concurrent_executions", 0),
        ("vpc_config", {"subnet_ids": [], "security_group_ids": ["sg-1"]}),
    ],
    "aws_lambda_function_event_invoke_config": [("qualifier", "live")],
    "aws_lambda_permission": [
        ("event_source_token", "token"),
        ("principal_org_id", "o-a1b2c3d4e5"),
        ("qualifier", "live"),
        ("source_account", "000000000001"),
        ("statement_id", "not allowed!"),
    ],
    "aws_sqs_queue": [
        ("delay_seconds", 901),
        ("fifo_queue", True),
        ("kms_master_key_id", "alias/aws/sqs"),
        ("kms_master_key_id", KEY),
        ("max_message_size", 1_024),
        ("redrive_policy", f'{{"deadLetterTargetArn":"{QUEUE}","maxReceiveCount":3}}'),
        ("redrive_policy", "{"),
    ],
}

VARIABLES = {"AWS_REGION": "us-east-1", "1ST": "text", "LARGE": "x" * 4_096, "WITH-DASH": "text"}
"""Variables that Lambda takes in no function's environment."""


def of_additions(kind: str, body: Mapping[str, Any], path: Path) -> Iterator[Change]:
    """Each argument added to a resource that does not have it yet."""
    for argument, value in ADDITIONS.get(kind, ()):
        if argument not in body:
            yield "added", (*path, argument), value
    if "environment" in body:
        for variable, value in VARIABLES.items():
            yield "added", (*path, "environment", "variables", variable), value
    if kind == "aws_dynamodb_table":
        yield "element added", (*path, "attribute"), [*body["attribute"], {"name": "unused", "type": "S"}]
