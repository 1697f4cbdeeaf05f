"""Who publishes and who receives which event types, each with its published JSON Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.development import schemas
from backbone.errors import BackboneError
from backbone.sources import folder_of
from backbone.topology import Topology

__all__ = ["Contract", "UnknownServiceError", "published_by", "received_by"]


class UnknownServiceError(BackboneError):
    """The file declares no such service."""


@dataclass(frozen=True)
class Contract:
    """An event type in a version, as a service publishes it.

    `schema` describes `detail.data`. Version and schema are None where the publisher has no schema of the type beside
    its module, as it is for a service that is deployed from elsewhere.
    """

    detail_type: str
    publisher: str
    source: str
    version: int | None = None
    schema: dict[str, Any] | None = None


def published_by(topology: Topology, service: str) -> list[Contract]:
    """The event types that a service publishes, in every version that has a schema."""
    entry = topology.services[service]
    folder = folder_of(entry.module) / "schemas" if entry.module else None
    return [
        contract
        for detail_type in sorted(entry.publishes)
        for contract in _versions(Contract(detail_type, service, topology.source_of(service)), folder)
    ]


def received_by(topology: Topology, service: str) -> list[Contract]:
    """The event types that a service subscribes to, of each of their publishers; UnknownServiceError when it is none.

    An event type that nobody publishes yet is not among them.
    """
    if service not in topology.services:
        known = ", ".join(sorted(topology.services)) or "none"
        raise UnknownServiceError(f"got the service {service!r}; allowed: {known}")
    wanted = topology.services[service].subscribes
    return [
        contract
        for publisher in sorted(topology.services.keys() - {service})
        for contract in published_by(topology, publisher)
        if any(
            entry.detail_type == contract.detail_type and entry.source in (None, contract.source) for entry in wanted
        )
    ]


def _versions(contract: Contract, folder: Path | None) -> list[Contract]:
    """A contract in each version that a folder has a schema of; without one, the contract itself."""
    names = sorted(file.name for file in folder.iterdir()) if folder and folder.is_dir() else []
    pattern = re.compile(rf"{re.escape(contract.detail_type)}\.v([0-9]+)\.json")
    versions = sorted(int(found[1]) for found in map(pattern.fullmatch, names) if found)
    return [
        Contract(
            contract.detail_type,
            contract.publisher,
            contract.source,
            version,
            schemas.read(Path(folder or "", f"{contract.detail_type}.v{version}.json")),
        )
        for version in versions
    ] or [contract]
