"""Write backbone/aws/data/service_models.json: what botocore's service models say of each Terraform argument.

`python -m scripts.service_models` maps every argument of provider.json to the member of an API request that the
provider sends it in, and writes the member's limits: `length` (characters), `items` (of a list or map) and `range` (of
a number) as [least, most], `pattern`, `enum`, and `whole` of a number without a fraction. `name[]` is what an element
of the list `name` must be, `name{}` a value and `name{key}` a key of a map. What no request has a member for is not in
the file (`force_destroy`; a queue's attributes, which the model has as a map of text).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore
from botocore.loaders import Loader

from scripts import provider_schema

__all__ = ["DATA", "OPERATIONS", "Member", "generate", "to_text", "unmapped"]

DATA = provider_schema.DATA.parent / "service_models.json"

Json = dict[str, Any]

_AGING = "s3.PutBucketLifecycleConfiguration"
_CLOSED = "s3.PutPublicAccessBlock"
_ENCRYPTING = "s3.PutBucketEncryption s3.PutBucketEncryption.ServerSideEncryptionConfiguration"
_KEEPING = "s3.PutBucketVersioning"
_TELLING = "s3.PutBucketNotificationConfiguration"

OPERATIONS: Mapping[str, str] = {
    "aws_apigatewayv2_api": "apigatewayv2.CreateApi",
    "aws_apigatewayv2_authorizer": "apigatewayv2.CreateAuthorizer",
    "aws_apigatewayv2_deployment": "apigatewayv2.CreateDeployment",
    "aws_apigatewayv2_integration": "apigatewayv2.CreateIntegration",
    "aws_apigatewayv2_route": "apigatewayv2.CreateRoute",
    "aws_apigatewayv2_stage": "apigatewayv2.CreateStage",
    "aws_cloudwatch_event_api_destination": "events.CreateApiDestination",
    "aws_cloudwatch_event_archive": "events.CreateArchive",
    "aws_cloudwatch_event_bus": "events.CreateEventBus",
    "aws_cloudwatch_event_bus_policy": "events.PutPermission",
    "aws_cloudwatch_event_connection": "events.CreateConnection",
    "aws_cloudwatch_event_permission": "events.PutPermission",
    "aws_cloudwatch_event_rule": "events.PutRule",
    "aws_cloudwatch_event_target": "events.PutTargets events.PutTargets.Targets[]",
    "aws_cloudwatch_log_delivery": "logs.CreateDelivery",
    "aws_cloudwatch_log_delivery_destination": "logs.PutDeliveryDestination",
    "aws_cloudwatch_log_delivery_destination_policy": "logs.PutDeliveryDestinationPolicy",
    "aws_cloudwatch_log_delivery_source": "logs.PutDeliverySource",
    "aws_cloudwatch_log_group": "logs.CreateLogGroup logs.PutRetentionPolicy",
    "aws_cloudwatch_log_resource_policy": "logs.PutResourcePolicy",
    "aws_cloudwatch_log_stream": "logs.CreateLogStream",
    "aws_cloudwatch_log_subscription_filter": "logs.PutSubscriptionFilter",
    "aws_dynamodb_table": "dynamodb.CreateTable",
    "aws_ecs_cluster": "ecs.CreateCluster",
    "aws_ecs_task_definition": "ecs.RegisterTaskDefinition",
    "aws_iam_policy": "iam.CreatePolicy",
    "aws_iam_role": "iam.CreateRole",
    "aws_iam_role_policy": "iam.PutRolePolicy",
    "aws_iam_role_policy_attachment": "iam.AttachRolePolicy",
    "aws_kinesis_firehose_delivery_stream": "firehose.CreateDeliveryStream",
    "aws_kinesis_stream": "kinesis.CreateStream kinesis.StartStreamEncryption kinesis.EnableEnhancedMonitoring",
    "aws_kms_alias": "kms.CreateAlias",
    "aws_kms_key": "kms.CreateKey kms.EnableKeyRotation",
    "aws_kms_key_policy": "kms.PutKeyPolicy",
    "aws_lambda_alias": "lambda.CreateAlias",
    "aws_lambda_event_source_mapping": "lambda.CreateEventSourceMapping",
    "aws_lambda_function": "lambda.CreateFunction lambda.CreateFunction.Code lambda.PutFunctionConcurrency",
    "aws_lambda_function_event_invoke_config": "lambda.PutFunctionEventInvokeConfig",
    "aws_lambda_function_url": "lambda.CreateFunctionUrlConfig",
    "aws_lambda_layer_version": "lambda.PublishLayerVersion lambda.PublishLayerVersion.Content",
    "aws_lambda_layer_version_permission": "lambda.AddLayerVersionPermission",
    "aws_lambda_permission": "lambda.AddPermission",
    "aws_pipes_pipe": "pipes.CreatePipe",
    "aws_scheduler_schedule": "scheduler.CreateSchedule",
    "aws_scheduler_schedule_group": "scheduler.CreateScheduleGroup",
    "aws_s3_bucket": "s3.CreateBucket",
    "aws_s3_bucket_lifecycle_configuration": f"{_AGING} {_AGING}.LifecycleConfiguration",
    "aws_s3_bucket_notification": f"{_TELLING} {_TELLING}.NotificationConfiguration",
    "aws_s3_bucket_policy": "s3.PutBucketPolicy",
    "aws_s3_bucket_public_access_block": f"{_CLOSED} {_CLOSED}.PublicAccessBlockConfiguration",
    "aws_s3_bucket_server_side_encryption_configuration": _ENCRYPTING,
    "aws_s3_bucket_versioning": f"{_KEEPING} {_KEEPING}.VersioningConfiguration",
    "aws_sfn_state_machine": "stepfunctions.CreateStateMachine",
    "aws_sns_topic": "sns.CreateTopic",
    "aws_sns_topic_policy": "sns.SetTopicAttributes",
    "aws_sns_topic_subscription": "sns.Subscribe",
    "aws_sqs_queue": "sqs.CreateQueue",
    "aws_sqs_queue_policy": "sqs.SetQueueAttributes",
    "aws_sqs_queue_redrive_allow_policy": "sqs.SetQueueAttributes",
    "aws_sqs_queue_redrive_policy": "sqs.SetQueueAttributes",
}
"""The structures whose members are a resource's arguments, `service.Operation` or deeper, in the order of search."""

