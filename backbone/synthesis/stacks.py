"""Which construct goes into which state, and in which order the states are deployed.

The path of a construct below its stack is the same in both layouts, and so is the address of its resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from backbone.aws import key_policies, policies
from backbone.aws.arn import Place
from backbone.aws.names import BUSES, GLOBAL, PLAN_SUFFIX, ROLE_SUFFIX
from backbone.cdk import (
    App,
    CloudBackend,
    Construct,
    LocalBackend,
    NamedCloudWorkspace,
    NamedRemoteWorkspace,
    RemoteBackend,
    S3Backend,
    TerraformOutput,
    TerraformStack,
)
from backbone.constructs.account import Access, Account, EmptyAccount, NewKey
from backbone.constructs.event_bus import EventBus
from backbone.constructs.forwarding import Forwarding
from backbone.constructs.function import Code
from backbone.constructs.service import Service, Surroundings
from backbone.synthesis import modules
from backbone.synthesis.package import Package, runtime_package
from backbone.topology import Topology, quotas, routing
from backbone.topology.hubs import Hub
from backbone.topology.keys import key_use
from backbone.topology.state import S3, Cloud, Local, Remote

__all__ = ["ASSETS", "SINGLE", "BackboneStack", "add_stacks", "provider_constraint"]

ASSETS = "assets"
"""The folder beside a stack's JSON for the zips that it deploys."""

RUNTIME = f"{ASSETS}/backbone.runtime.zip"
"""The code of relays. No service is called so: a service's name has no dot."""

SINGLE = "backbone"
"""The stack of `layout: single`. In `layout: per-account` each stack has its account's name."""

_ROLE_SUFFIX = {
    "type": "string",
    "default": "",
    "ephemeral": True,  # so a plan does not freeze it: what was planned with roles that only read can be applied
    "description": f"{PLAN_SUFFIX} assumes the roles that only read, to plan",
}


def add_stacks(app: App, topology: Topology) -> dict[str, BackboneStack]:
    """Give the app all stacks of a backbone; returns them by their names in the order to deploy them.

    An account that is declared but has nothing in it (any more) gets its provider all the same: without it Terraform
    could not destroy what was there. It comes last, when nobody sends to it any more.
    """
    if topology.layout == "single":
        accounts = (*topology.accounts_in_use, *sorted(topology.accounts.keys() - set(topology.accounts_in_use)))
        return {SINGLE: BackboneStack(app, SINGLE, topology, accounts, hubs=tuple(topology.hubs.values()))}
    return _add_stacks_apart(app, topology)


def _add_stacks_apart(app: App, topology: Topology) -> dict[str, BackboneStack]:
    """The stacks of `layout: per-account`.

    The bus of `bus` is in the stack of its account. Those of `buses` are in others: accounts that each have a global
    bus and services would wait for one another.
    """
    main = topology.hubs[GLOBAL] if topology.bus else None
    further: dict[str, list[Hub]] = {}
    for hub in topology.hubs.values():
        if hub.is_further and topology.has_resources(hub):
            further.setdefault(str(hub.account), []).append(hub)
    of_main = main.account if main else None
    used = [name for name in topology.accounts_in_use if name in topology.services_by_account and name != of_main]
    idle = sorted(topology.accounts.keys() - {*used, of_main})
    made: dict[str, BackboneStack] = {}

    def add(account: str, after: Mapping[str, TerraformStack]) -> None:
        hubs = (main,) if main and account == of_main else ()
        made[account] = BackboneStack(app, account, topology, (account,), hubs=hubs, after=dict(after))

    def add_buses(after: Mapping[str, TerraformStack]) -> None:
        for account, hubs in sorted(further.items()):
            name = f"{account}{BUSES}"
            made[name] = BackboneStack(app, name, topology, (account,), hubs=tuple(hubs), services=False, after=after)

    if topology.rules == "owner":  # their rules are on the global buses, whose policies must let them
        add_buses({})
        if of_main:
            add(of_main, made)
        hubs = dict(made)
        for account in (*used, *idle):
            add(account, hubs)
        return made
    for account in used:
        add(account, {})
    if of_main:
        add(of_main, made)
    add_buses(dict(made))
    hubs = {name: stack for name, stack in made.items() if stack.hubs}
    for account in idle:
        add(account, hubs)
    return made


