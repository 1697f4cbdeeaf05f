"""Attributes that a resource has beside its arguments, where AWS forms them from its arguments: ARNs, URLs, ids."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from backbone.aws.arn import Place

__all__ = ["UNKNOWN", "computed"]

UNKNOWN: Final = object()
"""The value of an attribute that is not known before the resource is made."""


@dataclass(frozen=True)
class _Resource:
    """A resource whose attributes are formed: which and where it is, and the values of its other attributes."""

    id: str
    place: Place
    value: Callable[[str], Any]


STREAM_LABEL = "2024-01-01T00:00:00.000"
"""When a table's stream was made, which AWS makes its name."""

Rule = Callable[[_Resource], Any]


def computed(type: str, id: str, place: Place, name: str, value: Callable[[str], Any]) -> Any:
    """An attribute of a resource as AWS forms it; UNKNOWN when it is drawn by AWS or is no attribute.

    `id` is the block's, with its stack: two stacks may have the same address in one account. `value` gives the
    resource's other attributes.
    """
    rule = _ATTRIBUTES.get(type, {}).get(name)
    return UNKNOWN if rule is None else rule(_Resource(id, place, value))


def _named(service: str, prefix: str = "", argument: str = "name") -> Rule:
    return lambda resource: resource.place.arn(service, f"{prefix}{resource.value(argument)}")


def _same(argument: str) -> Rule:
    return lambda resource: resource.value(argument)


def _drawn(length: int) -> Rule:
    """An id that AWS draws: here the same for the same resource each time."""
    return lambda resource: hashlib.sha256(f"{resource.place}{resource.id}".encode()).hexdigest()[:length]


def _uuid(resource: _Resource) -> str:
    """A UUID that AWS draws: here the same for the same resource each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{resource.place}{resource.id}"))


def _name(suffix: Callable[[_Resource], str] = lambda _: "", argument: str = "name_prefix") -> Rule:
    """The name that Terraform draws for a resource without a name: its prefix and digits."""

    def name(resource: _Resource) -> str:
        prefix, drawn = resource.value(argument), _drawn(21)(resource)
        prefix = "terraform-" if prefix is UNKNOWN or prefix is None else prefix
        return f"{prefix}{int(drawn, 16) % 10**26:026}{suffix(resource)}"

    return name


def _named_and_drawn(kind: str) -> Rule:
    """An ARN that ends in an id which EventBridge draws."""

    def arn(resource: _Resource) -> str:
        return resource.place.arn("events", f"{kind}/{resource.value('name')}/{_uuid(resource)}")

    return arn


def _rule_arn(resource: _Resource) -> str:
    bus, name = resource.value("event_bus_name"), resource.value("name")
    return resource.place.rule_on("default" if bus is UNKNOWN or bus is None else str(bus), str(name))


def _rule_id(resource: _Resource) -> str:
    """`BUS/RULE`; the rule's name alone on the default bus."""
    return _rule_arn(resource).partition(":rule/")[2]


def _schedule_id(resource: _Resource) -> str:
    group = resource.value("group_name")
    return f"{'default' if group is UNKNOWN or group is None else group}/{resource.value('name')}"


def _schedule_arn(resource: _Resource) -> str:
    return resource.place.arn("scheduler", f"schedule/{_schedule_id(resource)}")


def _in_iam(kind: str) -> Rule:
    def arn(resource: _Resource) -> str:
        path = resource.value("path")
        path = "" if path is UNKNOWN or path is None else str(path).removeprefix("/")
        return resource.place.iam(f"{kind}/{path}{resource.value('name')}")

    return arn


def _fifo(resource: _Resource) -> str:
    return ".fifo" if resource.value("fifo_queue") in (True, "true") else ""


def _queue_url(resource: _Resource) -> str:
    place = resource.place
    return f"https://sqs.{place.region}.{place.dns_suffix}/{place.account_id}/{resource.value('name')}"


def _invoke_arn(resource: _Resource) -> str:
    place, path = resource.place, f"lambda:path/2015-03-31/functions/{resource.value('arn')}/invocations"
    return f"arn:{place.partition}:apigateway:{place.region}:{path}"