_AUTH = "aws_cloudwatch_event_connection.auth_parameters"
_DELIVERY = "aws_kinesis_firehose_delivery_stream"
_FILES = f"{_DELIVERY}.extended_s3_configuration"
_WRITING = {
    "buffering_interval": "BufferingHints.IntervalInSeconds",
    "buffering_size": "BufferingHints.SizeInMBs",
    "kms_key_arn": "EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN",
}
_HTTP = {"body": "BodyParameters", "header": "HeaderParameters", "query_string": "QueryStringParameters"}
_TABLE = "aws_dynamodb_table"
_INDEX = {
    "name": "IndexName",
    "non_key_attributes": "Projection.NonKeyAttributes",
    "projection_type": "Projection.ProjectionType",
    "hash_key": "KeySchema[].AttributeName",
    "range_key": "KeySchema[].AttributeName",
    "read_capacity": "ProvisionedThroughput.ReadCapacityUnits",
    "write_capacity": "ProvisionedThroughput.WriteCapacityUnits",
}
_MAPPING = "aws_lambda_event_source_mapping"
_PIPE = "aws_pipes_pipe"
_SCHEDULE = "aws_scheduler_schedule"
_TARGET = "aws_cloudwatch_event_target"

NAMES: Mapping[str, str] = {
    "aws_apigatewayv2_authorizer.identity_sources": "IdentitySource",
    "aws_apigatewayv2_integration.timeout_milliseconds": "TimeoutInMillis",
    "aws_apigatewayv2_stage.name": "StageName",
    "aws_cloudwatch_event_archive.name": "ArchiveName",
    f"{_AUTH}.api_key": "ApiKeyAuthParameters",
    f"{_AUTH}.api_key.key": "ApiKeyName",
    f"{_AUTH}.api_key.value": "ApiKeyValue",
    f"{_AUTH}.basic": "BasicAuthParameters",
    f"{_AUTH}.oauth": "OAuthParameters",
    **{f"{_AUTH}.invocation_http_parameters.{name}": member for name, member in _HTTP.items()},
    **{f"{_AUTH}.oauth.oauth_http_parameters.{name}": member for name, member in _HTTP.items()},
    f"{_TARGET}.appsync_target": "AppSyncParameters",
    f"{_TARGET}.batch_target": "BatchParameters",
    f"{_TARGET}.batch_target.array_size": "ArrayProperties.Size",
    f"{_TARGET}.batch_target.job_attempts": "RetryStrategy.Attempts",
    f"{_TARGET}.ecs_target": "EcsParameters",
    f"{_TARGET}.ecs_target.network_configuration": "NetworkConfiguration.awsvpcConfiguration",
    f"{_TARGET}.ecs_target.ordered_placement_strategy": "PlacementStrategy",
    f"{_TARGET}.http_target": "HttpParameters",
    f"{_TARGET}.input_transformer.input_paths": "InputPathsMap",
    f"{_TARGET}.kinesis_target": "KinesisParameters",
    f"{_TARGET}.redshift_target": "RedshiftDataParameters",
    f"{_TARGET}.redshift_target.secrets_manager_arn": "SecretManagerArn",
    f"{_TARGET}.run_command_targets": "RunCommandParameters.RunCommandTargets",
    f"{_TARGET}.sagemaker_pipeline_target": "SageMakerPipelineParameters",
    f"{_TARGET}.sqs_target": "SqsParameters",
    f"{_TARGET}.target_id": "Id",
    "aws_cloudwatch_log_group.name": "logGroupName",
    "aws_cloudwatch_log_stream.name": "logStreamName",
    "aws_cloudwatch_log_subscription_filter.name": "filterName",
    f"{_TABLE}.attribute": "AttributeDefinitions",
    f"{_TABLE}.attribute.name": "AttributeName",
    f"{_TABLE}.attribute.type": "AttributeType",
    **{f"{_TABLE}.{kind}_secondary_index.{name}": one for kind in ("global", "local") for name, one in _INDEX.items()},
    **{f"{_TABLE}.{name}": _INDEX[name] for name in ("hash_key", "range_key", "read_capacity", "write_capacity")},
    f"{_TABLE}.import_table": "dynamodb.ImportTable",
    f"{_TABLE}.import_table.input_format_options.csv.delimiter": "Delimiter",
    f"{_TABLE}.name": "TableName",
    f"{_TABLE}.point_in_time_recovery": "dynamodb.UpdateContinuousBackups.PointInTimeRecoverySpecification",
    f"{_TABLE}.point_in_time_recovery.enabled": "PointInTimeRecoveryEnabled",
    f"{_TABLE}.replica": "dynamodb.UpdateTable.ReplicaUpdates[].Create",
    f"{_TABLE}.replica.kms_key_arn": "KMSMasterKeyId",
    f"{_TABLE}.server_side_encryption": "SSESpecification",
    f"{_TABLE}.server_side_encryption.kms_key_arn": "KMSMasterKeyId",
    f"{_TABLE}.stream_enabled": "StreamSpecification.StreamEnabled",
    f"{_TABLE}.stream_view_type": "StreamSpecification.StreamViewType",
    f"{_TABLE}.ttl": "dynamodb.UpdateTimeToLive.TimeToLiveSpecification",
    "aws_iam_policy.name": "PolicyName",
    "aws_iam_policy.policy": "PolicyDocument",
    "aws_iam_role.assume_role_policy": "AssumeRolePolicyDocument",
    "aws_iam_role.inline_policy": "iam.PutRolePolicy",
    "aws_iam_role.inline_policy.name": "PolicyName",
    "aws_iam_role.inline_policy.policy": "PolicyDocument",
    "aws_iam_role.name": "RoleName",
    "aws_iam_role_policy.name": "PolicyName",
    "aws_iam_role_policy.policy": "PolicyDocument",
    "aws_iam_role_policy.role": "RoleName",
    "aws_iam_role_policy_attachment.role": "RoleName",
    "aws_ecs_cluster.name": "clusterName",
    f"{_DELIVERY}.name": "DeliveryStreamName",
    f"{_DELIVERY}.kinesis_source_configuration": "KinesisStreamSourceConfiguration",
    f"{_DELIVERY}.server_side_encryption": "DeliveryStreamEncryptionConfigurationInput",
    _FILES: "ExtendedS3DestinationConfiguration",
    **{f"{_FILES}.{name}": member for name, member in _WRITING.items()},
    **{f"{_FILES}.s3_backup_configuration.{name}": member for name, member in _WRITING.items()},
    f"{_FILES}.dynamic_partitioning_configuration.retry_duration": "RetryOptions.DurationInSeconds",
    "aws_kinesis_stream.kms_key_id": "KeyId",
    "aws_kinesis_stream.name": "StreamName",
    "aws_kinesis_stream.retention_period": "kinesis.IncreaseStreamRetentionPeriod.RetentionPeriodHours",
    "aws_kms_alias.name": "AliasName",
    "aws_kms_key.deletion_window_in_days": "kms.ScheduleKeyDeletion.PendingWindowInDays",
    f"{_MAPPING}.destination_config.on_failure.destination_arn": "Destination",
    "aws_lambda_function.durable_config.retention_period": "RetentionPeriodInDays",
    "aws_lambda_function_url.authorization_type": "AuthType",
    f"{_PIPE}.source_parameters.self_managed_kafka_parameters.vpc.security_groups": "SecurityGroup",
    f"{_PIPE}.target_parameters.sagemaker_pipeline_parameters.pipeline_parameter": "PipelineParameterList",
    f"{_SCHEDULE}.target.ecs_parameters.network_configuration": "NetworkConfiguration.awsvpcConfiguration",
    f"{_SCHEDULE}.target.sagemaker_pipeline_parameters.pipeline_parameter": "PipelineParameterList",
}
"""Arguments whose member has a name of its own: beside the others, or with its operation when that is another."""