def provider_constraint(topology: Topology) -> str:
    """The versions of the AWS provider that have what a topology uses.

    Since when is in the provider's changelog: a key for archives 6.2 (its 6.1 was withdrawn), the log
    configuration of a bus 6.6.
    """
    lowest = "5.100.0"
    made = [hub for hub in topology.hubs.values() if hub.is_made and hub.entry.archive_days]
    if any(topology.kms_key_of(str(hub.account)) for hub in made):
        lowest = "6.2.0"
    if topology.logs.bus:
        lowest = "6.6.0"
    return f">= {lowest}, < 7.0.0"


class BackboneStack(TerraformStack):
    """One state: the resources of some of the accounts, wherever in the backbone they belong.

    It has the global buses `hubs`, as far as they are made, and without `services` nothing else of its accounts.
    `files` are needed beside the JSON, by their path from the stack's folder; `packages` has the code by service, and
    `layers` the ARNs of the layers that functions were given here.
    """

    def __init__(
        self,
        app: App,
        id: str,
        topology: Topology,
        accounts: tuple[str, ...],
        *,
        hubs: tuple[Hub, ...] = (),
        services: bool = True,
        after: Mapping[str, TerraformStack] = MappingProxyType({}),
    ) -> None:
        super().__init__(app, id)
        self.account_names, self.hubs, self.after = accounts, hubs, tuple(after)
        for stack in after.values():
            self.add_dependency(stack)
        self._topology = topology
        self._groups: dict[str, Construct] = {}
        self.files: dict[str, Package] = {}
        self.packages: dict[str, Package] = {}
        self.layers: set[str] = set()
        self._require_versions()
        _add_backend(self, id, topology)
        if topology.deployment:
            self.add_override(f"variable.{ROLE_SUFFIX}", _ROLE_SUFFIX)
        self._part: Literal["all", "buses", "services"] = "buses" if not services else "services"
        if topology.layout == "single":
            self._part = "all"
        in_use = {hub.account for hub in hubs if topology.has_resources(hub)}
        in_use |= topology.services_by_account.keys() if services else set()
        used = [name for name in accounts if name in in_use]
        self._accounts = {name: self._account(name) for name in used}
        for name in accounts:
            if name not in used:
                EmptyAccount(self._group("accounts"), name, access=self._access(name))
        at_home = [name for account in used if services for name in topology.services_by_account.get(account, ())]
        local_buses = {service: self._service(service).local_bus for service in at_home}
        made = {hub.key: self._global_bus(hub) for hub in hubs if hub.is_made}
        self._output_statements(used)
        for service in sorted(topology.services):
            for hub in topology.hubs_of(service):
                if service in at_home if topology.owns_rule(hub) else hub in hubs:
                    self._forward(hub, made.get(hub.key), service, local_buses.get(service))

    @property
    def open_routes(self) -> set[str]:
        """The routes that anyone may call, each as the id of its account and the route key."""
        return {route for account in self._accounts.values() for route in account.open_routes}

    def _group(self, id: str) -> Construct:
        """A node that holds constructs under the names that users gave them."""
        if id not in self._groups:
            self._groups[id] = Construct(self, id)
        return self._groups[id]

    def _require_versions(self) -> None:
        # State locked by a file in S3, and ephemeral variables, came with Terraform 1.10. OpenTofu counts its versions
        # alike, but has ephemeral variables since 1.11 only.
        is_new = isinstance(self._topology.state, S3) or self._topology.deployment
        self.add_override("terraform.required_version", ">= 1.10.0" if is_new else ">= 1.6.0")
        constraint = provider_constraint(self._topology)
        self.add_override("terraform.required_providers.aws", {"source": "hashicorp/aws", "version": constraint})

    def _account(self, name: str) -> Account:
        topology = self._topology
        return Account(
            self._group("accounts"),
            name,
            access=self._access(name),
            logs_policy_name=topology.names.logs_policy(of_buses=self._part == "buses"),
            vended_logs=topology.logs.bus is not None,
            kms_key=self._key(name),
            boundary=topology.place(name).iam(f"policy/{topology.names.boundary}") if topology.deployment else None,
        )

    def _key(self, account: str) -> str | NewKey | None:
        topology = self._topology
        declared = topology.kms_key_of(account)
        if declared != "create":
            return declared
        policy = key_policies.policy(key_use(topology, account, self._part))
        alias = topology.names.key_alias(of_buses=self._part == "buses")
        return NewKey(alias, f"Encrypts what the backbone {topology.name} has in here", policy)

    def _access(self, account: str) -> Access:
        topology, declared = self._topology, self._topology.accounts[account]
        return Access(
            place=topology.place(account),
            deploy_role=declared.deploy_role,
            plan_role=topology.deployment is not None,
            profile=declared.profile,
            session_name=f"backbone-{topology.name}",
            tags=topology.all_tags,
        )

    def _service(self, name: str) -> Service:
        topology, given = self._topology, self._topology.services[name]
        module = modules.load(name, given.module, topology.folder) if given.module else None
        code_file = f"{ASSETS}/{topology.names.called(name)}.zip"
        service = Service(
            self._group("services"),
            name,
            around=self._surroundings(name),
            source=topology.source_of(name),
            bus_name=topology.local_bus(name) if given.receives == "bus" else None,
            makes_bus=topology.makes_bus(name),
            subscriptions=given.subscribes,
            settings=given.settings,
            code=Code(code_file, module.code.source_code_hash) if module else None,
            log_retention_days=topology.retention_days(name),
        )
        if service.local_bus:
            self._output_bus(f"local_bus_{name}", f"The local bus of {name}", service.local_bus)
        self._relays(name, service)
        if module:
            modules.add(topology, name, module, service)
            self.files[code_file] = module.code
            self.packages[name] = module.code
        self.layers |= service.layers
        if service.outputs:
            TerraformOutput(self, f"service_{name}", value=service.outputs, description=f"What {name} offers")
        return service

    def _relays(self, name: str, service: Service) -> None:
        relays = self._topology.services[name].relays
        if not relays:
            return
        runtime = self.files.setdefault(RUNTIME, runtime_package())
        for key, relay in sorted(relays.items()):
            code = Code(RUNTIME, runtime.source_code_hash)
            service.relay(key, pattern=relay.pattern, publishes=relay.publishes, code=code)

    def _surroundings(self, service: str) -> Surroundings:
        topology, account = self._topology, self._topology.services[service].account
        first, *_ = hubs = topology.hubs_of(service)
        return Surroundings(
            account=self._accounts[account],
            names=topology.names,
            bus_arn=first.arn,
            retry=topology.retry,
            elsewhere=topology.elsewhere(service),
            forwarders=[hub for hub in hubs if not topology.owns_rule(hub)],
            reports=topology.logs.bus,
            powertools_layer=topology.powertools_layer,
            confidential=routing.confidential(topology),
        )

    def _output_statements(self, accounts: list[str]) -> None:
        """What the owners of global buses that exist must add to their policies for accounts of this stack."""
        for hub in self._topology.hubs.values():
            if not hub.is_made:
                text = policies.to_json({"Statement": quotas.statements(self._topology, hub, accounts)})
                words = f"What the policy of the global bus{_named(hub)} must have beside its own statements"
                output = f"bus_policy_{hub.key}" if hub.is_further else "global_bus_policy"
                TerraformOutput(self, output, value=text, description=words)

    def _global_bus(self, hub: Hub) -> EventBus:
        topology = self._topology
        policy = policies.global_bus(
            hub.arn,
            quotas.publishers(topology, hub),
            organization_id=topology.organization_id,
            others=quotas.rule_owners(topology, hub),
        )
        who = "the services on it publish" if hub.is_further else "every service publishes"
        bus = EventBus(
            self._group("buses") if hub.is_further else self,
            hub.key if hub.is_further else "global-bus",
            account=self._accounts[str(hub.account)],
            name=hub.name,
            description=f"Global bus{_named(hub)} of {topology.name}: {who} here",
            policy=policy,
            log_retention_days=topology.logs.retention_days,
            retry=topology.retry,
            reports=topology.logs.bus,
            confidential=routing.confidential(topology),
        )
        output = f"bus_{hub.key}" if hub.is_further else "global_bus"
        self._output_bus(output, f"The global bus{_named(hub)}, which services publish to by its ARN", bus)
        if hub.entry.archive_days:
            bus.archive(retention_days=hub.entry.archive_days)
        return bus

    def _forward(self, hub: Hub, made: EventBus | None, service: str, local_bus: EventBus | None) -> None:
        topology, account = self._topology, self._topology.forwarding_account(service, hub)
        pattern = routing.forwarding(topology, service, hub)
        if pattern is None:
            return
        is_here = account == hub.account
        name = made.name if made else hub.name
        forwarding = Forwarding(
            self._group(f"forwarding-{hub.key}" if hub.is_further else "forwarding"),
            service,
            account=self._accounts[account],
            bus=hub,
            bus_name=name if is_here else hub.arn,
            to=topology.place(topology.services[service].account).bus(topology.local_bus(service)),
            pattern=pattern,
            names=topology.names,
            retry=topology.retry_of(service),
            after=[local_bus.policy or local_bus.resource] if local_bus else [],
            rule_after=[made.policy or made.resource] if made and not is_here else [],
        )
        value = {"rule": forwarding.rule_name, "dead_letter_queue_url": forwarding.dead_letters.url}
        output = f"forwarding_{hub.key}_{service}" if hub.is_further else f"forwarding_{service}"
        words = f"The way of events{f' from {hub.key}' if hub.is_further else ''} to {service}"
        TerraformOutput(self, output, value=value, description=words)

    def _output_bus(self, id: str, description: str, bus: EventBus) -> None:
        value = {
            "name": bus.name,
            "arn": bus.arn,
            "log_group": bus.log_group,
            "log_dead_letter_queue_url": bus.log_dead_letters.url,
        }
        TerraformOutput(self, id, value=value, description=description)


