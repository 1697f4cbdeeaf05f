"""The plain values of a file, whether or not it is valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backbone.topology import defaults
from backbone.topology.source import KeyPath

__all__ = ["called", "mapping", "mappings", "sources"]


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


def sources(name: str, service: Mapping[str, Any]) -> dict[str, KeyPath]:
    """Each source of a service with where it is said, whether or not the file is valid."""
    place: KeyPath = ("services", name)
    found: dict[str, KeyPath] = {}
    own = defaults.source(called(name, service), service.get("source"))
    if isinstance(own, str):
        found[own] = (*place, "source") if "source" in service else place
    entries = service.get("publishes")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and isinstance(source := entry.get("source"), str):
            found.setdefault(source, (*place, "publishes", index, "source"))
    return found


def called(name: str, service: Mapping[str, Any]) -> str:
    """What a service goes by in AWS, whether or not the file is valid."""
    found = service.get("known_as")
    return found if isinstance(found, str) else name
