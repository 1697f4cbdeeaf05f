"""Every request that deploying makes for every resource of some stacks, as IAM judges it.

Which calls the provider makes for a type is recorded (`calls.json`, written by `python -m scripts.calls`); what AWS
asks of the caller beyond a call is in `BEYOND`. What an action is authorized on says the IAM catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from backbone.aws.arn import Arn
from backbone.aws.names import BACKBONE_TAG
from backbone.system.iam.catalogue import service
from backbone.system.iam.text import like
from backbone.system.terraform import Block, Configuration
from backbone.system.values import Values

__all__ = ["BEYOND", "PHASES", "TYPES", "Need", "calls", "needs"]

PHASES = ("create", "read", "update", "delete")
UUID = "00000000-0000-0000-0000-000000000000"
"""Stands for an id that AWS makes."""

SECRETS = tuple(
    f"secretsmanager:{word}Secret{more}"
    for word, more in (
        ("Create", ""),
        ("Delete", ""),
        ("Describe", ""),
        ("Update", ""),
        ("Get", "Value"),
        ("Put", "Value"),
    )
)
KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
ACCESS_LOG = tuple(f"logs:{word}LogDelivery" for word in ("Create", "Delete", "Get", "Update"))

BEYOND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # EventBridge user guide, "AmazonEventBridgeFullAccess": roles of targets are passed, keys of connections are
    # secrets, and the first connection makes the role of the service.
    "aws_cloudwatch_event_target": {"create": ("iam:PassRole",), "update": ("iam:PassRole",)},
    "aws_cloudwatch_event_connection": {
        "create": ("iam:CreateServiceLinkedRole", *SECRETS),
        "update": SECRETS,
        "delete": SECRETS,
    },
    # CloudWatch Logs user guide, "Enable logging from AWS services": the source must allow the delivery.
    "aws_cloudwatch_log_delivery_source": {"create": ("events:AllowVendedLogDeliveryForResource",)},
    # The provider makes this call for a change of tags too; the emulator of the recording does not have it.
    "aws_cloudwatch_log_delivery": {"update": ("logs:TagResource", "logs:UpdateDeliveryConfiguration")},
    # EventBridge, DynamoDB and Lambda use the key of a resource for who makes it (their guides, "Encryption at rest").
    "aws_cloudwatch_event_bus": {"create": KEY, "update": KEY},
    "aws_cloudwatch_event_archive": {"create": KEY, "update": KEY},
    "aws_dynamodb_table": {"create": ("kms:CreateGrant", *KEY)},
    # Service authorization reference, AWS Lambda: CreateFunction depends on iam:PassRole; developer guide, "Layers":
    # who makes a function with a layer of another account must be allowed to get it.
    "aws_lambda_function": {
        "create": ("iam:PassRole", "kms:CreateGrant", "kms:Encrypt", "lambda:GetLayerVersion", *KEY),
        "read": ("kms:Decrypt",),
        "update": ("iam:PassRole", "kms:Encrypt", "lambda:GetLayerVersion", "lambda:UpdateFunctionCode", *KEY),
    },
    # API Gateway developer guide, "Configure logging for HTTP APIs" and "Service-linked roles". The emulator of the
    # recording cannot change a stage.
    "aws_apigatewayv2_stage": {
        "create": ACCESS_LOG,
        "update": ("apigateway:PATCH /apis/{}/stages/{}", "apigateway:POST /tags/{}", *ACCESS_LOG),
        "delete": ("logs:DeleteLogDelivery",),
    },
    "aws_apigatewayv2_api": {"create": ("iam:CreateServiceLinkedRole",)},
    # Service authorization references, AWS Step Functions and Amazon Data Firehose.
    # EventBridge Scheduler user guide, "Setting up" and "Encryption at rest".
    "aws_scheduler_schedule": {
        "create": ("iam:PassRole", *KEY),
        "read": ("kms:Decrypt",),
        "update": ("iam:PassRole", *KEY),
    },
    # Pipes has its log delivered as API Gateway has (CloudWatch Logs user guide, "Enable logging from AWS services").
    "aws_pipes_pipe": {
        "create": ("iam:PassRole", *ACCESS_LOG),
        "update": ("iam:PassRole", *ACCESS_LOG),
        "delete": ("logs:DeleteLogDelivery",),
    },
    "aws_sfn_state_machine": {"create": ("iam:PassRole",), "update": ("iam:PassRole",)},
    "aws_kinesis_firehose_delivery_stream": {"create": ("iam:PassRole",), "update": ("iam:PassRole",)},
    # A role that was made without the boundary is given it.
    "aws_iam_role": {"update": ("iam:PutRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy")},
}
"""What AWS asks of who makes a call beside the permission for it, by type and phase."""


@dataclass(frozen=True)
class Need:
    """A request: what a block makes of AWS, in which phase, and with which context."""

    block: Block
    phase: str
    action: str
    resource: str
    context: Mapping[str, str | None]


@cache
def calls() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The recorded calls by type and phase, as IAM's actions; those of API Gateway with their path."""
    found: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parent / "calls.json").read_text())
    return {name: {phase: tuple(actions) for phase, actions in phases.items()} for name, phases in found.items()}