ANYTHING = r"[\s\S]*"

PREFIX_SUFFIX = 26
"""The characters that the provider adds to a `name_prefix` (terraform-plugin-sdk, `id.UniqueIDSuffixLength`)."""


KINDS: Mapping[str, set[str]] = {
    "block": {"structure", "list", "map"},
    "bool": {"boolean"},
    "list": {"list"},
    "map": {"map", "list"},
    "number": {"integer", "long", "float", "double"},
    "set": {"list"},
    "string": {"string"},
}
"""The types of the service models that a type of Terraform stands for. A map may be a list of keys and values."""


@cache
def _model(service: str) -> Json:
    model: Json = Loader().load_service_model(service, "service-2")
    return model


@dataclass(frozen=True)
class Member:
    """A member of a request, by its place (`events.PutRule.Name`), with the name of its shape."""

    api: str
    shape_name: str

    @classmethod
    def at(cls, api: str) -> Member:
        """The member at a place, `[]` behind a list for its element; KeyError when there is none."""
        service, operation, *names = api.split(".")
        found = cls(f"{service}.{operation}", _model(service)["operations"][operation]["input"]["shape"])
        for name in names:
            found = found.child(name.removesuffix("[]"))
            if name.endswith("[]"):
                found = found.element()
        return found

    @property
    def shape(self) -> Json:
        """The shape, as the service model has it."""
        found: Json = _model(self.api.split(".")[0])["shapes"][self.shape_name]
        return found

    @property
    def kind(self) -> str:
        """The shape's type, such as structure, list, map, string or integer."""
        kind: str = self.shape["type"]
        return kind

    def child(self, name: str) -> Member:
        """A member of this structure by its name there."""
        return Member(f"{self.api}.{name}", self.shape["members"][name]["shape"])

    def like(self, argument: str) -> Member | None:
        """The member that Terraform's name stands for: `event_bus_name` for EventBusName, `filter` for Filters."""
        wanted = argument.replace("_", "")
        members = self.shape.get("members", {})
        found = next((name for name in members if name.lower() in (wanted, wanted + "s", wanted + "es")), None)
        return found and self.child(found)

    def element(self) -> Member:
        """What is in this list, or the values of this map."""
        place, key = ("[]", "member") if self.kind == "list" else ("{}", "value")
        return Member(self.api + place, self.shape[key]["shape"])

    def key(self) -> Member:
        """The keys of this map."""
        return Member(f"{self.api}{{key}}", self.shape["key"]["shape"])

    def limits(self, kind: Any) -> Json:
        """What a value of a type of Terraform must be; nothing where the provider makes another type of it."""
        if self.kind not in KINDS[kind if isinstance(kind, str) else kind[0]]:
            return {}
        shape: Json = self.shape
        found: Json = {}
        low, high = shape.get("min"), shape.get("max")
        if named := re.search(r"(?:String|Uri)WithLengthBetween(\d+)And(\d+)$", self.shape_name):
            low, high = int(named[1]), int(named[2])  # API Gateway says it in names
        word = {"string": "length", "list": "items", "map": "items"}.get(self.kind, "range")
        if low or high or (word == "range" and low == 0):
            found[word] = [low, high]
        if self.kind in ("integer", "long"):
            found["whole"] = True
        if shape.get("pattern", ANYTHING) != ANYTHING:
            found["pattern"] = shape["pattern"]
        return found | ({"enum": shape["enum"]} if "enum" in shape else {})


