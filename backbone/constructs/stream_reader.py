"""From a stream of DynamoDB or Kinesis to the function that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from backbone.aws import policies
from backbone.cdk import (
    Construct,
    LambdaEventSourceMapping,
    LambdaEventSourceMappingDestinationConfig,
    LambdaEventSourceMappingDestinationConfigOnFailure,
    LambdaEventSourceMappingFilterCriteria,
    LambdaEventSourceMappingFilterCriteriaFilter,
)
from backbone.constructs.account import Account
from backbone.constructs.function import Function
from backbone.constructs.stream import Stream
from backbone.constructs.table import Table

__all__ = ["StreamReader"]

BATCH_SIZE = 100
MAX_AGE_SECONDS = {"dynamodb": 22 * 3_600, "kinesis": 160 * 3_600}
"""How old a record may become: some hours less than a stream of DynamoDB, or a `Stream`, keeps it."""


class StreamReader(Construct):
    """Has a function read a stream from its beginning, in the order of each key.

    The function says up to which record it came, and the batch is read again from there, in halves when it fails as a
    whole. A record that fails until it is old goes to the function's failure queue as where it was in the stream.
    `pattern` narrows what the function gets, as an event pattern does.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        function: Function,
        source: Table | Stream,
        pattern: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, id)
        service: Literal["dynamodb", "kinesis"] = "dynamodb" if isinstance(source, Table) else "kinesis"
        arn = source.stream_arn if isinstance(source, Table) else source.arn
        granted = function.grant(id, policies.read_stream(arn, service=service))
        LambdaEventSourceMapping(
            self,
            "Default",
            provider=account.provider,
            function_name=function.name,
            event_source_arn=arn,
            starting_position="TRIM_HORIZON",
            batch_size=BATCH_SIZE,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=MAX_AGE_SECONDS[service],
            filter_criteria=LambdaEventSourceMappingFilterCriteria(
                filter=[LambdaEventSourceMappingFilterCriteriaFilter(pattern=policies.to_json(pattern))]
            )
            if pattern
            else None,
            destination_config=LambdaEventSourceMappingDestinationConfig(
                on_failure=LambdaEventSourceMappingDestinationConfigOnFailure(destination_arn=function.failures.arn)
            ),
            depends_on=[granted],  # Lambda tries the role when the mapping is made
        )