def needs(configuration: Configuration) -> Iterator[Need]:
    """All requests for the blocks of the types that are known here."""
    for block in configuration:
        if block.type not in TYPES or block.type not in calls():
            continue
        values = Values(configuration, block)
        touched = [arn for arn in TYPES[block.type](values) if arn]
        recorded, beyond = calls()[block.type], BEYOND.get(block.type, {})
        for phase in PHASES:
            for action in dict.fromkeys((*recorded.get(phase, ()), *beyond.get(phase, ()))):
                yield from _needs(configuration, values, phase, action, touched)


def _needs(configuration: Configuration, values: Values, phase: str, call: str, touched: list[str]) -> Iterator[Need]:
    block = values.block
    action, _, path = call.partition(" ")
    for resource in _resources(values, action, path, touched):
        yield Need(block, phase, action, resource, _context(configuration, values, action, resource))


def _resources(values: Values, action: str, path: str, touched: list[str]) -> Iterator[str]:
    """What an action is authorized on, of all that a block touches; `*` where the action has no resources."""
    place = values.block.place
    if path:
        yield f"arn:{place.partition}:apigateway:{place.region}::{path.format(*([UUID] * 4))}"
        return
    if action == "iam:CreateServiceLinkedRole":
        yield place.iam(f"role/aws-service-role/{LINKED[values.block.type]}/AWSServiceRole")
        return
    prefix, _, name = action.partition(":")
    known = service(prefix)
    found = known.matching(name) if known else ()
    patterns = found[0].resources if found else ()
    if not patterns:
        yield "*"
    for arn in touched:
        # Its own keys AWS lets everyone use who may use the service.
        own = arn == _key_of_aws(values.block) and action != "kms:DescribeKey"
        if not own and any(like(pattern, arn) for pattern in patterns):
            yield arn


def _key_of_aws(block: Block) -> str:
    return block.place.arn("kms", f"key/{UUID}")


PASSED = {
    "aws_kinesis_firehose_delivery_stream": "firehose",
    "aws_lambda_function": "lambda",
    "aws_pipes_pipe": "pipes",
    "aws_scheduler_schedule": "scheduler",
    "aws_sfn_state_machine": "states",
}
"""The services that blocks give roles, where that is not EventBridge."""

LINKED = {
    "aws_apigatewayv2_api": "ops.apigateway.amazonaws.com",
    "aws_cloudwatch_event_connection": "apidestinations.events.amazonaws.com",
}


