"""Pipes of EventBridge Pipes: from a queue, a stream or a table's stream, over an enrichment, to a target."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.system.blocks import Blocks
from backbone.system.mapping import EventSourceMapping, read_filters, read_limit, source_service
from backbone.system.model import Resource, Target
from backbone.system.pipe_template import PipeTemplate
from backbone.system.target_input import TargetInput
from backbone.system.values import Values

__all__ = ["BATCH_SIZES", "SYNCHRONOUS", "Pipe", "read_pipe"]

SYNCHRONOUS = "REQUEST_RESPONSE"

SOURCES = {
    "dynamodb": "dynamodb_stream_parameters",
    "kinesis": "kinesis_stream_parameters",
    "sqs": "sqs_queue_parameters",
}

BATCH_SIZES = {"events": 10, "firehose": 500, "kinesis": 500, "logs": 10_000, "sns": 10, "sqs": 10}
"""The most that targets take at once, by their service (EventBridge user guide, "Batching and concurrency")."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pipe(Resource):
    """A pipe (`aws_pipes_pipe`). How its source is read is as an event source mapping says it."""

    mapping: EventSourceMapping
    role_arn: str
    target: Target
    template: PipeTemplate | None
    enrichment_arn: str | None
    enrichment_template: PipeTemplate | None
    invocation: str
    """Of functions and state machines: whether the pipe waits for the answer."""
    event_source: str | None
    event_type: str | None
    """The source and detail-type of the events that a bus is sent."""


def read_pipe(_blocks: Blocks, values: Values) -> Pipe:
    """A block `aws_pipes_pipe`; TerraformError for what AWS refuses."""
    block, sent = values.block, values.part("target_parameters")
    bus, enriching = sent.part("eventbridge_event_bus_parameters"), values.part("enrichment_parameters")
    called = sent.part("lambda_function_parameters").text("invocation_type", SYNCHRONOUS)
    started = sent.part("step_function_state_machine_parameters").text("invocation_type", SYNCHRONOUS)
    target = _target(values, sent)
    return Pipe(
        address=block.id,
        name=values.text("name"),
        arn=values.text("arn"),
        account=block.account,
        place=block.place,
        mapping=_mapping(values),
        role_arn=values.text("role_arn"),
        target=target,
        template=_template(sent),
        enrichment_arn=values.optional_text("enrichment") or None,
        enrichment_template=_template(enriching),
        invocation=started if source_service(target.arn) == "states" else called,
        event_source=bus.optional_text("source"),
        event_type=bus.optional_text("detail_type"),
    )


def _template(values: Values) -> PipeTemplate | None:
    text = values.optional_text("input_template")
    return PipeTemplate(text) if text else None


def _mapping(values: Values) -> EventSourceMapping:
    """How the source is read. A batch may be answered with what failed in it, always.

    Without a size it has 10 messages of a queue, or a single record (CDK API reference, "DynamoDBSourceParameters" and
    "SqsSourceParameters").
    """
    source, given = values.text("source"), values.part("source_parameters")
    service = source_service(source)
    own = given.part(SOURCES[service]) if service in SOURCES else values.empty
    position = own.optional_text("starting_position")
    return EventSourceMapping(
        address=values.block.id,
        source_arn=source,
        enabled=values.text("desired_state", "RUNNING") != "STOPPED",
        batch_size=own.integer("batch_size", 10 if service == "sqs" else 1),
        batching_window_seconds=own.integer("maximum_batching_window_in_seconds", 0),
        filters=read_filters(given),
        partial_failures=True,
        max_concurrency=None,
        starts_at=own.optional_text("starting_position_timestamp") if position == "AT_TIMESTAMP" else None,
        bisects=own.optional_text("on_partial_batch_item_failure") == "AUTOMATIC_BISECT",
        max_retry_attempts=read_limit(own, "maximum_retry_attempts"),
        max_record_age_seconds=read_limit(own, "maximum_record_age_in_seconds"),
        parallelization=own.integer("parallelization_factor", 1),
        failures_arn=own.part("dead_letter_config").optional_text("arn"),
    )


def _target(values: Values, sent: Values) -> Target:
    block = values.block
    return Target(
        address=block.id,
        rule_arn=values.text("arn"),
        rule_name=values.text("name"),
        account=block.account,
        account_id=block.place.account_id,
        arn=values.text("target"),
        role_arn=values.text("role_arn"),
        dead_letters_arn=None,
        max_attempts=0,
        max_age_seconds=0,
        input=TargetInput("", None, None),
        partition_key_path=None,
        partition_key=sent.part("kinesis_stream_parameters").optional_text("partition_key"),
        message_group=sent.part("sqs_queue_parameters").optional_text("message_group_id"),
        task_definition_arn=None,
        task_role_arns=(),
    )