def generate(schema: Mapping[str, Json]) -> dict[str, Json]:
    """The limits of every argument of the types of a provider's schema, by type and path."""
    return {name: dict(sorted(_of(name, arguments))) for name, arguments in schema.items()}


def _of(name: str, arguments: Json) -> Iterator[tuple[str, Json]]:
    roots = [Member.at(one) for one in OPERATIONS[name].split()]
    for path, member, kind in _walk(arguments, roots, name, ""):
        if member is None:
            continue
        yield path, {"api": member.api} | member.limits(kind)
        if member.kind in ("list", "map") and kind != "block":
            yield from _inner(path, kind, member)
    for prefix in {"name_prefix", "statement_id_prefix"} & {*arguments}:
        whole = prefix.removesuffix("_prefix")
        if member := _find(roots, f"{name}.{whole}", whole):
            limits = member.limits("string")
            if "length" in limits:
                limits["length"] = [0, limits["length"][1] - PREFIX_SUFFIX]
            yield prefix, {"api": f"{member.api} (begins with it)"} | limits


def _walk(arguments: Json, roots: list[Member], place: str, path: str) -> Iterator[tuple[str, Member | None, Any]]:
    for name, one in arguments.items():
        if one.get("use") == "computed" or name in ("region", "tags_all", "timeouts"):
            continue
        member = _find(roots, f"{place}.{name}", name)
        yield f"{path}{name}", member, one.get("type", "block")
        if "block" in one:
            while member and member.kind in ("list", "map"):
                member = member.element()
            yield from _walk(one["block"], [member] if member else [], f"{place}.{name}", f"{path}{name}.")


