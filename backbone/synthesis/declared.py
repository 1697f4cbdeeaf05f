"""The manifest of a topology and its stacks."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from backbone.aws.layers import POWERTOOLS
from backbone.aws.policies import to_json
from backbone.manifest import (
    Manifest,
    ManifestBus,
    ManifestDeployment,
    ManifestPipeline,
    ManifestRelay,
    ManifestService,
    ManifestStack,
    ManifestSubscription,
)
from backbone.sources import digest
from backbone.synthesis.fields import fields
from backbone.synthesis.package import Package
from backbone.synthesis.stacks import BackboneStack
from backbone.topology import Topology, quotas, routing
from backbone.topology.deployment import CodePipeline
from backbone.topology.hubs import Hub
from backbone.topology.subscriptions import plain

__all__ = ["manifest_of"]


def manifest_of(topology: Topology, stacks: Mapping[str, BackboneStack]) -> Manifest:
    """What is to be known of a backbone beside its stacks."""
    packages = {service: one for stack in stacks.values() for service, one in stack.packages.items()}
    zips = [package for stack in stacks.values() for package in stack.files.values()]
    sources = {path: value for package in zips for path, value in package.sources.items()}
    sources |= {file.relative_to(topology.folder).as_posix(): digest(file) for file in topology.files}
    buses = [_bus(topology, hub) for hub in topology.hubs.values()]
    return Manifest(
        backbone=topology.name,
        region=topology.region,
        partition=topology.main.place.partition,
        layout=topology.layout,
        routing=topology.routing,
        rules=topology.rules,
        accounts={name: account.id for name, account in topology.accounts.items()},
        keys={name: key for name in topology.accounts if (key := topology.kms_key_of(name))},
        global_bus=buses[0],
        further_buses=tuple(buses[1:]),
        services={name: _service(topology, name, packages.get(name)) for name in topology.services},
        stacks=tuple(
            ManifestStack(
                name=name,
                accounts=stack.account_names,
                depends_on=stack.after,
                files={path: package.source_code_hash for path, package in stack.files.items()},
            )
            for name, stack in stacks.items()
        ),
        file=topology.file.name if topology.file else None,
        include=topology.include,
        environment=topology.environment,
        sources=sources,
        layers=_layers(topology, stacks),
        open_routes=tuple(sorted(route for stack in stacks.values() for route in stack.open_routes)),
        deployment=_deployment(topology),
    )


def _bus(topology: Topology, hub: Hub) -> ManifestBus:
    policy = None if hub.is_made else to_json(quotas.policy(topology, hub))
    return ManifestBus(account=hub.account, arn=hub.arn, policy=policy, name=hub.key)


def _deployment(topology: Topology) -> ManifestDeployment | None:
    declared, account = topology.deployment, topology.pipeline_account
    if declared is None or account is None:
        return None
    return ManifestDeployment(
        account=account,
        deploying=declared.deploying,
        planning=declared.planning,
        issuer=declared.issuer,
        audience=declared.audience,
        pipeline=_pipeline(declared) if isinstance(declared, CodePipeline) else None,
        boundary=topology.names.boundary,
        organization_id=topology.organization_id,
    )


def _pipeline(declared: CodePipeline) -> ManifestPipeline:
    return ManifestPipeline(
        connection_arn=declared.connection_arn,
        repository=declared.repository,
        branch=declared.branch,
        install=declared.install,
    )


def _layers(topology: Topology, stacks: Mapping[str, BackboneStack]) -> dict[str, tuple[str, ...]]:
    """What the file says of layers, and of those with Powertools what it leaves unsaid."""
    found = dict(topology.layers)
    for layer in sorted({layer for stack in stacks.values() for layer in stack.layers}):
        if not any(fnmatchcase(layer, pattern) for pattern in topology.layers):
            found[layer] = POWERTOOLS
    return found


def _service(topology: Topology, name: str, package: Package | None) -> ManifestService:
    declared = topology.services[name]
    subscribes = {
        to_json(subscription.model_dump(exclude_none=True)): subscription
        for subscription in (
            ManifestSubscription(detail_type=entry.detail_type, source=entry.source, detail=plain(entry.detail))
            for entry in declared.subscribes
        )
    }
    published_on: dict[str, dict[str, str]] = {}
    for event, hub in topology.elsewhere(name).items():
        published_on.setdefault(event.source, {})[event.detail_type] = hub.key
    published: dict[str, list[str]] = {source: [] for source in topology.sources_of(name)}
    for event in topology.published_by(name):
        published[event.source].append(event.detail_type)
    return ManifestService(
        account=declared.account,
        source=topology.source_of(name),
        publishes=tuple(sorted(published.pop(topology.source_of(name)))),
        also_publishes={source: tuple(sorted(types)) for source, types in sorted(published.items())},
        confidential=tuple(
            each for each in sorted(declared.detail_types) if declared.confidential or each in topology.confidential
        ),
        fields=fields(topology, name),
        subscribes=tuple(
            sorted(subscribes.values(), key=lambda one: (one.detail_type or "", to_json(one.model_dump())))
        ),
        relays={
            key: ManifestRelay(pattern=routing.to_json(relay.pattern), publishes=relay.publishes)
            for key, relay in declared.relays.items()
        },
        local_bus=topology.place(declared.account).bus(topology.local_bus(name))
        if declared.receives == "bus"
        else None,
        bus_exists=topology.receives_elsewhere(name),
        buses=tuple(hub.key for hub in topology.hubs_of(name)),
        published_on=published_on,
        module=declared.module,
        folders=package.folders if package else (),
        packages=package.packages if package else None,
    )
