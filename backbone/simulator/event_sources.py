"""Event source mappings: each queue and stream of a system with those who read it for functions."""

from __future__ import annotations

from backbone.simulator.engine import Engine
from backbone.simulator.queue_reader import QueueReader
from backbone.simulator.sqs import Sqs
from backbone.system.model import Function, Queue

__all__ = ["connect"]


def connect(engine: Engine, sqs: Sqs) -> None:
    """Have functions given what the sources of their mappings get."""
    for function in engine.system.of(Function):
        for mapping in function.mappings:
            if (queue := engine.system.get(Queue, mapping.source_arn)) is not None:
                QueueReader(engine, sqs, function, mapping, queue)
