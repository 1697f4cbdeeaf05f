"""The accounts, the bus and the services of a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue

from backbone.topology.fields import (
    AccountId,
    AccountName,
    Allowed,
    BusArn,
    BusName,
    BusNamed,
    DetailType,
    Key,
    LocalBusName,
    Matching,
    Model,
    ModuleName,
    OwnKey,
    PublishedSource,
    RetentionDays,
    RoleName,
    Setting,
)
from backbone.topology.publications import PublicationEntry, publication
from backbone.topology.relay_entry import RelayEntry
from backbone.topology.retry import Retry
from backbone.topology.subscriptions import SubscriptionEntry, subscription

__all__ = ["AccountEntry", "BusEntry", "ServiceEntry"]

DISTINCT: dict[str, JsonValue] = {"uniqueItems": True}
"""What editors are told of lists without repetitions."""


class AccountEntry(Model):
    """An AWS account, and how Terraform gets into it.

    Without `deploy_role` and `profile`, Terraform uses the credentials of its environment.
    """

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["deploy_role", "profile"]}})

    id: AccountId = Field(examples=['"111111111111"'])
    """The account's number, in quotes."""

    deploy_role: RoleName | None = None
    """The name of the role in this account that Terraform assumes. Not together with `profile`."""

    profile: Annotated[str, Matching("a profile's name", r"\S.*")] | None = None
    """The profile in AWS's configuration files that Terraform uses. Not together with `deploy_role`."""

    kms_key: OwnKey | None = None
    """The key for this account's resources, in place of the key of the whole backbone. `create` has one made."""


def _only(key: str, other: str) -> dict[str, JsonValue]:
    """What editors are told of an entry that has a key and not another; the patterns keep them from offering these."""
    return {"required": [key], "patternProperties": {f"^{key}$": {"type": "string"}, f"^{other}$": {"type": "null"}}}


class BusEntry(Model):
    """A global bus: services publish to it, and it forwards events to their local buses.

    It is made in the `account`, or it exists and has the `arn`. Of a bus that exists nothing is made or changed but the
    forwarding rules on it; `backbone bus-policy` prints the statements that its owner must add to its policy.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [_only("account", "arn"), _only("arn", "account")]})

    account: AccountName | None = Field(default=None, examples=["bus"])
    """The account that the bus is made in. An account of its own is best."""

    arn: BusArn | None = Field(default=None, examples=["arn:aws:events:eu-west-1:111111111111:event-bus/company"])
    """The ARN of a bus that exists, such as that of another team. Not together with `account`."""

    name: BusName | None = None
    """The bus's name in AWS. The default is the backbone's name and `-global`; of one of `buses`, with its name between
    them."""

    archive_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """For how many days every event is kept in an archive, to be replayed. 0 means no archive."""

    pin_detail_types: bool = True
    """Whether the bus's policy lets each account put only the detail-types that its services publish. Their sources are
    checked in any case. `false` makes the policy shorter."""


class ServiceEntry(Model):
    """A service: the account that it lives in, and the events that it publishes and receives.

    A service has a local bus in its account, unless it receives nothing. Its functions come from its module; without
    one they are deployed from elsewhere.
    """

    account: AccountName = Field(examples=["order"])
    """The account that the service lives in. Services may share an account."""

    known_as: Key | None = None
    """The name that the names of the service's resources in AWS, its default `source` and its logs are made of. The
    default is the service's name. Give the old name here when you rename a service, so that nothing is made anew."""

    source: PublishedSource | None = None
    """The `source` of the events that the service publishes. No two services have the same; the default is the
    service's name."""

    publishes: tuple[
        Annotated[
            PublicationEntry,
            BeforeValidator(publication, json_schema_input_type=DetailType | PublicationEntry),
            Allowed("a detail-type, or {detail_type: ..., source: ...}"),
        ],
        ...,
    ] = Field(default=(), json_schema_extra=DISTINCT)
    """The events that the service publishes, by detail-type and, where it is not the service's own, source."""

    subscribes: tuple[
        Annotated[
            SubscriptionEntry,
            BeforeValidator(subscription, json_schema_input_type=DetailType | SubscriptionEntry),
            Allowed("a detail-type, or {detail_type: ..., source: ..., detail: ...}"),
        ],
        ...,
    ] = Field(default=(), json_schema_extra=DISTINCT)
    """The events that the service receives, by detail-type, source and detail."""

    relays: dict[Key, RelayEntry] = Field(default_factory=dict)
    """Events of AWS services, and others on the default bus of the service's account, that the service publishes as
    events of its own, each under a name."""

    receives: Literal["bus", "none"] = "bus"
    """Whether the service receives events. `bus`: on a local bus in its account. `none`: never, so it has no local bus,
    and nothing is forwarded to it."""

    buses: Annotated[tuple[BusNamed, ...], Field(min_length=1)] | None = Field(
        default=None, examples=["[global, payments]"], json_schema_extra=DISTINCT
    )
    """The global buses that the service is on, where there are several: `global` is that of `bus`. It publishes on the
    first, unless an entry of `publishes` says otherwise, and receives from all. The default is `global`."""

    log_retention_days: RetentionDays | None = None
    """For how many days this service's logs are kept. The default is `logs.retention_days`."""

    bus_name: LocalBusName | None = None
    """The name of the service's local bus in AWS. The default is the backbone's name, `-` and the service's name.
    `default` is the default bus of its account, which exists: it gets no policy and no log, so the forwarding rule must
    be of this account (`rules: owner`)."""

    bus_arn: BusArn | None = None
    """The ARN of a bus in the service's account that exists, to receive on in place of a local bus that is made. What
    is said of `default` holds for it. Not together with `bus_name`."""

    retry: Retry | None = None
    """How long forwarding to this service is tried. The default is the file's own `retry`."""

    module: ModuleName | None = None
    """The Python package with the service's code. Its `service.py` has a function `build(service)` that adds the
    service's functions, tables and other resources."""

    settings: dict[str, Setting] = Field(default_factory=dict)
    """Values that the module's `build` asks for by `service.setting`."""

    confidential: bool = False
    """Whether all events of this service are logged without their `detail`, as those in the file's own `confidential`
    are."""

    @property
    def detail_types(self) -> tuple[str, ...]:
        """The detail-types that the service publishes, under whichever source."""
        return tuple(dict.fromkeys(entry.detail_type for entry in self.publishes))
