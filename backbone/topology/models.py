"""What a file declares: who owns which account, and who publishes and subscribes to which events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from backbone.aws.arn import Place
from backbone.aws.names import BACKBONE_NAME, Names
from backbone.aws.regions import partition_of
from backbone.topology.fields import (
    TAG,
    AccountId,
    BusName,
    DetailType,
    Key,
    KmsKey,
    LayerArn,
    ModuleName,
    RetentionDays,
    RoleName,
    SourceName,
    matching,
)
from backbone.topology.source import Problem


def _subscription(value: object) -> object:
    return {"detail_type": value} if isinstance(value, str) else value


class Model(BaseModel):
    """Frozen, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Account(Model):
    """An AWS account, and how Terraform gets into it: by a role, a profile, or what the environment has."""

    id: AccountId
    deploy_role: RoleName | None = None
    profile: Annotated[str, matching(r"\S.*", "a profile's name")] | None = None
    kms_key: KmsKey | None = None


class Retry(Model):
    """How long EventBridge tries to deliver an event before it goes to the dead-letter queue."""

    max_age_seconds: Annotated[int, Field(ge=60, le=86_400)] = 86_400
    max_attempts: Annotated[int, Field(ge=0, le=185)] = 185


class Bus(Model):
    """The global bus."""

    account: str
    name: BusName | None = None
    archive_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    pin_detail_types: bool = True


class Subscription(Model):
    """A detail-type that a service receives, from one source or from whoever publishes it."""

    detail_type: DetailType
    source: SourceName | None = None


class Service(Model):
    """A service: the account it lives in and the events it publishes and receives.

    Its functions come from `module`, whose `service.py` asks for `settings`; without one, its team deploys them from
    elsewhere.
    """

    account: str
    source: SourceName | None = None
    publishes: tuple[DetailType, ...] = ()
    subscribes: tuple[Annotated[Subscription, BeforeValidator(_subscription)], ...] = ()
    log_retention_days: RetentionDays | None = None
    bus_name: BusName | None = None
    retry: Retry | None = None
    module: ModuleName | None = None
    settings: dict[str, bool | int | str] = Field(default_factory=dict)


class BusLog(Model):
    """What every bus reports of itself, beside the events on it. FULL shows events in the reports."""

    level: Literal["ERROR", "INFO", "TRACE"]
    detail: Literal["NONE", "FULL"] = "NONE"


class Logs(Model):
    """The logs of all buses."""

    retention_days: RetentionDays = 7
    bus: BusLog | None = None


class Local(Model):
    """State in files beside cdktf.out: for trying, not for a team."""

    backend: Literal["local"] = "local"


class S3(Model):
    """State in an S3 bucket, locked by a file beside it (Terraform 1.10 or newer)."""

    backend: Literal["s3"]
    bucket: Annotated[str, matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")]
    region: str | None = None
    prefix: Annotated[str, matching(r"[^/\s]\S*[^/\s]|[^/\s]", "a key without / at its ends")] | None = None
    kms_key: KmsKey | None = None
    role: Annotated[str, matching(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", "the ARN of a role")] | None = None
    profile: str | None = None


class Remote(Model):
    """State in HCP Terraform, one workspace per stack, by the older `remote` backend."""

    backend: Literal["remote"]
    organization: Annotated[str, matching(r"\S+", "an organization's name")]
    hostname: str | None = None


class Cloud(Model):
    """State in HCP Terraform, one workspace per stack."""

    backend: Literal["cloud"]
    organization: Annotated[str, matching(r"\S+", "an organization's name")]
    project: str | None = None
    hostname: str | None = None


class Topology(Model):
    """A whole backbone, as one file declares it."""

    name: Annotated[str, matching(BACKBONE_NAME, "1 to 20 of a-z 0-9 -")]
    region: str
    partition: Literal["aws", "aws-cn", "aws-us-gov"] | None = None
    layout: Literal["single", "per-account"] = "single"
    routing: Literal["broadcast", "subscribed"] = "broadcast"
    organization_id: (
        Annotated[str, matching(r"o-[a-z0-9]{10,32}", "an AWS Organizations id, as in o-a1b2c3d4e5")] | None
    ) = None
    kms_key: KmsKey | None = None
    accounts: dict[Key, Account] = Field(min_length=1)
    bus: Bus
    services: dict[Key, Service] = Field(default_factory=dict)
    logs: Logs = Logs()
    retry: Retry = Retry()
    powertools_layer: LayerArn | None = None
    tags: dict[
        Annotated[
            str,
            matching(
                rf"(?!aws:){TAG}{{1,128}}",
                "1 to 128 letters, digits, spaces and . : / = + - @ _, not beginning with aws:",
            ),
        ],
        Annotated[
            str,
            matching(rf"{TAG}{{0,256}}", "up to 256 letters, digits, spaces and . : / = + - @ _"),
        ],
    ] = Field(default_factory=dict)
    state: Annotated[Local | S3 | Remote | Cloud, Field(discriminator="backend")] = Local()

    _warnings: tuple[Problem, ...] = PrivateAttr(default=())
    _file: Path | None = PrivateAttr(default=None)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the file may declare but its author should know."""
        return self._warnings

    @property
    def file(self) -> Path | None:
        """The file that declares it; None when it was parsed from a text."""
        return self._file

    @cached_property
    def names(self) -> Names:
        """The physical names of this backbone."""
        return Names(self.name, self.region)

    def place(self, account: str) -> Place:
        """Where an account's resources are."""
        partition = self.partition or partition_of(self.region) or "aws"
        return Place(partition, self.region, self.accounts[account].id)

    @property
    def identity(self) -> str:
        """What no two backbones share: the account, region and name of the global bus tell them apart."""
        return f"{self.name}-{self.accounts[self.bus.account].id}-{self.region}"

    @property
    def global_bus(self) -> str:
        """The physical name of the global bus."""
        return self.bus.name or self.names.global_bus

    def local_bus(self, service: str) -> str:
        """The physical name of a service's bus."""
        return self.services[service].bus_name or self.names.local_bus(service)

    def source_of(self, service: str) -> str:
        """The source of a service's events."""
        return self.services[service].source or service

    def retention_days(self, service: str) -> int:
        """How long a service's logs are kept."""
        return self.services[service].log_retention_days or self.logs.retention_days

    def kms_key_of(self, account: str) -> str | None:
        """The key of an account's buses, queues and logs."""
        return self.accounts[account].kms_key or self.kms_key

    def retry_of(self, service: str) -> Retry:
        """How long forwarding to a service is tried."""
        return self.services[service].retry or self.retry

    @cached_property
    def services_by_account(self) -> Mapping[str, tuple[str, ...]]:
        """The services of every account that has any, both in the order of their names."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self.services):
            found[self.services[name].account].append(name)
        return {account: tuple(found[account]) for account in sorted(found)}

    @cached_property
    def accounts_in_use(self) -> tuple[str, ...]:
        """The accounts that get resources: in order of their names, that of the global bus last."""
        others = [account for account in self.services_by_account if account != self.bus.account]
        return (*others, self.bus.account)
