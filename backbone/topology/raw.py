"""The plain values of a file, whether or not it is valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backbone.aws.arn import Arn, ArnError
from backbone.aws.names import GLOBAL
from backbone.aws.regions import partition_of
from backbone.topology import defaults
from backbone.topology.source import KeyPath

__all__ = ["arn_of", "called", "elsewhere", "global_buses", "mapping", "mappings", "sources"]


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


def global_buses(top: dict[str, Any]) -> Iterator[tuple[KeyPath, str, dict[str, Any]]]:
    """The global buses with their places and names."""
    if isinstance(bus := top.get("bus"), dict):
        yield ("bus",), GLOBAL, bus
    yield from ((("buses", key), key, bus) for key, bus in mappings(top, "buses"))


def arn_of(text: Any) -> Arn | None:
    """An ARN, or None where the file has something else, of which the models tell."""
    try:
        return Arn.parse(text) if isinstance(text, str) else None
    except ArnError:
        return None


def elsewhere(top: dict[str, Any], text: Any, what: str) -> str | None:
    """What is wrong with the ARN of something that must be in the backbone's region; None where nothing is."""
    arn, region = arn_of(text), top.get("region")
    if arn is None or not isinstance(region, str):
        return None
    if arn.region != region:
        return f"got {what} in {arn.region}; allowed: {what} in {region}, the backbone's region"
    partition = partition_of(region) or top.get("partition")
    if isinstance(partition, str) and arn.partition != partition:
        return f"got {what} in the partition {arn.partition}; allowed: {partition}, which {region} belongs to"
    return None
