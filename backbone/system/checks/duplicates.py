"""Blocks that make one and the same resource: the second apply fails, or each undoes what the other did."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.errors import BackboneError
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Block, Configuration, as_text

__all__ = ["check"]

IDENTITIES: dict[str, tuple[str, ...]] = {
    "aws_apigatewayv2_authorizer": ("api_id", "name"),
    "aws_apigatewayv2_route": ("api_id", "route_key"),
    "aws_apigatewayv2_stage": ("api_id", "name"),
    "aws_cloudwatch_event_api_destination": ("name",),
    "aws_cloudwatch_event_connection": ("name",),
    "aws_cloudwatch_event_target": ("event_bus_name", "rule", "target_id"),
    "aws_cloudwatch_log_delivery": ("delivery_source_name", "delivery_destination_arn"),
    "aws_cloudwatch_log_delivery_destination": ("name",),
    "aws_cloudwatch_log_delivery_source": ("name",),
    "aws_cloudwatch_log_resource_policy": ("policy_name",),
    "aws_cloudwatch_log_stream": ("log_group_name", "name"),
    "aws_iam_role_policy": ("role", "name"),
    "aws_kms_alias": ("name",),
    "aws_lambda_event_source_mapping": ("function_name", "event_source_arn"),
    "aws_kinesis_firehose_delivery_stream": ("name",),
    "aws_lambda_function_event_invoke_config": ("function_name", "qualifier"),
    **{
        f"aws_s3_bucket{name}": ("bucket",)
        for name in ("", "_lifecycle_configuration", "_notification", "_public_access_block", "_versioning")
    },
    "aws_s3_bucket_server_side_encryption_configuration": ("bucket",),
    "aws_sfn_state_machine": ("name",),
    "aws_sns_topic_subscription": ("topic_arn", "protocol", "endpoint"),
}
"""What tells the resources of a type in an account and region apart, where they have no ARN of their own.

A resource whose last argument is absent gets one from AWS or from Terraform that nothing else has.
"""

DEFAULTS = {"event_bus_name": "default", "qualifier": ""}


def check(configuration: Configuration) -> Iterator[Finding]:
    """The second and further blocks of a resource."""
    first: dict[tuple[str, ...], Block] = {}
    for block in configuration.of(*IDENTITIES):
        identity = _identity(configuration, block)
        if identity is None:
            continue
        if (other := first.setdefault(identity, block)) is not block:
            names = ", ".join(IDENTITIES[block.type])
            yield finding("BB102", block.id, f"has the same {names} as {other.id}")


def _identity(configuration: Configuration, block: Block) -> tuple[str, ...] | None:
    place = block.place
    found = [block.type, place.partition, place.region, place.account_id]
    for name in IDENTITIES[block.type]:
        try:
            value = configuration.value(block, name, DEFAULTS.get(name))
        except BackboneError:
            return None  # it has a finding of its own
        if value is None:
            return None
        found.append(as_text(value))
    return tuple(found)
