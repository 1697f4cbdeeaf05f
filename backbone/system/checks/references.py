"""What the arguments of blocks name: that it is there, is of the right kind, and is made first.

A block that names another by a text instead of a reference is made at any time, by Terraform's rules: the first apply
fails when it comes too early.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backbone.aws.arn import Place
from backbone.errors import BackboneError
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.mapping import source_service
from backbone.system.terraform import Block, Configuration

__all__ = ["check"]


@dataclass(frozen=True)
class _Reference:
    """An argument that names a resource of some types by an attribute.

    With `needed` AWS asks for the resource when the argument is set, or what goes there is lost without it.
    """

    argument: str
    to: tuple[str, ...]
    by: tuple[str, ...]
    needed: bool = False


def _to(argument: str, to: str, *by: str, needed: bool = False) -> _Reference:
    return _Reference(argument, tuple(to.split()), by, needed)


API = _to("api_id", "aws_apigatewayv2_api", "id", needed=True)
BUS = _to("event_bus_name", "aws_cloudwatch_event_bus", "name", "arn")
FUNCTION = _to("function_name", "aws_lambda_function", "function_name", "arn")
LOG_GROUP = "aws_cloudwatch_log_group"
QUEUE = "aws_sqs_queue"
TOPIC = "aws_sns_topic"
ROLE = "aws_iam_role"
BUCKET = _to("bucket", "aws_s3_bucket", "bucket")
TARGETS = (
    f"aws_lambda_function {QUEUE} {LOG_GROUP} aws_kinesis_stream aws_cloudwatch_event_bus {TOPIC} aws_ecs_cluster "
    "aws_kinesis_firehose_delivery_stream aws_sfn_state_machine"
)
SOURCES = f"{QUEUE} aws_kinesis_stream aws_dynamodb_table"
DESTINATIONS = f"{QUEUE} aws_lambda_function aws_cloudwatch_event_bus aws_sns_topic"

REFERENCES: dict[str, tuple[_Reference, ...]] = {
    "aws_apigatewayv2_authorizer": (API,),
    "aws_apigatewayv2_integration": (API, _to("credentials_arn", "aws_iam_role", "arn", needed=True)),
    "aws_apigatewayv2_route": (API,),
    "aws_apigatewayv2_stage": (API, _to("access_log_settings.destination_arn", LOG_GROUP, "arn", needed=True)),
    "aws_cloudwatch_event_api_destination": (_to("connection_arn", "aws_cloudwatch_event_connection", "arn"),),
    "aws_cloudwatch_event_archive": (_to("event_source_arn", "aws_cloudwatch_event_bus", "arn"),),
    "aws_cloudwatch_event_bus": (_to("dead_letter_config.arn", QUEUE, "arn", needed=True),),
    "aws_cloudwatch_event_bus_policy": (BUS,),
    "aws_cloudwatch_event_rule": (BUS, _to("role_arn", "aws_iam_role", "arn", needed=True)),
    "aws_cloudwatch_event_target": (
        BUS,
        _to("rule", "aws_cloudwatch_event_rule", "name"),
        _to("arn", TARGETS, "arn"),
        _to("dead_letter_config.arn", QUEUE, "arn"),
        _to("role_arn", "aws_iam_role", "arn"),
    ),
    "aws_cloudwatch_log_delivery": (
        _to("delivery_source_name", "aws_cloudwatch_log_delivery_source", "name", needed=True),
        _to("delivery_destination_arn", "aws_cloudwatch_log_delivery_destination", "arn", needed=True),
    ),
    "aws_cloudwatch_log_delivery_destination": (
        _to("delivery_destination_configuration.destination_resource_arn", LOG_GROUP, "arn", needed=True),
    ),
    "aws_cloudwatch_log_stream": (_to("log_group_name", LOG_GROUP, "name"),),
    "aws_ecs_task_definition": (_to("execution_role_arn", ROLE, "arn"), _to("task_role_arn", ROLE, "arn")),
    "aws_kinesis_firehose_delivery_stream": (
        _to("extended_s3_configuration.bucket_arn", "aws_s3_bucket", "arn"),
        _to("extended_s3_configuration.role_arn", ROLE, "arn"),
        _to("extended_s3_configuration.cloudwatch_logging_options.log_group_name", LOG_GROUP, "name", needed=True),
        _to(
            "extended_s3_configuration.cloudwatch_logging_options.log_stream_name",
            "aws_cloudwatch_log_stream",
            "name",
            needed=True,
        ),
    ),
    **{
        f"aws_s3_bucket_{name}": (BUCKET,)
        for name in (
            *("lifecycle_configuration", "notification", "policy", "public_access_block"),
            *("server_side_encryption_configuration", "versioning"),
        )
    },
    "aws_sfn_state_machine": (
        _to("role_arn", ROLE, "arn"),
        _to("logging_configuration.log_destination", LOG_GROUP, "arn", needed=True),
    ),
    "aws_cloudwatch_log_delivery_source": (_to("resource_arn", "aws_cloudwatch_event_bus", "arn", needed=True),),
    "aws_pipes_pipe": (
        _to("log_configuration.cloudwatch_logs_log_destination.log_group_arn", LOG_GROUP, "arn", needed=True),
        _to("source", SOURCES, "arn", "stream_arn", needed=True),
        _to("target", TARGETS, "arn"),
        _to("enrichment", "aws_lambda_function", "arn"),
        _to("source_parameters.dynamodb_stream_parameters.dead_letter_config.arn", QUEUE, "arn"),
        _to("source_parameters.kinesis_stream_parameters.dead_letter_config.arn", QUEUE, "arn"),
        _to("role_arn", "aws_iam_role", "arn", needed=True),
    ),
    "aws_scheduler_schedule": (
        _to("group_name", "aws_scheduler_schedule_group", "name"),
        _to("target.arn", TARGETS, "arn"),
        _to("target.dead_letter_config.arn", QUEUE, "arn"),
        _to("target.role_arn", "aws_iam_role", "arn", needed=True),
    ),
    "aws_iam_role_policy": (_to("role", "aws_iam_role", "name"),),
    "aws_kms_alias": (_to("target_key_id", "aws_kms_key", "key_id", "arn", needed=True),),
    "aws_lambda_event_source_mapping": (
        FUNCTION,
        _to("event_source_arn", SOURCES, "arn", "stream_arn", needed=True),
        _to("destination_config.on_failure.destination_arn", QUEUE, "arn"),
    ),
    "aws_lambda_function": (
        _to("role", "aws_iam_role", "arn"),
        _to("logging_config.log_group", LOG_GROUP, "name", needed=True),
        _to("dead_letter_config.target_arn", f"{QUEUE} aws_sns_topic", "arn"),
    ),
    "aws_lambda_function_event_invoke_config": (
        FUNCTION,
        _to("destination_config.on_failure.destination", DESTINATIONS, "arn"),
        _to("destination_config.on_success.destination", DESTINATIONS, "arn"),
    ),
    "aws_lambda_permission": (FUNCTION,),
    "aws_sns_topic_policy": (_to("arn", TOPIC, "arn"),),
    "aws_sns_topic_subscription": (
        _to("topic_arn", TOPIC, "arn"),
        _to("endpoint", f"{QUEUE} aws_lambda_function", "arn"),
    ),
    "aws_sqs_queue_policy": (_to("queue_url", QUEUE, "url"),),
    "aws_sqs_queue_redrive_allow_policy": (_to("queue_url", QUEUE, "url"),),
    "aws_sqs_queue_redrive_policy": (_to("queue_url", QUEUE, "url"),),
}
"""What arguments name, by the type of their block."""

ANYWHERE = (
    "arn",
    "credentials_arn",
    "dead_letter_config.arn",
    "destination_config.on_failure.destination",
    "role",
    "role_arn",
)
"""Arguments whose ARNs may be of another account or region, or are checked by what they are for."""

OWN = ("aws_sns_topic_policy",)
"""What only the account of the resource that it names can make."""

ON_BUS = ("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target")
"""What may be on a bus of another account, whose policy must let it: `rules.py` checks that."""

Named = Mapping[tuple[Place | None, str, str], Block]
"""Blocks by account and region, or by none of these, by type, and by the value that names them."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """Arguments that name what is not there, or what may be made too late."""
    named = _named(configuration)
    for block in configuration.of(*REFERENCES):
        for reference in REFERENCES[block.type]:
            for value in _values(configuration, block, reference.argument):
                yield from _problems(configuration, named, block, reference, value)


def _problems(
    configuration: Configuration, named: Named, block: Block, reference: _Reference, value: str
) -> Iterator[Finding]:
    if reference.argument in ("event_source_arn", "source") and source_service(value) not in access.READING:
        return  # it is said not to be simulated
    found = next(filter(None, (named.get((block.place, to, value)) for to in reference.to)), None)
    if found is None:
        elsewhere = next(filter(None, (named.get((None, to, value)) for to in reference.to)), None)
        is_anywhere = reference.argument in ANYWHERE and block.type not in OWN
        is_anywhere |= block.type in ON_BUS and reference is BUS
        if elsewhere is not None and not (value.startswith("arn:") and is_anywhere):
            words = f"{reference.argument}: names {elsewhere.id}, which is in {elsewhere.place.account_id}"
            here = f"{block.place.account_id} in {block.place.region}"
            yield finding("BB108", block.id, f"{words} in {elsewhere.place.region}; allowed: one of {here}")
        elif elsewhere is None and reference.needed and not value.startswith("${"):
            words = f"{reference.argument}: names {value!r}, which no stack makes as {' or '.join(reference.to)}"
            yield finding("BB105", block.id, words)
    elif not (found is block or found.stack != block.stack or configuration.depends_on(block, found)):
        words = (
            f"{reference.argument}: names {found.address} by a text: Terraform may make the block before it, and "
            "the first apply fails; write a reference, or add it to depends_on"
        )
        yield finding("BB111", block.id, words)


def _named(configuration: Configuration) -> Named:
    """Every block that something may name, by each of its names; ARNs are found from other accounts as well."""
    ways: dict[str, set[str]] = defaultdict(set)
    for references in REFERENCES.values():
        for reference in references:
            for to in reference.to:
                ways[to].update(reference.by)
    found: dict[tuple[Place | None, str, str], Block] = {}
    for block in configuration.of(*ways):
        for attribute in ways[block.type]:
            for value in _values(configuration, block, attribute):
                found[block.place, block.type, value] = block
                found.setdefault((None, block.type, value), block)
    return found


def _values(configuration: Configuration, block: Block, argument: str) -> Iterator[str]:
    """The texts at an argument, also of nested blocks; none where it cannot be read, which has a finding of its own."""
    name, *within = argument.split(".")
    try:
        value = configuration.value(block, name)
    except BackboneError:
        return
    yield from _texts(value, within)


def _texts(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _texts(part, path)
    elif path:
        if isinstance(value, dict):
            yield from _texts(value.get(path[0]), path[1:])
    elif isinstance(value, str):
        yield value.removesuffix(":*")  # of a log group, with its streams
