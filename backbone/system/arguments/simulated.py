"""Arguments that do nothing in the simulator: what has no part in what becomes of events, and what is noted.

Every other argument of a type that is read is honoured; `tests/system/test_simulated.py` holds that for every argument
that the provider knows. A path stands for all that is below it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem

__all__ = ["JUDGED", "NEUTRAL", "NOT_SIMULATED", "SAID", "notes"]

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """What is not simulated of an argument, and the values with which it does nothing on AWS either."""

    words: str
    unless: tuple[Any, ...] = ()


def _note(words: str, *unless: Any) -> Note:
    return Note(words, unless)


_FEEDBACK = ("application", "firehose", "http", "lambda", "sqs")
"""Protocols whose deliveries a topic can log."""

NEUTRAL: Mapping[str, tuple[str, ...]] = {
    "": ("tags", "tags_all", "timeouts", "description", "skip_destroy", "force_destroy"),
    "aws_apigatewayv2_api": ("ip_address_type", "version", "route_selection_expression", "fail_on_warnings"),
    "aws_apigatewayv2_authorizer": ("name",),
    "aws_apigatewayv2_deployment": ("triggers",),
    "aws_apigatewayv2_integration": ("integration_method", "passthrough_behavior"),
    "aws_apigatewayv2_route": ("api_key_required", "operation_name"),
    "aws_apigatewayv2_stage": (
        "default_route_settings.data_trace_enabled",
        "default_route_settings.detailed_metrics_enabled",
        "default_route_settings.logging_level",
    ),
    "aws_cloudwatch_event_connection": (
        *("auth_parameters", "authorization_type", "invocation_connectivity_parameters", "kms_key_identifier", "name"),
    ),
    "aws_cloudwatch_event_api_destination": ("connection_arn", "http_method"),
    "aws_cloudwatch_event_target": ("target_id",),
    "aws_cloudwatch_log_delivery": ("field_delimiter", "record_fields", "s3_delivery_configuration"),
    "aws_cloudwatch_log_delivery_destination": ("delivery_destination_type", "output_format"),
    "aws_cloudwatch_log_group": ("deletion_protection_enabled", "log_group_class", "retention_in_days"),
    "aws_cloudwatch_log_resource_policy": ("policy_name",),
    "aws_dynamodb_table": (
        *("billing_mode", "deletion_protection_enabled", "point_in_time_recovery", "server_side_encryption.enabled"),
        *("table_class", "warm_throughput", "global_secondary_index.warm_throughput"),
    ),
    "aws_iam_role": ("force_detach_policies", "inline_policy.name", "max_session_duration"),
    "aws_iam_role_policy": ("name", "name_prefix"),
    "aws_kinesis_stream": ("encryption_type", "enforce_consumer_deletion", "shard_level_metrics"),
    "aws_kms_alias": ("name", "name_prefix", "target_key_id"),
    "aws_kms_key": (
        *("bypass_policy_lockout_safety_check", "customer_master_key_spec", "deletion_window_in_days"),
        *("enable_key_rotation", "multi_region", "rotation_period_in_days"),
    ),
    "aws_lambda_event_source_mapping": ("kms_key_arn", "metrics_config"),
    "aws_lambda_function": (
        *("code_signing_config_arn", "package_type", "publish", "publish_to", "replace_security_groups_on_destroy"),
        *("replacement_security_group_ids", "snap_start", "source_kms_key_arn"),
        *("logging_config.application_log_level", "logging_config.log_format", "logging_config.system_log_level"),
    ),
    "aws_lambda_permission": ("statement_id_prefix",),
    "aws_pipes_pipe": ("kms_key_identifier", "log_configuration", "name_prefix"),
    "aws_scheduler_schedule": ("name_prefix",),
    "aws_scheduler_schedule_group": ("name_prefix",),
    "aws_sns_topic": (
        *("display_name", "signature_version", "tracing_config", "delivery_policy"),
        *(f"{kind}_{end}_feedback_role_arn" for kind in _FEEDBACK for end in ("failure", "success")),
        *(f"{kind}_success_feedback_sample_rate" for kind in _FEEDBACK),
    ),
    "aws_sns_topic_subscription": ("confirmation_timeout_in_minutes", "delivery_policy", "endpoint_auto_confirms"),
    "aws_sqs_queue": ("sqs_managed_sse_enabled",),
}
"""What has no part in what becomes of events, by type; of every type where there is none."""

JUDGED: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_archive": ("kms_key_identifier",),
    "aws_cloudwatch_event_bus": ("dead_letter_config", "kms_key_identifier", "log_config"),
    "aws_cloudwatch_log_delivery": ("delivery_destination_arn", "delivery_source_name"),
    "aws_cloudwatch_log_delivery_destination": ("delivery_destination_configuration", "name"),
    "aws_cloudwatch_log_delivery_source": ("log_type", "name", "resource_arn"),
    "aws_cloudwatch_log_group": ("kms_key_id",),
    "aws_dynamodb_table": ("server_side_encryption",),
    "aws_kinesis_stream": ("kms_key_id",),
    "aws_lambda_function": ("kms_key_arn", "tracing_config"),
    "aws_scheduler_schedule": ("kms_key_arn",),
    "aws_sns_topic": ("kms_master_key_id",),
}
"""What findings judge, such as that a key may be used: there is nothing else to see of it in a run."""

SAID: Mapping[str, tuple[str, ...]] = {
    "aws_lambda_function": ("image_config", "image_uri", "s3_bucket", "s3_key", "s3_object_version"),
}
"""What makes a whole resource one that is not simulated, of which there is a finding."""

_CALLED = "a call over it is not made: only functions answer routes"
_KAFKA = "only queues, Kinesis streams and streams of tables are read"
_NOT_ENRICHED = "only a function enriches: what another enrichment would be sent is kept"
_RESTORED = "the table has no items when a run begins"
_THROUGHPUT = "no call is throttled for it"
_WEBSOCKET = "only HTTP APIs are simulated"

NOT_SIMULATED: Mapping[str, Mapping[str, Note]] = {
    "aws_apigatewayv2_api": {
        "api_key_selection_expression": _note(_WEBSOCKET),
        "body": _note("routes of an OpenAPI document are not read; write them as blocks"),
        "credentials_arn": _note("the quick create of a route is not read; write blocks"),
        "route_key": _note("the quick create of a route is not read; write blocks"),
        "target": _note("the quick create of a route is not read; write blocks"),
    },
    "aws_apigatewayv2_authorizer": {
        "authorizer_credentials_arn": _note("Lambda authorizers are not called: they refuse everyone"),
        "authorizer_payload_format_version": _note("Lambda authorizers are not called: they refuse everyone"),
        "authorizer_result_ttl_in_seconds": _note("Lambda authorizers are not called: they refuse everyone"),
        "authorizer_uri": _note("Lambda authorizers are not called: they refuse everyone"),
        "enable_simple_responses": _note("Lambda authorizers are not called: they refuse everyone"),
    },
    "aws_apigatewayv2_integration": {
        "connection_id": _note(_CALLED),
        "connection_type": _note(_CALLED, "INTERNET"),
        "content_handling_strategy": _note(_WEBSOCKET),
        "credentials_arn": _note("the function is called as the API, not with this role"),
        "integration_subtype": _note(_CALLED),
        "request_parameters": _note("the call reaches the function as it is"),
        "request_templates": _note(_WEBSOCKET),
        "response_parameters": _note("the answer reaches the caller as the function gave it"),
        "template_selection_expression": _note(_WEBSOCKET),
        "tls_config": _note(_CALLED),
    },
    "aws_apigatewayv2_route": {
        "model_selection_expression": _note(_WEBSOCKET),
        "request_models": _note(_WEBSOCKET),
        "request_parameter": _note(_WEBSOCKET),
        "route_response_selection_expression": _note(_WEBSOCKET),
    },
    "aws_apigatewayv2_stage": {
        "client_certificate_id": _note(_WEBSOCKET),
        "route_settings": _note("the limits of single routes do not hold"),
    },
    "aws_cloudwatch_event_api_destination": {
        "invocation_endpoint": _note("it is not called: what it would be sent is kept"),
        "invocation_rate_limit_per_second": _note("it is not called: what it would be sent is kept at once"),
    },
    "aws_cloudwatch_event_bus": {"event_source_name": _note("no partner sends events")},
    "aws_cloudwatch_event_rule": {"role_arn": _note("targets are sent to with their own roles only")},
    "aws_cloudwatch_event_target": {
        name: _note("targets of this kind are not simulated")
        for name in (
            *("appsync_target", "batch_target", "redshift_target", "run_command_targets"),
            "sagemaker_pipeline_target",
        )
    }
    | {
        f"ecs_target.{name}": _note("no task is run: only what it would be given is kept")
        for name in (
            *("capacity_provider_strategy", "enable_ecs_managed_tags", "enable_execute_command", "group"),
            *("launch_type", "network_configuration", "ordered_placement_strategy", "placement_constraint"),
            *("platform_version", "propagate_tags", "tags", "task_count"),
        )
    }
    | {"http_target": _note("an endpoint is not called: only the body that it would be sent is kept")},
    "aws_dynamodb_table": {
        "global_secondary_index.on_demand_throughput": _note(_THROUGHPUT),
        "global_secondary_index.read_capacity": _note(_THROUGHPUT, 0),
        "global_secondary_index.write_capacity": _note(_THROUGHPUT, 0),
        "global_table_witness": _note("nothing is copied into other regions"),
        "import_table": _note(_RESTORED),
        "on_demand_throughput": _note(_THROUGHPUT),
        "read_capacity": _note(_THROUGHPUT, 0),
        "replica": _note("nothing is copied into other regions"),
        "restore_date_time": _note(_RESTORED),
        "restore_source_name": _note(_RESTORED),
        "restore_source_table_arn": _note(_RESTORED),
        "restore_to_latest_time": _note(_RESTORED),
        "write_capacity": _note(_THROUGHPUT, 0),
    },
    "aws_kinesis_stream": {"max_record_size_in_kib": _note("records of every size are taken")},
    "aws_kms_key": {
        "custom_key_store_id": _note("nothing is encrypted here"),
        "is_enabled": _note("a key that is disabled keeps nothing from being delivered", True),
        "key_usage": _note("nothing is encrypted here", "ENCRYPT_DECRYPT"),
        "xks_key_id": _note("nothing is encrypted here"),
    },
    "aws_lambda_event_source_mapping": {
        "amazon_managed_kafka_event_source_config": _note(_KAFKA),
        "document_db_event_source_config": _note(_KAFKA),
        "provisioned_poller_config": _note("pollers are not limited"),
        "queues": _note(_KAFKA),
        "self_managed_event_source": _note(_KAFKA),
        "self_managed_kafka_event_source_config": _note(_KAFKA),
        "source_access_configuration": _note(_KAFKA),
        "topics": _note(_KAFKA),
        "tumbling_window_in_seconds": _note("the function is given no state of a window", 0),
    },
    "aws_lambda_function": {
        "capacity_provider_config": _note("the function runs on this machine"),
        "durable_config": _note("an invocation that was ended is not continued"),
        "ephemeral_storage": _note("the folder for files is this machine's, and not limited"),
        "file_system_config": _note("the file system is not mounted"),
        "tenancy_config": _note("all invocations share a process"),
        "vpc_config": _note("the function reaches AWS without a way out of its network"),
    },
    "aws_pipes_pipe": {
        "enrichment_parameters.http_parameters": _note(_NOT_ENRICHED),
        **{
            f"source_parameters.{name}": _note(_KAFKA)
            for name in (
                *("activemq_broker_parameters", "managed_streaming_kafka_parameters", "rabbitmq_broker_parameters"),
                "self_managed_kafka_parameters",
            )
        },
        **{
            f"target_parameters.{name}": _note("targets of this kind are not simulated")
            for name in (
                *("batch_job_parameters", "http_parameters", "redshift_data_parameters"),
                *("ecs_task_parameters", "sagemaker_pipeline_parameters"),
            )
        },
        "target_parameters.cloudwatch_logs_parameters": _note("a log group has no streams, and its own times"),
        "target_parameters.eventbridge_event_bus_parameters.endpoint_id": _note("events do not go over an endpoint"),
        "target_parameters.eventbridge_event_bus_parameters.resources": _note("the event is put without resources"),
        "target_parameters.eventbridge_event_bus_parameters.time": _note("the event has the time when it is put"),
        "target_parameters.sqs_queue_parameters.message_deduplication_id": _note(
            "a FIFO queue tells what is sent twice by its content only"
        ),
    },
    "aws_scheduler_schedule": {
        "action_after_completion": _note("a schedule that is over stays, and calls nothing", "NONE"),
        **{
            f"target.ecs_parameters.{name}": _note("no task is run: only what it would be given is kept")
            for name in (
                *("capacity_provider_strategy", "enable_ecs_managed_tags", "enable_execute_command", "group"),
                *("launch_type", "network_configuration", "placement_constraints", "placement_strategy"),
                *("platform_version", "propagate_tags", "reference_id", "tags", "task_count"),
            )
        },
        "target.sagemaker_pipeline_parameters": _note("targets of this kind are not simulated"),
    },
    "aws_sns_topic": {
        name: _note("only standard topics are simulated, to which rules can send")
        for name in ("archive_policy", "content_based_deduplication", "fifo_throughput_scope", "fifo_topic")
    },
    "aws_sns_topic_subscription": {
        "replay_policy": _note("only standard topics are simulated, to which rules can send"),
        "subscription_role_arn": _note("no delivery stream is given anything"),
    },
}
"""What matters on AWS and does nothing here, by type."""


def notes(resource_type: str, body: Body) -> Iterator[ArgumentProblem]:
    """What is not simulated of a resource: a note for each argument that is given."""
    for path, note in NOT_SIMULATED.get(resource_type, {}).items():
        values = [value for value in _values(body, path.split(".")) if value not in (None, [], {}, *note.unless)]
        if values:
            yield ArgumentProblem(path, f"not simulated: {note.words}", "note")


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list) and path:
        for part in value:
            yield from _values(part, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from _values(value.get(path[0]), path[1:])
