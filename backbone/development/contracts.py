"""Who publishes and who receives which event types, each with its published JSON Schema."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from backbone.development import schemas
from backbone.errors import BackboneError
from backbone.sources import schema_files
from backbone.topology import Topology
from backbone.topology.publications import Publication

__all__ = ["Contract", "UnknownServiceError", "published_by", "received_by"]


class UnknownServiceError(BackboneError):
    """The file declares no such service."""


@dataclass(frozen=True)
class Contract:
    """An event type in a version, as a service publishes it.

    `schema` describes `detail.data`. Version and schema are None where the publisher has no schema of the type beside
    its module, as it is for a service that is deployed from elsewhere. `source` may be another than the
    service's own.
    """

    detail_type: str
    publisher: str
    source: str
    version: int | None = None
    schema: dict[str, Any] | None = None
    is_other_source: bool = False


def published_by(topology: Topology, service: str) -> list[Contract]:
    """The event types that a service publishes, in every version that has a schema."""
    entry = topology.services[service]
    return [
        contract
        for event in sorted(topology.published_by(service))
        for contract in _versions(_contract(topology, service, event), entry.module)
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
        if any(entry.takes(contract.detail_type, contract.source) for entry in wanted)
    ]


def _contract(topology: Topology, service: str, event: Publication) -> Contract:
    is_other = event.source != topology.source_of(service)
    return Contract(event.detail_type, service, event.source, is_other_source=is_other)


def _versions(contract: Contract, module: str | None) -> list[Contract]:
    """A contract in each version that a module has a schema of; without one, the contract itself."""
    files = schema_files(module, contract.detail_type) if module else {}
    return [replace(contract, version=version, schema=schemas.read(file)) for version, file in files.items()] or [
        contract
    ]
