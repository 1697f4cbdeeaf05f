"""How each type of resource block is read, and what each type of block that belongs to another is attached to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backbone.aws.arn import Place
from backbone.aws.limits import (
    ASYNC_MAX_AGE_SECONDS,
    ASYNC_MAX_RETRY_ATTEMPTS,
    RETRY_MAX_AGE_SECONDS,
    RETRY_MAX_ATTEMPTS,
    SHARDS_ON_DEMAND,
)
from backbone.system import http_api
from backbone.system.blocks import Blocks
from backbone.system.iam import BUS, Policy
from backbone.system.keys import read_key
from backbone.system.mapping import read_mapping
from backbone.system.model import ApiDestination, Archive, EventBus, Function, LogGroup, Resource, Rule, Stream, Target
from backbone.system.permissions import read_function_policy, read_role
from backbone.system.pipes import read_pipe
from backbone.system.queues import read_queue
from backbone.system.schedule import Schedule, ScheduleError
from backbone.system.scheduler import read_schedule
from backbone.system.tables import read_table
from backbone.system.target_input import TargetInput, Transformer
from backbone.system.topics import read_topic
from backbone.system.values import Values

__all__ = ["ATTACHED", "LOGS_POLICY", "READ_ALONG", "RESOURCES", "WITHOUT_PART", "bus_policy"]

LOGS_POLICY = "aws_cloudwatch_log_resource_policy"
LATEST = "$LATEST"


def _basics(values: Values, name: str = "name") -> dict[str, Any]:
    """What every resource has."""
    block = values.block
    own = {"address": block.id, "account": block.account, "place": block.place}
    return own | {"name": values.text(name), "arn": values.text("arn")}


def _bus_arn(values: Values) -> str:
    """The bus that a block names or gives by ARN."""
    name = values.text("event_bus_name", "default")
    return name if name.startswith("arn:") else values.block.place.bus(name)


def _function_arn(values: Values) -> str:
    """The function that a block names or gives by ARN."""
    name = values.text("function_name")
    arn = name if name.startswith("arn:") else values.block.place.arn("lambda", f"function:{name}")
    return ":".join(arn.split(":")[:7])  # without the alias or version


def _queue_url(values: Values) -> str:
    return values.text("queue_url")


def _bus(blocks: Blocks, values: Values) -> EventBus:
    basics = _basics(values)
    return EventBus(**basics, policy=bus_policy(blocks, basics["arn"]))


def bus_policy(blocks: Blocks, arn: str) -> Policy | None:
    """The policy of a bus: the one that is attached, or one of the permissions that are."""
    policy = blocks.only_policy("aws_cloudwatch_event_bus_policy", arn, BUS, resource=arn)
    permissions = list(blocks.attached("aws_cloudwatch_event_permission", arn))
    if policy is not None:
        for values in permissions:
            words = f"{arn} has a policy already, of {policy.address}: each apply takes out what the other wrote"
            blocks.find("BB103", values.block, words)
        return policy
    statements = [_permission(values, arn) for values in permissions]
    if not statements:
        return None
    document = {"Version": "2012-10-17", "Statement": statements}
    return blocks.policy(permissions[0], BUS, resource=arn, document=document)


def _permission(values: Values, bus_arn: str) -> dict[str, Any]:
    """The statement that a block `aws_cloudwatch_event_permission` adds to a bus's policy (PutPermission)."""
    principal, condition = values.text("principal"), values.part("condition")
    account = Place(values.block.place.partition, "", principal)
    named = "*" if principal == "*" else {"AWS": account.root}
    statement: dict[str, Any] = {
        "Sid": values.text("statement_id"),
        "Effect": "Allow",
        "Principal": named,
        "Action": values.text("action", "events:PutEvents"),
        "Resource": bus_arn,
    }
    if (key := condition.optional_text("key")) is not None:
        statement["Condition"] = {condition.text("type"): {key: condition.text("value")}}
    return statement


def _input(values: Values) -> TargetInput:
    """What a target is sent."""
    part = values.part("input_transformer")
    transformer = Transformer(part.text("input_template"), part.mapping("input_paths")) if part.nested else None
    return TargetInput(values.optional_text("input"), values.optional_text("input_path"), transformer)


