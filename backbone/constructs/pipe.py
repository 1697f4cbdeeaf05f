"""A pipe of EventBridge Pipes: from a queue, stream or table to a target, without code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

from backbone.aws import names, policies, target_policies
from backbone.aws.limits import QUEUE_NAME_CHARACTERS, ROLE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import (
    Construct,
    PipesPipe,
    PipesPipeLogConfiguration,
    PipesPipeLogConfigurationCloudwatchLogsLogDestination,
    PipesPipeSourceParameters,
    PipesPipeSourceParametersDynamodbStreamParameters,
    PipesPipeSourceParametersDynamodbStreamParametersDeadLetterConfig,
    PipesPipeSourceParametersFilterCriteria,
    PipesPipeSourceParametersFilterCriteriaFilter,
    PipesPipeSourceParametersKinesisStreamParameters,
    PipesPipeSourceParametersKinesisStreamParametersDeadLetterConfig,
    PipesPipeSourceParametersSqsQueueParameters,
    PipesPipeTargetParameters,
    PipesPipeTargetParametersLambdaFunctionParameters,
    PipesPipeTargetParametersStepFunctionStateMachineParameters,
)
from backbone.constructs.account import Account
from backbone.constructs.delivery_stream import DeliveryStream
from backbone.constructs.function import Function
from backbone.constructs.log_group import log_group
from backbone.constructs.queue import Queue
from backbone.constructs.role import Role
from backbone.constructs.state_machine import StateMachine
from backbone.constructs.stream import Stream
from backbone.constructs.stream_reader import MAX_AGE_SECONDS
from backbone.constructs.table import Table
from backbone.constructs.topic import Topic
from backbone.errors import BackboneError
from backbone.patterns import Pattern, PatternError

__all__ = ["Pipe", "PipeSettings", "PipeSource", "PipeTarget"]

PipeSource = Queue | Stream | Table
"""What a pipe can read."""

PipeTarget = Function | Queue | Topic | StateMachine | DeliveryStream
"""What a pipe can send to."""

READ_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""EventBridge user guide, "Amazon EventBridge Pipes permissions"."""

SEND = {Function: "lambda:InvokeFunction", Queue: "sqs:SendMessage", Topic: "sns:Publish"}

NO_BUS = (
    'a pipe reaches no bus of another account (EventBridge user guide, "Amazon EventBridge Pipes targets"), and what '
    "it would put lacks the id by which consumers know an event again; to publish what a table tells, give the table "
    "an outbox, and to publish anything else, put it with backbone.runtime.Publisher in a function that the pipe calls"
)


class PipeSettings(TypedDict, total=False):
    """How a pipe reads and what it sends, where that is not as `Pipe` has it by default."""

    pattern: Mapping[str, Any] | None
    enrichment: Function | None
    input_template: str | None
    batch_size: int
    window_seconds: int
    starting_position: Literal["TRIM_HORIZON", "LATEST"]
    max_retry_attempts: int | None


