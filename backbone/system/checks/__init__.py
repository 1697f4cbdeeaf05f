"""What AWS would refuse of a system, or what would fail at every event: a file per kind of resource."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system.checks import apis, functions, locations, targets
from backbone.system.findings import Finding
from backbone.system.model import System
from backbone.system.terraform import Configuration

__all__ = ["check"]


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Everything that is wrong with a system that could be read."""
    yield from targets.check(system, configuration)
    yield from functions.check(system)
    yield from apis.check(system)
    yield from locations.check(system)
