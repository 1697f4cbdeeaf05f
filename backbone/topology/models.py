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
from backbone.aws.names import BACKBONE_TAG, DEFAULT_BUS, Names
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
from backbone.topology.logs import Logs
from backbone.topology.publications import Publication
from backbone.topology.retry import Retry
from backbone.topology.source import Problem
from backbone.topology.state import S3, Cloud, Local, Remote

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

    bus: BusEntry = Field(examples=["{account: bus}"])
    """The global bus, which every service publishes to and which forwards events to the services' local buses."""

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
        """What no two backbones share: the account, region and name of the global bus tell them apart."""
        return f"{self.name}-{self.hub.account_id}-{self.region}"

    @property
    def global_bus(self) -> str:
        """The physical name of the global bus."""
        return Arn.parse(self.bus.arn).name if self.bus.arn else defaults.global_bus(self.names, self.bus.name)

    @property
    def hub(self) -> Place:
        """Where the global bus is, which may be an account that the file does not have."""
        return Arn.parse(self.bus.arn).place if self.bus.arn else self.place(str(self.bus.account))

    @cached_property
    def hub_account(self) -> str | None:
        """The account of the global bus; None where the file does not have it."""
        return next((name for name, account in self.accounts.items() if account.id == self.hub.account_id), None)

    @property
    def makes_hub(self) -> bool:
        """Whether the global bus is made, with its policy, log and archive; else it exists."""
        return self.bus.arn is None

    @property
    def owns_rules(self) -> bool:
        """Whether each service's account has its forwarding rule: nobody else can where the global bus is elsewhere."""
        return self.rules == "owner" or self.hub_account is None

    def local_bus(self, service: str) -> str:
        """The physical name of a service's bus."""
        return defaults.local_bus(self.names, service, self.services[service].bus_name)

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

    def forwarding_account(self, service: str) -> str:
        """The account whose stack has the rule that forwards to a service."""
        return self.services[service].account if self.owns_rules else str(self.hub_account)

    def rules_on_others(self, account: str) -> list[str]:
        """The ARNs of the forwarding rules that an account has on a global bus that it did not make."""
        if self.makes_hub:
            return self.rules_elsewhere(account)
        forwarded = [name for name in sorted(self.services) if self.services[name].receives == "bus"]
        here = [name for name in forwarded if self.forwarding_account(name) == account]
        return [self.hub.rule(self.global_bus, self.names.forwarding_rule(name)) for name in here]

    def rules_elsewhere(self, account: str) -> list[str]:
        """The ARNs of the forwarding rules that an account has on the global bus of another account."""
        return [
            self.hub.rule(self.global_bus, self.names.forwarding_rule(service))
            for service in self.services_by_account.get(account, ())
            if self.forwarding_account(service) != self.hub_account and self.services[service].receives == "bus"
        ]

    def makes_bus(self, service: str) -> bool:
        """Whether a local bus is made for a service: it may receive nothing, or receive on the default bus."""
        return self.services[service].receives == "bus" and self.local_bus(service) != DEFAULT_BUS

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
        return self.hub.account_id

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
        """The accounts that get resources, in the order of their names, but that of the global bus last."""
        others = [account for account in self.services_by_account if account != self.hub_account]
        return (*others, self.hub_account) if self.hub_account else tuple(others)