def _context(configuration: Configuration, values: Values, action: str, resource: str) -> Mapping[str, str | None]:
    block = values.block
    found: dict[str, str | None] = {"aws:RequestedRegion": block.place.region}
    tag = _tags(configuration, block).get(BACKBONE_TAG)
    taking = action == "apigateway:DELETE" or "Untag" in action
    found |= {f"aws:RequestTag/{BACKBONE_TAG}": None if taking else tag, f"aws:ResourceTag/{BACKBONE_TAG}": tag}
    match action.partition(":")[0]:
        case "iam":
            found |= {"aws:RequestedRegion": "us-east-1", "iam:PermissionsBoundary": _boundary(configuration, values)}
            passed = PASSED.get(block.type, "events")
            found |= {"iam:PassedToService": f"{passed}.amazonaws.com"}
            found |= {"iam:AWSServiceName": LINKED.get(block.type)}
        case "lambda" if block.type == "aws_lambda_event_source_mapping":
            found["lambda:FunctionArn"] = _function(values)
        case "kms":
            found |= {"kms:ViaService": f"lambda.{block.place.region}.{block.place.dns_suffix}"}
            found |= {"kms:GrantIsForAWSResource": "true", "kms:RequestAlias": None}
            if resource == _key_of_aws(block):
                found |= {"kms:RequestAlias": "alias/aws/dynamodb", f"aws:ResourceTag/{BACKBONE_TAG}": None}
    return found


def _tags(configuration: Configuration, block: Block) -> Mapping[str, Any]:
    provider = next(
        each for each in configuration.providers if (each.stack, each.alias) == (block.stack, block.account)
    )
    default = provider.body.get("default_tags") or [{}]
    first = default[0] if isinstance(default, list) else default
    return {**(first.get("tags") or {}), **(block.body.get("tags") or {})}


def _boundary(configuration: Configuration, values: Values) -> str | None:
    """The boundary of the role that a block is, or belongs to."""
    if values.block.type == "aws_iam_role":
        return values.optional_text("permissions_boundary")
    name = values.optional_text("role")
    for role in configuration.of("aws_iam_role"):
        if role.account == values.block.account and configuration.value(role, "name") == name:
            return Values(configuration, role).optional_text("permissions_boundary")
    return None


Touch = Callable[[Values], list[str | None]]


def _arn(*more: str) -> Touch:
    """The block's own ARN, and what some of its arguments name."""
    return lambda values: [values.text("arn"), *(values.optional_text(name) for name in more)]


def _bus(values: Values) -> list[str | None]:
    return [values.block.place.bus(values.text("event_bus_name").rpartition("/")[2])]


def _target(values: Values) -> list[str | None]:
    bus = values.text("event_bus_name", "default")
    return [values.block.place.rule_on(bus, values.text("rule")), values.optional_text("role_arn")]


def _connection(values: Values) -> list[str | None]:
    place, name = values.block.place, values.text("name")
    return [
        place.arn("events", f"connection/{name}/{UUID}"),
        place.arn("secretsmanager", f"secret:events!connection/{name}/{UUID}"),
    ]


def _api_destination(values: Values) -> list[str | None]:
    place, name = values.block.place, values.text("name")
    connection = Arn.parse(values.text("connection_arn")).resource.split("/")[1]
    return [
        place.arn("events", f"api-destination/{name}/{UUID}"),
        place.arn("events", f"connection/{connection}/{UUID}"),
    ]


def _log_group(values: Values) -> list[str | None]:
    arn = values.text("arn").removesuffix(":*")
    return [arn, f"{arn}:*", values.optional_text("kms_key_id")]


def _delivery(values: Values) -> list[str | None]:
    place = values.block.place
    return [
        place.arn("logs", f"delivery:{UUID}"),
        place.arn("logs", f"delivery-source:{values.text('delivery_source_name')}"),
        values.text("delivery_destination_arn"),
    ]


def _function_block(values: Values) -> list[str | None]:
    return [values.text("arn"), values.text("role"), values.optional_text("kms_key_arn"), *values.texts("layers")]


def _function(values: Values) -> str:
    name = values.text("function_name")
    return name if name.startswith("arn:") else values.block.place.arn("lambda", f"function:{name}")


def _mapping(values: Values) -> list[str | None]:
    return [values.block.place.arn("lambda", f"event-source-mapping:{UUID}")]


def _role_of(values: Values) -> list[str | None]:
    return [values.block.place.iam(f"role/{values.text('role')}")]