def _find(roots: list[Member], place: str, name: str) -> Member | None:
    given = NAMES.get(place)
    if given is None:
        return next((found for root in roots if (found := root.like(name))), None)
    if re.match(r"[a-z0-9]+\.[A-Z]", given):
        return Member.at(given)
    for root in roots:
        if re.split(r"[.\[]", given)[0] in root.shape.get("members", {}):
            return Member.at(f"{root.api}.{given}")
    raise SystemExit(f"{place}: {', '.join(root.api for root in roots)} has no {given}; mend NAMES")


def _inner(path: str, kind: Any, member: Member) -> Iterator[tuple[str, Json]]:
    """What is inside of a list or map; a map of Terraform may be a list of keys and values in the API (tags)."""
    element = member.element()
    if not isinstance(kind, list):
        return
    if kind[0] != "map":
        yield f"{path}[]", {"api": element.api} | element.limits(kind[1])
        return
    if member.kind == "map":
        key, value = member.key(), element
    elif element.kind == "map":
        key, value = element.key(), element.element()
    else:
        names = element.shape["members"]
        key, value = (
            next(element.child(one) for one in names if one.lower().endswith(ends))
            for ends in (("key", "name"), ("value",))
        )
    yield f"{path}{{key}}", {"api": key.api} | key.limits("string")
    yield f"{path}{{}}", {"api": value.api} | value.limits(kind[1])


def unmapped(schema: Mapping[str, Json]) -> list[str]:
    """The arguments that no member of a request was found for."""
    found = []
    for name, arguments in schema.items():
        roots = [Member.at(one) for one in OPERATIONS[name].split()]
        found += [f"{name}.{path}" for path, member, _ in _walk(arguments, roots, name, "") if member is None]
    return found


def to_text(version: str, types: Mapping[str, Json]) -> str:
    """The data as the file has it: an argument a line."""
    lines = [f'"botocore": {json.dumps(version)}']
    for name, arguments in sorted(types.items()):
        rows = ",\n".join(f"  {json.dumps(path)}: {json.dumps(one)}" for path, one in arguments.items())
        lines.append(f'"{name}": {{\n{rows}\n}}')
    return "{" + ",\n".join(lines) + "}\n"


def main() -> None:
    """Write the file, and list the arguments that no member was found for."""
    schema = json.loads(provider_schema.DATA.read_text())
    schema.pop("versions")
    DATA.write_text(to_text(botocore.__version__, generate(schema)))
    sys.stdout.write("\n".join(["no member:", *unmapped(schema)]) + "\n")


if __name__ == "__main__":
    main()