class Pipe(Construct):
    """A pipe with a role that may read its source, call its enrichment and send to its target, and no more.

    `pattern` narrows what is sent, as an event pattern does: for the message of a queue with its `body`, the record of
    a table's stream, or that of a stream with its `data`. The function `enrichment` is given the batch and answers with
    what is sent in its place. `input_template` is what is sent for each item, with `<$.body.id>`,
    `<$.dynamodb.NewImage.id.S>` or `<aws.pipes.pipe-name>` filled in. A function is called, and waited for, and a
    state machine is started, with an array of up to `batch_size` items; everything else gets each item by itself.

    Messages that fail stay in their queue, until its redrive policy moves them: a queue without one is refused.
    Records of a stream or table are read from `starting_position` on and tried in halves of their batch, until they
    are old or were tried again `max_retry_attempts` times; what tells of them is in the queue `dead_letters` then.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name_of: NameOf,
        source: PipeSource,
        to: PipeTarget,
        log_retention_days: int,
        pattern: Mapping[str, Any] | None = None,
        enrichment: Function | None = None,
        input_template: str | None = None,
        batch_size: int = 10,
        window_seconds: int = 0,
        starting_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON",
        max_retry_attempts: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        _check(name_of(id), source, to)
        self.name = name_of(id)
        self.dead_letters: Queue | None = None
        if not isinstance(source, Queue):
            name = name_of(f"{id}-dead-letters", QUEUE_NAME_CHARACTERS)
            self.dead_letters = Queue(self, "dead-letters", account=account, name=name)
        role = Role(
            self,
            account=account,
            name=name_of(f"{id}-{account.place.region}", ROLE_NAME_CHARACTERS),
            description=f"Reads and sends for {self.name}",
            trust=target_policies.pipe_trust(account.place, self.name),
        )
        group = log_group(
            self,
            "log-group",
            account=account,
            name=names.pipe_log_group(self.name),
            retention_days=log_retention_days,
        )
        batches = {"batch_size": batch_size, "maximum_batching_window_in_seconds": window_seconds or None}
        records = {"starting_position": starting_position, "maximum_retry_attempts": max_retry_attempts}
        pipe = PipesPipe(
            self,
            "Default",
            provider=account.provider,
            name=self.name,
            role_arn=role.arn,
            source=str(source.stream_arn if isinstance(source, Table) else source.arn),
            target=to.arn,
            enrichment=enrichment and enrichment.arn,
            source_parameters=PipesPipeSourceParameters(
                filter_criteria=pattern and _filter(self.name, pattern),
                **_source(source, self.dead_letters, batches, records),
            ),
            target_parameters=_target(to, input_template),
            log_configuration=PipesPipeLogConfiguration(
                level="ERROR",
                cloudwatch_logs_log_destination=PipesPipeLogConfigurationCloudwatchLogsLogDestination(
                    log_group_arn=group.arn
                ),
            ),
            depends_on=[role.allow("role-policy", "pipe", self._allowed(account, source, to, enrichment))],
        )
        self.arn = pipe.arn

    def _allowed(
        self, account: Account, source: PipeSource, to: PipeTarget, enrichment: Function | None
    ) -> policies.Document:
        """What the role may do."""
        documents = [_reading(source), _sending(to)]
        if self.dead_letters is not None:
            documents.append(policies.allow(["sqs:SendMessage"], self.dead_letters.arn))
        if enrichment is not None:
            documents.append(policies.allow(["lambda:InvokeFunction"], enrichment.arn))
        if account.kms_key is not None:
            documents.append(policies.allow(["kms:Decrypt", "kms:GenerateDataKey"], account.kms_key))
        return policies.document(*(one for document in documents for one in document["Statement"]))


def _check(name: str, source: object, to: object) -> None:
    """BackboneError where a pipe cannot read its source, or not send to its target."""
    if not isinstance(to, get_args(PipeTarget)):
        raise BackboneError(
            f"the pipe {name}: to: got {type(to).__name__}; allowed: a function, queue, topic, state machine or "
            f"delivery stream; {NO_BUS}"
        )
    if not isinstance(source, get_args(PipeSource)):
        raise BackboneError(
            f"the pipe {name}: source: got {type(source).__name__}; allowed: a queue, a stream, or a table that is "
            "streamed"
        )
    if isinstance(source, Queue) and source.dead_letters_arn is None:
        raise BackboneError(
            f"the pipe {name}: source: its queue has no dead_letters_arn, so that a message which cannot be sent would "
            "be lost; give it the ARN of another queue"
        )
    if isinstance(source, Table) and not source.streamed:
        raise BackboneError(f"the pipe {name}: source: its table tells no changes; give it streamed=True")


def _reading(source: PipeSource) -> policies.Document:
    if isinstance(source, Queue):
        return policies.allow(READ_QUEUE, str(source.arn))
    if isinstance(source, Table):
        return policies.read_stream(source.stream_arn, service="dynamodb")
    return policies.read_stream(source.arn, service="kinesis")


def _sending(to: PipeTarget) -> policies.Document:
    if isinstance(to, StateMachine | DeliveryStream):
        return to.permissions
    return policies.allow([SEND[type(to)]], to.arn)


def _filter(name: str, pattern: Mapping[str, Any]) -> PipesPipeSourceParametersFilterCriteria:
    text = policies.to_json(pattern)
    try:
        Pattern.parse(text)
    except PatternError as error:
        raise BackboneError(f"the pipe {name}: pattern: {error}") from None
    one = PipesPipeSourceParametersFilterCriteriaFilter(pattern=text)
    return PipesPipeSourceParametersFilterCriteria(filter=[one])


def _source(
    source: PipeSource, dead_letters: Queue | None, batches: Mapping[str, Any], records: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters of the source."""
    if dead_letters is None:
        return {"sqs_queue_parameters": PipesPipeSourceParametersSqsQueueParameters(**batches)}
    service = "dynamodb" if isinstance(source, Table) else "kinesis"
    given: dict[str, Any] = {
        **batches,
        **records,
        "on_partial_batch_item_failure": "AUTOMATIC_BISECT",
        "maximum_record_age_in_seconds": MAX_AGE_SECONDS[service],
    }
    arn = dead_letters.arn
    if service == "dynamodb":
        letters = PipesPipeSourceParametersDynamodbStreamParametersDeadLetterConfig(arn=arn)
        table = PipesPipeSourceParametersDynamodbStreamParameters(dead_letter_config=letters, **given)
        return {"dynamodb_stream_parameters": table}
    config = PipesPipeSourceParametersKinesisStreamParametersDeadLetterConfig(arn=arn)
    stream = PipesPipeSourceParametersKinesisStreamParameters(dead_letter_config=config, **given)
    return {"kinesis_stream_parameters": stream}


def _target(to: PipeTarget, template: str | None) -> PipesPipeTargetParameters | None:
    """The parameters of the target."""
    match to:
        case Function():
            function = PipesPipeTargetParametersLambdaFunctionParameters(invocation_type="REQUEST_RESPONSE")
            return PipesPipeTargetParameters(input_template=template, lambda_function_parameters=function)
        case StateMachine():
            machine = PipesPipeTargetParametersStepFunctionStateMachineParameters(invocation_type="FIRE_AND_FORGET")
            return PipesPipeTargetParameters(input_template=template, step_function_state_machine_parameters=machine)
    return PipesPipeTargetParameters(input_template=template) if template else None