def _queue_of(values: Values) -> list[str | None]:
    return [values.block.place.arn("sqs", values.text("queue_url").rpartition("/")[2])]


def _alias(values: Values) -> list[str | None]:
    place = values.block.place
    return [values.text("arn"), place.arn("kms", f"key/{values.text('target_key_id')}")]


def _stream(values: Values) -> list[str | None]:
    key = values.optional_text("kms_key_id")
    return [values.text("arn"), key if key and key.startswith("arn:") else None]


def _table(values: Values) -> list[str | None]:
    given = values.part("server_side_encryption").optional_text("kms_key_arn")
    return [values.text("arn"), given or _key_of_aws(values.block)]


def _log_stream(values: Values) -> list[str | None]:
    group = values.block.place.arn("logs", f"log-group:{values.text('log_group_name')}")
    return [group, f"{group}:log-stream:{values.text('name')}"]


def _bucket(values: Values) -> list[str | None]:
    return [f"arn:{values.block.place.partition}:s3:::{values.text('bucket')}"]


def _delivery_stream(values: Values) -> list[str | None]:
    return [values.text("arn"), values.part("extended_s3_configuration").optional_text("role_arn")]


def _schedule(values: Values) -> list[str | None]:
    return [values.text("arn"), values.part("target").optional_text("role_arn"), values.optional_text("kms_key_arn")]


def _nothing(_values: Values) -> list[str | None]:
    return []


TYPES: Mapping[str, Touch] = {
    "aws_apigatewayv2_api": _nothing,
    "aws_apigatewayv2_authorizer": _nothing,
    "aws_apigatewayv2_integration": _nothing,
    "aws_apigatewayv2_route": _nothing,
    "aws_apigatewayv2_stage": _nothing,
    "aws_cloudwatch_event_api_destination": _api_destination,
    "aws_cloudwatch_event_archive": _arn("event_source_arn", "kms_key_identifier"),
    "aws_cloudwatch_event_bus": _arn("kms_key_identifier"),
    "aws_cloudwatch_event_bus_policy": _bus,
    "aws_cloudwatch_event_connection": _connection,
    "aws_cloudwatch_event_rule": _arn(),
    "aws_cloudwatch_event_target": _target,
    "aws_cloudwatch_log_delivery": _delivery,
    "aws_cloudwatch_log_delivery_destination": _arn(),
    "aws_cloudwatch_log_delivery_source": _arn("resource_arn"),
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_log_resource_policy": _nothing,
    "aws_cloudwatch_log_stream": _log_stream,
    "aws_dynamodb_table": _table,
    "aws_iam_role": _arn(),
    "aws_iam_role_policy": _role_of,
    "aws_kinesis_firehose_delivery_stream": _delivery_stream,
    "aws_kinesis_stream": _stream,
    "aws_kms_alias": _alias,
    "aws_kms_key": _arn(),
    "aws_lambda_event_source_mapping": _mapping,
    "aws_lambda_function": _function_block,
    "aws_lambda_function_event_invoke_config": lambda values: [_function(values)],
    "aws_lambda_permission": lambda values: [_function(values)],
    "aws_pipes_pipe": _arn("role_arn"),
    "aws_s3_bucket": _bucket,
    "aws_s3_bucket_lifecycle_configuration": _bucket,
    "aws_s3_bucket_policy": _bucket,
    "aws_s3_bucket_public_access_block": _bucket,
    "aws_s3_bucket_server_side_encryption_configuration": _bucket,
    "aws_scheduler_schedule": _schedule,
    "aws_scheduler_schedule_group": _arn(),
    "aws_sfn_state_machine": _arn("role_arn"),
    "aws_sns_topic": _arn("kms_master_key_id"),
    "aws_sns_topic_policy": _arn(),
    "aws_sns_topic_subscription": lambda values: [values.text("topic_arn")],
    "aws_sqs_queue": _arn("kms_master_key_id"),
    "aws_sqs_queue_policy": _queue_of,
}
"""What the blocks of each type touch, as ARNs: every type that can be synthesized."""