def _bucket_arn(resource: _Resource) -> str:
    return f"arn:{resource.place.partition}:s3:::{resource.value('bucket')}"


def _api_endpoint(resource: _Resource) -> str:
    return f"https://{resource.value('id')}.execute-api.{resource.place.region}.{resource.place.dns_suffix}"


_ATTRIBUTES: dict[str, dict[str, Rule]] = {
    "aws_cloudwatch_event_bus": {"arn": _named("events", "event-bus/"), "id": _same("name")},
    "aws_cloudwatch_event_rule": {"arn": _rule_arn, "id": _rule_id, "name": _name()},
    "aws_cloudwatch_event_archive": {"arn": _named("events", "archive/"), "id": _same("name")},
    "aws_cloudwatch_event_connection": {"arn": _named_and_drawn("connection"), "id": _same("name")},
    "aws_cloudwatch_event_api_destination": {"arn": _named_and_drawn("api-destination"), "id": _same("name")},
    "aws_cloudwatch_log_group": {"arn": _named("logs", "log-group:"), "id": _same("name"), "name": _name()},
    "aws_cloudwatch_log_delivery_source": {"arn": _named("logs", "delivery-source:")},
    "aws_cloudwatch_log_delivery_destination": {"arn": _named("logs", "delivery-destination:")},
    "aws_iam_policy": {"arn": _in_iam("policy"), "id": _in_iam("policy"), "name": _name()},
    "aws_iam_role": {"arn": _in_iam("role"), "id": _same("name"), "name": _name(), "unique_id": _drawn(16)},
    "aws_sqs_queue": {"arn": _named("sqs"), "url": _queue_url, "id": _queue_url, "name": _name(_fifo)},
    "aws_lambda_function": {
        "arn": _named("lambda", "function:", "function_name"),
        "invoke_arn": _invoke_arn,
        "id": _same("function_name"),
    },
    "aws_dynamodb_table": {
        "arn": _named("dynamodb", "table/"),
        "id": _same("name"),
        "stream_arn": lambda resource: f"{resource.value('arn')}/stream/{STREAM_LABEL}",
        "stream_label": lambda _: STREAM_LABEL,
    },
    "aws_kinesis_stream": {"arn": _named("kinesis", "stream/"), "id": _named("kinesis", "stream/")},
    "aws_apigatewayv2_api": {
        "id": _drawn(10),
        "api_endpoint": _api_endpoint,
        "execution_arn": _named("execute-api", "", "id"),
        "arn": lambda resource: (
            f"arn:{resource.place.partition}:apigateway:{resource.place.region}::/apis/{resource.value('id')}"
        ),
    },
    "aws_kms_key": {
        "arn": lambda resource: resource.place.arn("kms", f"key/{_uuid(resource)}"),
        "id": _uuid,
        "key_id": _uuid,
    },
    "aws_kms_alias": {"arn": _named("kms"), "id": _same("name")},
    "aws_apigatewayv2_integration": {"id": _drawn(7)},
    "aws_apigatewayv2_authorizer": {"id": _drawn(6)},
    "aws_ecs_cluster": {"arn": _named("ecs", "cluster/"), "id": _named("ecs", "cluster/")},
    "aws_ecs_task_definition": {
        "arn": lambda resource: resource.place.arn("ecs", f"task-definition/{resource.value('family')}:1"),
        "arn_without_revision": _named("ecs", "task-definition/", "family"),
    },
    "aws_kinesis_firehose_delivery_stream": {"arn": _named("firehose", "deliverystream/")},
    "aws_pipes_pipe": {"arn": _named("pipes", "pipe/"), "id": _same("name")},
    "aws_s3_bucket": {"arn": _bucket_arn, "bucket": _name(argument="bucket_prefix"), "id": _same("bucket")},
    "aws_scheduler_schedule": {"arn": _schedule_arn, "id": _schedule_id, "name": _name()},
    "aws_scheduler_schedule_group": {
        "arn": _named("scheduler", "schedule-group/"),
        "id": _same("name"),
        "name": _name(),
    },
    "aws_sfn_state_machine": {"arn": _named("states", "stateMachine:"), "id": _named("states", "stateMachine:")},
    "aws_sns_topic": {"arn": _named("sns"), "id": _named("sns"), "name": _name()},
}
