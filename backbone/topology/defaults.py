"""What stands in for a key that the file leaves out.

Both the file's plain values and the models ask here, so that a default is stated once.
"""

from __future__ import annotations

from backbone.aws.names import Names

__all__ = ["global_bus", "local_bus", "source"]


def source(service: str, declared: str | None) -> str:
    """The source of a service's events: its name, unless the file declares another."""
    return service if declared is None else declared


def global_bus(names: Names, declared: str | None) -> str:
    """The physical name of the global bus."""
    return names.global_bus if declared is None else declared


def local_bus(names: Names, service: str, declared: str | None) -> str:
    """The physical name of a service's bus."""
    return names.local_bus(service) if declared is None else declared
