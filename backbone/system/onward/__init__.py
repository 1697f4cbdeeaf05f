"""What delivery streams, state machines and tasks do with what they are sent, by roles of their own.

None of it is simulated. What is known is whether AWS lets them: what it does not is an obstacle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from backbone.system.blocks import Blocks
from backbone.system.model import Resource
from backbone.system.obstacle import Obstacle
from backbone.system.onward import delivery_streams, state_machines, tasks

__all__ = ["obstacles"]

KINDS = {
    "aws_cloudwatch_event_target": tasks.of_target,
    "aws_ecs_task_definition": tasks.of_definition,
    "aws_kinesis_firehose_delivery_stream": delivery_streams.read,
    "aws_sfn_state_machine": state_machines.read,
}


def obstacles(blocks: Blocks, resources: Mapping[str, Resource]) -> Iterator[Obstacle]:
    """What is in the way behind targets; `resources` are those of the system, by ARN."""
    for block in blocks.configuration.of(*KINDS):
        found = blocks.try_reading(block, partial(KINDS[block.type], resources))
        yield from found or ()