def _rule(blocks: Blocks, values: Values) -> Rule:
    basics, bus = _basics(values), _bus_arn(values)
    arn, account_id = basics["arn"], basics["place"].account_id

    def target(values: Values) -> Target:
        retry = values.part("retry_policy")
        return Target(
            address=values.block.id,
            rule_arn=arn,
            rule_name=basics["name"],
            account=values.block.account,
            account_id=account_id,
            arn=values.text("arn"),
            role_arn=values.optional_text("role_arn"),
            dead_letters_arn=values.part("dead_letter_config").optional_text("arn"),
            max_attempts=retry.integer("maximum_retry_attempts", RETRY_MAX_ATTEMPTS),
            max_age_seconds=retry.integer("maximum_event_age_in_seconds", RETRY_MAX_AGE_SECONDS),
            input=_input(values),
            partition_key_path=values.part("kinesis_target").optional_text("partition_key_path"),
            message_group=values.part("sqs_target").optional_text("message_group_id"),
            task_definition_arn=values.part("ecs_target").optional_text("task_definition_arn"),
            task_role_arns=_task_roles(blocks, values.part("ecs_target").optional_text("task_definition_arn")),
        )

    return Rule(
        **basics,
        bus_arn=bus,
        pattern=blocks.pattern(values),
        schedule=_schedule(values),
        enabled=values.text("state", "ENABLED") != "DISABLED" and values.flag("is_enabled", default=True),
        targets=blocks.read_attached("aws_cloudwatch_event_target", arn, target),
    )


def _task_roles(blocks: Blocks, task_definition_arn: str | None) -> tuple[str, ...]:
    """The roles of a task definition that the stacks make: that of the task, and that by which ECS starts it."""
    for block in blocks.configuration.of("aws_ecs_task_definition"):
        values = Values(blocks.configuration, block)
        if task_definition_arn in (values.text("arn"), values.text("arn_without_revision")):
            arns = (values.optional_text("execution_role_arn"), values.optional_text("task_role_arn"))
            return tuple(arn for arn in arns if arn is not None)
    return ()


def _schedule(values: Values) -> Schedule | None:
    """When a rule fires by itself; a wrong expression is a finding of the arguments."""
    text = values.optional_text("schedule_expression")
    try:
        return Schedule.parse(text) if text else None
    except ScheduleError:
        return None


def _archive(blocks: Blocks, values: Values) -> Archive:
    return Archive(
        **_basics(values),
        bus_arn=values.text("event_source_arn"),
        pattern=blocks.pattern(values),
        retention_days=values.integer("retention_days", 0),
    )


def _log_group(_blocks: Blocks, values: Values) -> LogGroup:
    return LogGroup(**_basics(values))


def _stream(_blocks: Blocks, values: Values) -> Stream:
    on_demand = values.part("stream_mode_details").text("stream_mode", "PROVISIONED") == "ON_DEMAND"
    return Stream(
        **_basics(values),
        shards=SHARDS_ON_DEMAND if on_demand else values.integer("shard_count", 1),
        retention_seconds=3600 * values.integer("retention_period", 24),
    )


def _api_destination(_blocks: Blocks, values: Values) -> ApiDestination:
    return ApiDestination(**_basics(values))


def _function(blocks: Blocks, values: Values) -> Function:
    basics = _basics(values, "function_name")
    arn = basics["arn"]
    configs = blocks.attached("aws_lambda_function_event_invoke_config", arn)
    # One for a version or an alias says nothing of the function as it is invoked here.
    own = [config for config in configs if config.text("qualifier", LATEST) == LATEST]
    config = (own or [values.empty])[-1]
    destinations, reserved = config.part("destination_config"), values.integer("reserved_concurrent_executions", -1)
    return Function(
        **basics,
        handler=values.text("handler", ""),
        runtime=values.text("runtime", ""),
        architecture=next(iter(values.texts("architectures")), "x86_64"),
        code=_code(blocks, values),
        code_hash=values.optional_text("source_code_hash"),
        layers=tuple(values.texts("layers")),
        environment=values.part("environment").mapping("variables"),
        timeout_seconds=values.integer("timeout", 3),
        memory_mb=values.integer("memory_size", 128),
        log_group=values.part("logging_config").text("log_group", f"/aws/lambda/{basics['name']}"),
        role_arn=values.text("role"),
        permissions=read_function_policy(blocks, arn),
        retry_attempts=config.integer("maximum_retry_attempts", ASYNC_MAX_RETRY_ATTEMPTS),
        max_age_seconds=config.integer("maximum_event_age_in_seconds", ASYNC_MAX_AGE_SECONDS),
        failures_arn=destinations.part("on_failure").optional_text("destination"),
        successes_arn=destinations.part("on_success").optional_text("destination"),
        dead_letters_arn=values.part("dead_letter_config").optional_text("target_arn"),
        reserved_concurrency=None if reserved == -1 else reserved,
        mappings=blocks.read_attached("aws_lambda_event_source_mapping", arn, read_mapping),
    )


