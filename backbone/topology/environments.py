"""What may differ between the environments of a backbone.

An environment changes where and how the backbone is deployed. Who publishes and subscribes to what is the same in all
of them, unless an environment says that it changes that.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SkipValidation

from backbone.aws.limits import TAGS_PER_RESOURCE
from backbone.aws.regions import Partition
from backbone.topology.deployment import AssumedRole, CodePipeline, GitHub, GitLab
from backbone.topology.fields import (
    AccountId,
    AccountName,
    Allowed,
    BackboneName,
    BusArn,
    BusKey,
    DetailType,
    Key,
    LayerArn,
    LayerPattern,
    Matching,
    Model,
    OrganizationId,
    OwnKey,
    PackageRequirement,
    RegionName,
    RetentionDays,
    RoleName,
    Setting,
    TagKey,
    TagValue,
)
from backbone.topology.logs import Logs
from backbone.topology.publications import PublicationEntry
from backbone.topology.retry import Retry
from backbone.topology.state import S3, Cloud, Local, Remote
from backbone.topology.subscriptions import SubscriptionEntry

Layout = Literal["single", "per-account"]


class EnvironmentAccount(Model):
    """What is different about an account in an environment."""

    id: AccountId | None = None
    """The account's number, in quotes."""

    deploy_role: RoleName | None = None
    """The name of the role in this account that Terraform assumes."""

    profile: Annotated[str, Matching("a profile's name", r"\S.*")] | None = None
    """The profile in AWS's configuration files that Terraform uses."""

    kms_key: OwnKey | None = None
    """The key for this account's resources."""


class EnvironmentBus(Model):
    """What is different about a global bus in an environment."""

    arn: BusArn | None = None
    """The ARN of the bus, if it is one that exists."""

    archive_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    """For how many days every event is kept in an archive. 0 means no archive."""


class EnvironmentService(Model):
    """What is different about a service in an environment.

    The last three keys say who talks to whom, and need `changes_events: true`.
    """

    settings: dict[str, Setting] = Field(default_factory=dict)
    """Values for the service's module, in place of those that it has otherwise."""

    retry: Retry | None = None
    """How long forwarding to this service is tried."""

    log_retention_days: RetentionDays | None = None
    """For how many days this service's logs are kept."""

    bus_arn: BusArn | None = None
    """The ARN of the service's local bus, if it is one that exists."""

    account: AccountName | None = None
    """The account that the service lives in."""

    publishes: tuple[Annotated[DetailType | PublicationEntry, SkipValidation()], ...] | None = None
    """The events that the service publishes, in place of the list that it has otherwise."""

    subscribes: tuple[Annotated[DetailType | SubscriptionEntry, SkipValidation()], ...] | None = None
    """The events that the service receives, in place of the list that it has otherwise."""


class Environment(Model):
    """What is different in an environment: mappings are laid over those of the file, everything else replaces it.

    What stands here may stand in a file of its own as well, `backbone.prod.yaml` for the environment `prod`.
    """

    name: BackboneName | None = None
    """The backbone's name, which must differ where two environments share an account and a region."""

    region: RegionName | None = None
    """The AWS region that all resources are in."""

    partition: Partition | None = None
    """The AWS partition that the region belongs to."""

    layout: Layout | None = None
    """How resources are divided into Terraform states."""

    organization_id: OrganizationId | None = None
    """The AWS organization that all accounts belong to."""

    kms_key: OwnKey | None = None
    """The key that encrypts everything that can be encrypted."""

    accounts: dict[Key, EnvironmentAccount] = Field(default_factory=dict)
    """What is different about accounts, by the names that the file calls them by."""

    bus: EnvironmentBus | None = None
    """What is different about the global bus of `bus`."""

    buses: dict[BusKey, EnvironmentBus] = Field(default_factory=dict)
    """What is different about further global buses, by their names."""

    services: dict[Key, EnvironmentService] = Field(default_factory=dict)
    """What is different about services, by their names."""

    logs: Logs | None = None
    """What is different about logs."""

    retry: Retry | None = None
    """How long EventBridge tries to deliver an event."""

    powertools_layer: LayerArn | None = None
    """The Lambda layer with Powertools for AWS Lambda (Python) that functions use."""

    layers: dict[LayerPattern, tuple[PackageRequirement, ...]] = Field(default_factory=dict)
    """The Python packages that further layers have."""

    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=TAGS_PER_RESOURCE)
    """Further tags, and other values of tags."""

    state: Annotated[
        Local | S3 | Remote | Cloud | None,
        Field(discriminator="backend"),
        Allowed("a mapping, as in {backend: s3, bucket: example-terraform-state}"),
    ] = None
    """Where Terraform keeps the environment's state, in place of the place that it has otherwise."""

    deployment: Annotated[
        GitHub | GitLab | CodePipeline | AssumedRole | None,
        Field(discriminator="by"),
        Allowed("a mapping, as in {by: github, repository: acme/backbone}"),
    ] = None
    """Who deploys to this environment, in place of who does otherwise."""

    changes_events: bool = False
    """Whether this environment may also change who talks to whom: services, and their `account`, `publishes` and
    `subscribes`."""
