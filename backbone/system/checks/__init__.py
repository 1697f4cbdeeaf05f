"""What AWS would refuse of a system, or what would fail at every event: a file per kind of resource."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.manifest import Manifest
from backbone.system.checks import (
    apis,
    arns,
    calls,
    code,
    declared,
    duplicates,
    environment,
    exposure,
    fields,
    functions,
    graph,
    key_policies,
    keys,
    layers,
    locations,
    mappings,
    order,
    pipes,
    providers,
    queues,
    quotas,
    readers,
    references,
    relays,
    reports,
    rules,
    scheduler,
    schema,
    settings,
    targets,
    topics,
    writing,
)
from backbone.system.findings import Finding
from backbone.system.model import System
from backbone.system.terraform import Configuration

__all__ = ["check"]


def check(system: System, configuration: Configuration, manifest: Manifest | None) -> Iterator[Finding]:
    """Everything that is wrong with a system that could be read; without a manifest nothing is known as declared."""
    yield from schema.check(configuration)
    yield from targets.check(system, configuration)
    yield from code.check(system, manifest)
    yield from queues.check(system, configuration)
    yield from pipes.check(system, configuration)
    yield from apis.check(system, configuration)
    yield from calls.check(system, configuration)
    for part in (topics, scheduler, functions, layers, mappings, readers):
        yield from part.check(system)
    yield from locations.check(system)
    yield from order.check(system, configuration)
    yield from writing.check(system, configuration)
    yield from exposure.check(system)
    yield from rules.check(system)
    yield from environment.check(system)
    yield from fields.check(system)
    yield from keys.check(system, configuration, manifest)
    yield from key_policies.check(system, configuration)
    yield from reports.check(system, configuration)
    for module in (arns, graph, providers, references, duplicates, quotas, settings):
        yield from module.check(configuration)
    if manifest is not None:
        yield from declared.check(system, manifest)
        yield from relays.check(system, manifest)
