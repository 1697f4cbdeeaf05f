"""The plain values of a file, whether or not it is valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["called", "mapping", "mappings"]


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """The mapping at a path, or an empty one where the file has something else there."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def mappings(top: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries below a key that are mappings, as they should be."""
    for name, entry in mapping(top, key).items():
        if isinstance(entry, dict):
            yield name, entry


def called(name: str, service: Mapping[str, Any]) -> str:
    """What a service goes by in AWS, whether or not the file is valid."""
    found = service.get("known_as")
    return found if isinstance(found, str) else name
