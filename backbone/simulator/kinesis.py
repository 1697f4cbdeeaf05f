"""Kinesis: records in streams."""

from __future__ import annotations

from typing import Any

from backbone.simulator.engine import Engine, Request
from backbone.system.model import Stream
from backbone.system.target_input import at_path
from backbone.trace import Node

__all__ = ["Kinesis"]


class Kinesis:
    """The streams of a system."""

    def __init__(self, engine: Engine) -> None:
        self.records: dict[str, list[tuple[str, Any]]] = engine.states(Stream, list)
        """The records of each stream by its ARN, as (partition key, data)."""
        engine.take(Stream, "stream", self._deliver)

    def _deliver(self, stream: Stream, request: Request, _node: Node) -> None:
        path = request.target.partition_key_path
        key = str(at_path(request.event, path)) if path else request.event["id"]
        self.records[stream.arn].append((key, request.value))
