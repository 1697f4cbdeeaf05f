"""What is in the layers of functions, as requirements on Python packages."""

from __future__ import annotations

from fnmatch import fnmatchcase

from backbone.aws.layers import PUBLIC
from backbone.system.model import Function, System

__all__ = ["packages", "requirements"]


def packages(system: System, layer: str) -> tuple[str, ...] | None:
    """What a layer has, as it was declared or as AWS documents it; None when nothing is known of it."""
    for known in (system.layers, PUBLIC):
        for pattern, found in known.items():
            if fnmatchcase(layer, pattern):
                return found
    return None


def requirements(system: System, function: Function) -> tuple[str, ...]:
    """What all layers of a function have, as far as it is known."""
    return tuple(sorted({package for layer in function.layers for package in packages(system, layer) or ()}))