def _code(blocks: Blocks, values: Values) -> Path | None:
    file = values.optional_text("filename")
    return None if file is None else blocks.folder / "stacks" / values.block.stack / file


RESOURCES: dict[str, Callable[[Blocks, Values], Resource]] = {
    "aws_cloudwatch_event_bus": _bus,
    "aws_cloudwatch_event_rule": _rule,
    "aws_cloudwatch_event_archive": _archive,
    "aws_cloudwatch_event_api_destination": _api_destination,
    "aws_pipes_pipe": read_pipe,
    "aws_scheduler_schedule": read_schedule,
    "aws_sns_topic": read_topic,
    "aws_sqs_queue": read_queue,
    "aws_cloudwatch_log_group": _log_group,
    "aws_kms_key": read_key,
    "aws_kinesis_stream": _stream,
    "aws_dynamodb_table": read_table,
    "aws_iam_role": read_role,
    "aws_lambda_function": _function,
    "aws_apigatewayv2_api": http_api.read,
}
"""How a block of each type becomes a resource."""

ATTACHED: dict[str, tuple[str, Callable[[Values], str]]] = {
    "aws_cloudwatch_event_bus_policy": ("the bus", _bus_arn),
    "aws_cloudwatch_event_permission": ("the bus", _bus_arn),
    "aws_cloudwatch_event_target": (
        "the rule",
        lambda values: values.block.place.rule_on(values.text("event_bus_name", "default"), values.text("rule")),
    ),
    "aws_s3_bucket_policy": ("the bucket", lambda values: values.text("bucket")),
    "aws_sns_topic_policy": ("the topic", lambda values: values.text("arn")),
    "aws_sns_topic_subscription": ("the topic", lambda values: values.text("topic_arn")),
    "aws_sqs_queue_policy": ("the queue", _queue_url),
    "aws_sqs_queue_redrive_policy": ("the queue", _queue_url),
    "aws_sqs_queue_redrive_allow_policy": ("the queue", _queue_url),
    "aws_iam_role_policy": ("the role", lambda values: values.block.place.iam(f"role/{values.text('role')}")),
    "aws_iam_role_policy_attachment": (
        "the role",
        lambda values: values.block.place.iam(f"role/{values.text('role')}"),
    ),
    "aws_lambda_permission": ("the function", _function_arn),
    "aws_lambda_function_event_invoke_config": ("the function", _function_arn),
    "aws_lambda_event_source_mapping": ("the function", _function_arn),
    "aws_apigatewayv2_integration": ("the API", lambda values: values.text("api_id")),
    "aws_apigatewayv2_authorizer": ("the API", lambda values: values.text("api_id")),
    "aws_apigatewayv2_route": ("the API", lambda values: values.text("api_id")),
    "aws_apigatewayv2_stage": ("the API", lambda values: values.text("api_id")),
    "aws_apigatewayv2_deployment": ("the API", lambda values: values.text("api_id")),
}
"""What a block of each type belongs to, in a word, and how it names that: by ARN, URL or id."""

READ_ALONG = {"aws_cloudwatch_event_connection", "aws_iam_policy"}
"""Types that are read where another block refers to them."""

WITHOUT_PART = {
    "aws_cloudwatch_log_delivery",
    "aws_cloudwatch_log_delivery_destination",
    "aws_cloudwatch_log_delivery_source",
    "aws_kms_alias",
    "aws_scheduler_schedule_group",
}
"""Types without which events flow just the same."""
