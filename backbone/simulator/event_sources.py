"""Each queue and stream of a system with those who read it for functions, by their mappings, and for pipes."""

from __future__ import annotations

from backbone.simulator.consumers import Consumer, FunctionConsumer
from backbone.simulator.destinations import Destinations
from backbone.simulator.engine import Engine
from backbone.simulator.pipes import PipeConsumer
from backbone.simulator.queue_reader import QueueReader
from backbone.simulator.sqs import Sqs
from backbone.simulator.stream_reader import StreamReader, StreamSource
from backbone.system.mapping import EventSourceMapping
from backbone.system.model import Function, Queue, Stream, System, Table
from backbone.system.pipes import Pipe

__all__ = ["connect"]

TABLE_STREAM_SECONDS = 24 * 3600
"""How long a table's stream keeps records (DynamoDB developer guide, "Change data capture for DynamoDB Streams")."""


def connect(engine: Engine, sqs: Sqs, destinations: Destinations, inputs: dict[str, list[str]]) -> None:
    """Have functions and pipes given what their sources get; `inputs` keeps what goes where nothing is simulated."""
    consumers: list[tuple[Consumer, EventSourceMapping]] = [
        (FunctionConsumer(engine, function), mapping)
        for function in engine.system.of(Function)
        for mapping in function.mappings
    ]
    consumers += [(PipeConsumer(engine, pipe, inputs), pipe.mapping) for pipe in engine.system.of(Pipe)]
    streams = _streams(engine.system)
    for consumer, mapping in consumers:
        if (queue := engine.system.get(Queue, mapping.source_arn)) is not None:
            QueueReader(engine, sqs, consumer, mapping, queue)
        elif (source := streams.get(mapping.source_arn)) is not None:
            StreamReader(engine, destinations, consumer, mapping, source)


def _streams(system: System) -> dict[str, StreamSource]:
    """The streams of a system by ARN: those of Kinesis and those of tables."""
    found = [StreamSource(each.arn, each.account_id, each.retention_seconds) for each in system.of(Stream)]
    found += [
        StreamSource(table.stream_arn, table.account_id, TABLE_STREAM_SECONDS)
        for table in system.of(Table)
        if table.stream_arn is not None
    ]
    return {source.arn: source for source in found}
