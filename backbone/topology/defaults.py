"""What stands in for a key that the file leaves out.

Both the file's plain values and the models ask here, so that a default is stated once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backbone.aws.names import GLOBAL, Names

__all__ = ["buses", "global_bus", "local_bus", "source"]


def source(service: str, declared: str | None) -> str:
    """The source of a service's events: its name, unless the file declares another."""
    return service if declared is None else declared


def global_bus(names: Names, bus: str, declared: str | None) -> str:
    """The physical name of a global bus."""
    return names.global_bus(bus) if declared is None else declared


def buses(top: Mapping[str, Any], declared: Any) -> Any:
    """The global buses that a service is on: the one of the file, where it has `bus` or no other."""
    if declared is not None:
        return declared
    further = top.get("buses") or {}
    return (GLOBAL,) if top.get("bus") is not None else tuple(further) if len(further) == 1 else ()


def local_bus(names: Names, service: str, declared: str | None) -> str:
    """The physical name of a service's bus."""
    return names.local_bus(service) if declared is None else declared
