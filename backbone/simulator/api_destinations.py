"""API destinations: the calls that partners would get. Nobody is really called."""

from __future__ import annotations

from typing import Any

from backbone.simulator.engine import Engine, Request
from backbone.system.model import ApiDestination
from backbone.trace import Node

__all__ = ["ApiDestinations"]


class ApiDestinations:
    """The API destinations of a system."""

    def __init__(self, engine: Engine) -> None:
        self.calls: dict[str, list[Any]] = engine.states(ApiDestination, list)
        """The bodies that each API destination was sent, by its ARN."""
        engine.take(ApiDestination, "destination", self._deliver)

    def _deliver(self, destination: ApiDestination, request: Request, _node: Node) -> None:
        self.calls[destination.arn].append(request.value)