def _named(hub: Hub) -> str:
    return f" {hub.key}" if hub.is_further else ""


def _add_backend(stack: TerraformStack, name: str, topology: Topology) -> None:
    """Every stack has a state of its own, and no two backbones share one."""
    state, identity, environment = topology.state, topology.identity, topology.environment
    match state:
        case Local():
            # From the stack's folder three levels up: beside cdktf.out, which may be deleted at any time.
            LocalBackend(stack, path=f"../../../terraform.{identity}.{name}.tfstate")
        case S3():
            S3Backend(
                stack,
                bucket=state.bucket,
                key="/".join(filter(None, [state.prefix or f"backbone/{identity}", environment, f"{name}.tfstate"])),
                region=state.region or topology.region,
                encrypt=True,
                kms_key_id=state.kms_key,
                profile=state.profile,
            )
            # cdktf's S3Backend is older than both.
            stack.add_override("terraform.backend.s3.use_lockfile", True)
            if role := state.role or _state_role(name, topology):
                stack.add_override("terraform.backend.s3.assume_role", {"role_arn": role})
        case Remote():
            RemoteBackend(
                stack,
                organization=state.organization,
                hostname=state.hostname,
                workspaces=NamedRemoteWorkspace(f"{identity}-{name}"),
            )
        case Cloud():
            workspace = NamedCloudWorkspace(name=f"{identity}-{name}", project=state.project)
            CloudBackend(
                stack,
                organization=state.organization,
                hostname=state.hostname,
                workspaces=workspace,
            )


def _state_role(stack: str, topology: Topology) -> str | None:
    """The role that `backbone bootstrap` makes for the state of a stack; None where nobody is said to deploy."""
    account_id, partition = topology.pipeline_account, topology.main.place.partition
    role = topology.names.state_role(stack)
    return Place(partition, topology.region, account_id).iam(f"role/{role}") if account_id else None
