"""CloudWatch Logs: what rules and functions write into log groups."""

from __future__ import annotations

from typing import Any

from backbone.simulator.engine import Engine, Request
from backbone.system.model import LogGroup
from backbone.trace import Node

__all__ = ["Logs"]


class Logs:
    """The log groups of a system."""

    def __init__(self, engine: Engine) -> None:
        self.entries: dict[str, list[Any]] = engine.states(LogGroup, list)
        """The events and lines in each log group, by its ARN."""
        self._groups = {(group.account_id, group.name): group.arn for group in engine.system.of(LogGroup)}
        engine.take(LogGroup, "log", self._deliver)
        engine.write_log = self.write

    def write(self, account_id: str, name: str, text: str) -> None:
        """Write a text into a log group of an account, if there is such a group."""
        if (arn := self._groups.get((account_id, name))) is not None:
            self.entries[arn].append(text)

    def _deliver(self, group: LogGroup, request: Request, _node: Node) -> None:
        """Log an event, or the message of a template: that is an object of a timestamp and the message."""
        if request.target.input.is_whole:
            self.entries[group.arn].append(request.event)
            return
        value = request.value
        is_message = isinstance(value, dict) and value.keys() == {"timestamp", "message"}
        self.entries[group.arn].append(value["message"] if is_message else value)
