"""What a file declares: who owns which account, and who publishes and subscribes to which events.

The docstrings of the models and of their fields are the reference that users read, and part of error messages: the
first sentence of a field says what it is for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from backbone.aws.arn import Arn, Place
from backbone.aws.limits import TAGS_PER_RESOURCE
from backbone.aws.names import BACKBONE_TAG, DEFAULT_BUS, GLOBAL, Names
from backbone.aws.regions import Partition, partition_of
from backbone.sources import environment_file
from backbone.topology import defaults
from backbone.topology.deployment import AssumedRole, CodePipeline, GitHub, GitLab
from backbone.topology.entries import DISTINCT, AccountEntry, BusEntry, ServiceEntry
from backbone.topology.environments import Environment, Layout
from backbone.topology.fields import (
    AccountPattern,
    Allowed,
    BackboneName,
    BusKey,
    ConfidentialType,
    EnvironmentName,
    FilePattern,
    Key,
    LayerArn,
    LayerPattern,
    Model,
    OrganizationId,
    OwnKey,
    PackageRequirement,
    RegionName,
    TagKey,
    TagValue,
)
from backbone.topology.hubs import Hub, place_of
from backbone.topology.logs import Logs
from backbone.topology.publications import Publication
from backbone.topology.retry import Retry
from backbone.topology.source import Problem
from backbone.topology.state import S3, Cloud, Local, Remote
from backbone.topology.subscriptions import SubscriptionEntry

Routing = Literal["broadcast", "subscribed"]


class TeamFile(Model):
    """A file that the main file includes. Everything else is said once, in the main file."""

    services: dict[Key, ServiceEntry] = Field(default_factory=dict)
    """The team's services, each under its name. The accounts are those that `owners` in the main file gives to this
    file."""

    confidential: tuple[ConfidentialType, ...] = Field(default=(), json_schema_extra=DISTINCT)
    """The detail-types of events that hold personal or secret data, of those that services of this file publish."""


class Topology(Model):
    """A whole backbone, as one file declares it."""

    name: BackboneName = Field(examples=["shop"])
    """The backbone's name, which the names of its resources begin with. It must be unique in each account and
    region."""

    region: RegionName = Field(examples=["eu-west-1"])
    """The AWS region that all resources are in."""

    partition: Partition | None = None
    """The AWS partition that the region belongs to. It is needed only for a region that is too new to be known here."""

    layout: Layout = "single"
    """How resources are divided into Terraform states. `single` has one stack and one state for all accounts, and suits
    up to 10 of them; `per-account` has a stack and a state for each. No resource's address differs between the two."""

    routing: Routing = "broadcast"
    """Which events the global bus forwards to a service. `broadcast`: all but the service's own. `subscribed`: only
    those that the service subscribes to."""

    rules: Literal["platform", "owner"] = "platform"
    """Whose the forwarding rules on the global bus are. `platform`: the global bus's account has them. `owner`: each
    service's account has its own, with role and dead-letter queue, so that its team changes them; the bus's policy lets
    it. On a bus of an account that the file does not have, they are always the owners'."""

    organization_id: OrganizationId | None = None
    """The AWS organization that all accounts belong to. The global bus then admits nobody from outside, and may admit
    the organization as a whole where a statement for each account would make its policy too long."""

    kms_key: OwnKey | None = None
    """The key that encrypts buses, archive, queues, logs, tables and functions. The default is AWS's own keys. `create`
    has a key made in each account. The policy of a key of yours must let the AWS services that these belong to use it:
    `backbone key-policy ACCOUNT` prints what it must say."""

    accounts: dict[Key, AccountEntry] = Field(min_length=1, examples=['{bus: {id: "111111111111"}}'])
    """The AWS accounts, each under a name that the rest of the file calls it by."""

    bus: BusEntry | None = Field(default=None, examples=["{account: bus}"])
    """The global bus, which every service publishes to and which forwards events to the services' local buses. It is
    needed where there are no `buses`."""

    buses: dict[BusKey, BusEntry] = Field(default_factory=dict, examples=["{payments: {account: payments}}"])
    """Further global buses, such as one for each domain or publisher, each under a name. The services on them say so.
    Without `bus`, the first tells this backbone's states from those of others: keep it first."""

    services: dict[Key, ServiceEntry] = Field(default_factory=dict)
    """The services, each under its name."""

    include: tuple[FilePattern, ...] = Field(default=(), json_schema_extra=DISTINCT)
    """Further files, each with the services of a team. These count as if they stood here, in the order of the files'
    names."""

    owners: dict[FilePattern, tuple[AccountPattern, ...]] = Field(default_factory=dict)
    """The accounts in which included files may declare services, by the files' paths. A file may use the accounts of
    all patterns that it matches, and without a pattern none. The default is that every file may use all accounts."""

    logs: Logs = Logs()
    """The logs of all buses and services."""

    confidential: tuple[ConfidentialType, ...] = Field(default=(), json_schema_extra=DISTINCT)
    """The detail-types of events that hold personal or secret data. The log of every bus has them without their
    `detail`; archives and failure queues have them whole."""

    retry: Retry = Retry()
    """How long EventBridge tries to deliver an event."""

    powertools_layer: LayerArn | None = None
    """The Lambda layer with Powertools for AWS Lambda (Python) that functions use. The default is the public layer of
    AWS in the region."""

    layers: dict[LayerPattern, tuple[PackageRequirement, ...]] = Field(
        default_factory=dict, examples=['{"arn:aws:lambda:*:111111111111:layer:pdf:*": [reportlab>=4]}']
    )
    """The Python packages that layers have, as requirements, by the layers' ARNs, in which `*` stands for any
    characters. The simulator gives a function what its layers have and is installed here; it knows AWS's layers with
    Powertools."""

    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=TAGS_PER_RESOURCE)
    """The tags of every resource that takes tags."""

    state: Annotated[
        Local | S3 | Remote | Cloud,
        Field(discriminator="backend"),
        Allowed("a mapping, as in {backend: s3, bucket: example-terraform-state}"),
    ] = Local()
    """Where Terraform keeps its state. The default is `backend: local`."""

    deployment: (
        Annotated[
            GitHub | GitLab | CodePipeline | AssumedRole,
            Field(discriminator="by"),
            Allowed("a mapping, as in {by: github, repository: acme/backbone}"),
        ]
        | None
    ) = None
    """Who deploys. `backbone bootstrap` lets it, and every role that is synthesized gets a permissions boundary."""

    environments: dict[EnvironmentName, Environment] = Field(default_factory=dict, examples=["{dev: {}, prod: {}}"])
    """The environments that the backbone is deployed to, each under its name, with what differs there from the rest of
    the file. Every command then needs `--env` or BACKBONE_ENV."""

    _warnings: tuple[Problem, ...] = PrivateAttr(default=())
    _file: Path | None = PrivateAttr(default=None)
    _environment: str | None = PrivateAttr(default=None)
    _included: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is valid and yet needs the author's attention."""
        return self._warnings

    @property
    def file(self) -> Path | None:
        """The file that declares it; None when it was parsed from a text."""
        return self._file

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that declare it: the file itself, those that it includes, and those of its environment."""
        files = (*((self._file,) if self._file else ()), *self._included)
        beside = [environment_file(file, self._environment) for file in files] if self._environment else []
        return (*files, *(file for file in beside if file.is_file()))

    @property
    def included(self) -> tuple[Path, ...]:
        """The files that it includes."""
        return self._included

    @property
    def environment(self) -> str | None:
        """The environment that this is the backbone of; None where the file declares none."""
        return self._environment

    @property
    def folder(self) -> Path:
        """The folder of the project: that of the file, or the current one."""
        return self._file.absolute().parent if self._file else Path.cwd()

    @cached_property
    def names(self) -> Names:
        """The physical names of this backbone."""
        known_as = {name: service.known_as for name, service in self.services.items() if service.known_as}
        return Names(self.name, self.region, known_as)

    def place(self, account: str) -> Place:
        """Where an account's resources are."""
        partition = self.partition or partition_of(self.region) or "aws"
        return Place(partition, self.region, self.accounts[account].id)

    @property
    def identity(self) -> str:
        """What no two backbones share: the account, region and name of the main global bus tell them apart."""
        return f"{self.name}-{self.main.place.account_id}-{self.region}"

    @cached_property
    def hubs(self) -> Mapping[str, Hub]:
        """The global buses by what the file calls them, that of `bus` first."""
        entries = {GLOBAL: self.bus, **self.buses} if self.bus else self.buses
        found = {}
        for key, entry in entries.items():
            place = place_of(entry) or self.place(str(entry.account))
            name = Arn.parse(entry.arn).name if entry.arn else defaults.global_bus(self.names, key, entry.name)
            account = next((name for name, one in self.accounts.items() if one.id == place.account_id), None)
            found[key] = Hub(key, name, place, account, entry)
        return found

    @property
    def main(self) -> Hub:
        """The global bus that tells this backbone from others: that of `bus`, else the first of `buses`."""
        return next(iter(self.hubs.values()))

    def hubs_of(self, service: str) -> tuple[Hub, ...]:
        """The global buses that a service is on. It publishes on the first, unless an entry says otherwise."""
        named = defaults.buses({"bus": self.bus, "buses": self.buses}, self.services[service].buses)
        return tuple(self.hubs[key] for key in named)

    def hub_of(self, service: str, event: Publication) -> Hub:
        """The global bus that a service publishes an event on."""
        own = self.source_of(service)
        entries = self.services[service].publishes
        named = (one.bus for one in entries if one.bus and event == (one.detail_type, one.source or own))
        key = next(named, None)
        return self.hubs[key] if key else self.hubs_of(service)[0]

    @cached_property
    def _published(self) -> Mapping[str, list[tuple[str, str, str]]]:
        """Who publishes what, by detail-type: the service, the source and the key of the global bus."""
        found: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for service in self.services:
            for event in self.published_by(service):
                found[event.detail_type].append((service, event.source, self.hub_of(service, event).key))
        return found

    def published_for(self, service: str, entry: SubscriptionEntry) -> set[str]:
        """The keys of the global buses on which others publish what an entry of a service asks for."""
        known = self._published
        wanted = known if entry.detail_type is None else [entry.detail_type]
        events = (event for detail_type in wanted for event in known.get(detail_type, ()))
        return {key for other, source, key in events if other != service and entry.takes_from(source)}

    def elsewhere(self, service: str) -> dict[Publication, Hub]:
        """What a service publishes on another global bus than its first, with that bus."""
        first, *_ = self.hubs_of(service)
        on = {event: self.hub_of(service, event) for event in self.published_by(service)}
        return {event: hub for event, hub in on.items() if hub != first}

    def owns_rule(self, hub: Hub) -> bool:
        """Whether each service's account has its rule on a global bus: nobody else can on one that is elsewhere."""
        return self.rules == "owner" or hub.account is None

    def has_resources(self, hub: Hub) -> bool:
        """Whether the account of a global bus has resources for it: the bus, or the rules on it."""
        return hub.account is not None and (hub.is_made or not self.owns_rule(hub))

    def local_bus(self, service: str) -> str:
        """The physical name of a service's bus."""
        entry = self.services[service]
        return (
            Arn.parse(entry.bus_arn).name if entry.bus_arn else defaults.local_bus(self.names, service, entry.bus_name)
        )

    def source_of(self, service: str) -> str:
        """The source of a service's events, where an event is not declared to have another."""
        return defaults.source(self.names.called(service), self.services[service].source)

    def published_by(self, service: str) -> tuple[Publication, ...]:
        """What a service publishes."""
        own = self.source_of(service)
        return tuple(Publication(entry.detail_type, entry.source or own) for entry in self.services[service].publishes)

    def sources_of(self, service: str) -> tuple[str, ...]:
        """Every source of a service, sorted; that of `source_of` is one even if nothing is published under it."""
        return tuple(sorted({self.source_of(service), *(event.source for event in self.published_by(service))}))

    def forwarding_account(self, service: str, hub: Hub) -> str:
        """The account whose stack has the rule that forwards from a global bus to a service."""
        return self.services[service].account if self.owns_rule(hub) else str(hub.account)

    def forwards(self, service: str, hub: Hub) -> bool:
        """Whether a global bus is one that a service receives from."""
        return self.services[service].receives == "bus" and hub in self.hubs_of(service)

    def rules_of(self, account: str, hub: Hub) -> list[str]:
        """The ARNs of the forwarding rules that an account has on a global bus."""
        return [
            hub.place.rule_on(hub.name, self.names.forwarding_rule(service, hub.key))
            for service in sorted(self.services)
            if self.forwards(service, hub) and self.forwarding_account(service, hub) == account
        ]

    def makes_bus(self, service: str) -> bool:
        """Whether a local bus is made for a service: it may receive nothing, or receive on a bus that exists."""
        return self.services[service].receives == "bus" and not self.receives_elsewhere(service)

    def receives_elsewhere(self, service: str) -> bool:
        """Whether a service receives on a bus that exists: the default bus of its account, or another."""
        entry = self.services[service]
        return entry.receives == "bus" and (entry.bus_arn is not None or entry.bus_name == DEFAULT_BUS)

    def retention_days(self, service: str) -> int:
        """How long a service's logs are kept."""
        return self.services[service].log_retention_days or self.logs.retention_days

    def kms_key_of(self, account: str) -> str | None:
        """The key for an account's resources: an ARN, `create` for one to be made, or None for AWS's own keys."""
        return self.accounts[account].kms_key or self.kms_key

    @property
    def pipeline_account(self) -> str | None:
        """The id of the account with the state's bucket and the pipeline's roles; None without `deployment`."""
        declared = self.deployment
        if declared is None or declared.account:
            return declared.account if declared else None
        if isinstance(declared, AssumedRole):
            return Arn.parse(declared.role).account_id
        if isinstance(declared, CodePipeline):
            return Arn.parse(declared.connection_arn).account_id
        return self.main.place.account_id

    @cached_property
    def all_tags(self) -> Mapping[str, str]:
        """The tags of every resource. The deploy roles know a resource whose id AWS makes by the backbone's tag."""
        return {**self.tags, BACKBONE_TAG: self.name} if self.deployment else self.tags

    def retry_of(self, service: str) -> Retry:
        """How long forwarding to a service is tried."""
        return self.services[service].retry or self.retry

    @cached_property
    def services_by_account(self) -> Mapping[str, tuple[str, ...]]:
        """The services of every account that has any; accounts and services are in the order of their names."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self.services):
            found[self.services[name].account].append(name)
        return {account: tuple(found[account]) for account in sorted(found)}

    @cached_property
    def accounts_in_use(self) -> tuple[str, ...]:
        """The accounts that get resources, in the order of their names, but those of global buses last."""
        hubs = dict.fromkeys(str(hub.account) for hub in reversed([*self.hubs.values()]) if self.has_resources(hub))
        return (*(account for account in self.services_by_account if account not in hubs), *hubs)
