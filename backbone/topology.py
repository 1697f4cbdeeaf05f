"""What a user declares: who owns which account, and who publishes and subscribes to which events.

`load()` reads a file and says all that is wrong with it at once, in the file's own words. Whatever it returns
is valid: nothing behind it checks again.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from backbone import BackboneError, cross_checks, limits, source
from backbone.names import BACKBONE_NAME, BUS_NAME, BUS_NAME_ALLOWED, Names, Place, partition_of
from backbone.source import KeyPath, Problem, Source, Unquoted, meant, shown

__all__ = [
    "S3",
    "Account",
    "Bus",
    "BusLog",
    "Cloud",
    "Local",
    "Logs",
    "Remote",
    "Retry",
    "Service",
    "Subscription",
    "Topology",
    "TopologyError",
    "find",
    "load",
    "output_folder",
    "parse",
]

FILE_NAME = "backbone.yaml"
FILE_VARIABLE = "BACKBONE_FILE"


class TopologyError(BackboneError):
    """The file does not declare a backbone; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=lambda one: (one.file, one.line or 0, str(one)))
        super().__init__("\n".join(map(str, self.problems)))


def _matching(pattern: str, allowed: str) -> AfterValidator:
    """Text that matches a pattern as a whole; `allowed` says so in words."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise _error(value, allowed)
        return value

    return AfterValidator(check)


def _error(got: object, allowed: str) -> PydanticCustomError:
    text = f"got {got!r}; allowed: {allowed}".replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("backbone", text)


def _account_id(value: object) -> object:
    if isinstance(value, Unquoted):
        read = "" if str(int(value)) == value.text else f", here as {int(value)}"
        raise _error(
            value.text,
            f'12 digits in quotes, as in "{value.text.zfill(12)}": without quotes YAML takes it for a number, '
            f"drops leading zeros or reads it as octal{read}",
        )
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value):
        size = f", and these are {len(value)} characters" if isinstance(value, str) else ""
        raise _error(value, f"12 digits in quotes{size}")
    return value


def _source(value: str) -> str:
    # "aws." is reserved (PutEvents API reference); 256 is that reference's limit.
    if value == "aws" or value.startswith("aws."):
        raise _error(value, 'a source of your own; those that begin with "aws." are reserved for AWS')
    if not re.fullmatch(r"[^\s*\"\\$]{1,256}", value) or not value.isprintable():
        raise _error(value, "1 to 256 characters without spaces, quotes, * and $")
    return value


def _detail_type(value: str) -> str:
    # PutEvents takes a detail-type of up to 128 characters (EventBridge API reference, PutEventsRequestEntry).
    if not 1 <= len(value) <= 128 or not value.strip() or not value.isprintable():
        raise _error(value, "1 to 128 printable characters, such as Order.Created")
    if "*" in value or "$" in value:
        raise _error(value, "a whole detail-type; * and $ mean something else to policies")
    return value


def _retention(value: int) -> int:
    if value not in limits.RETENTION_DAYS:
        raise _error(value, f"what CloudWatch Logs accepts, in days: {limits.listed(limits.RETENTION_DAYS)}")
    return value


def _subscription(value: object) -> object:
    return {"detail_type": value} if isinstance(value, str) else value


_KEY = r"[a-z][a-z0-9-]*"
_TAG = r"[\w\s.:/=+@-]"

AccountId = Annotated[str, BeforeValidator(_account_id)]
BusName = Annotated[str, _matching(rf"(?!default$){BUS_NAME}", BUS_NAME_ALLOWED)]
DetailType = Annotated[str, AfterValidator(_detail_type)]
RetentionDays = Annotated[int, AfterValidator(_retention)]
SourceName = Annotated[str, AfterValidator(_source)]
RoleName = Annotated[
    str,
    _matching(
        r"([\x21-\x7e]+/)?[\w+=,.@-]{1,64}",
        "a role's name of 1 to 64 of A-Z a-z 0-9 + = , . @ _ -, with its path if any",
    ),
]
ModuleName = Annotated[str, _matching(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", "a Python package, as in services.order")]
LayerArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[\w-]+:[0-9]+", "the ARN of a version of a Lambda layer"
    ),
]
KmsKey = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
        "the ARN of a KMS key (log groups take no alias)",
    ),
]
Key = Annotated[str, _matching(_KEY, "a lower-case letter, then a-z 0-9 -")]


class Model(BaseModel):
    """Frozen, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Account(Model):
    """An AWS account, and how Terraform gets into it: by a role, a profile, or what the environment has."""

    id: AccountId
    deploy_role: RoleName | None = None
    profile: Annotated[str, _matching(r"\S.*", "a profile's name")] | None = None
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
    bucket: Annotated[str, _matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")]
    region: str | None = None
    prefix: Annotated[str, _matching(r"[^/\s]\S*[^/\s]|[^/\s]", "a key without / at its ends")] | None = None
    kms_key: KmsKey | None = None
    role: Annotated[str, _matching(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", "the ARN of a role")] | None = None
    profile: str | None = None


class Remote(Model):
    """State in HCP Terraform, one workspace per stack, by the older `remote` backend."""

    backend: Literal["remote"]
    organization: Annotated[str, _matching(r"\S+", "an organization's name")]
    hostname: str | None = None


class Cloud(Model):
    """State in HCP Terraform, one workspace per stack."""

    backend: Literal["cloud"]
    organization: Annotated[str, _matching(r"\S+", "an organization's name")]
    project: str | None = None
    hostname: str | None = None


class Topology(Model):
    """A whole backbone, as one file declares it."""

    name: Annotated[str, _matching(BACKBONE_NAME, "1 to 20 of a-z 0-9 -")]
    region: str
    partition: Literal["aws", "aws-cn", "aws-us-gov"] | None = None
    layout: Literal["single", "per-account"] = "single"
    routing: Literal["broadcast", "subscribed"] = "broadcast"
    organization_id: (
        Annotated[str, _matching(r"o-[a-z0-9]{10,32}", "an AWS Organizations id, as in o-a1b2c3d4e5")] | None
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
            _matching(
                rf"(?!aws:){_TAG}{{1,128}}",
                "1 to 128 letters, digits, spaces and . : / = + - @ _, not beginning with aws:",
            ),
        ],
        Annotated[
            str,
            _matching(rf"{_TAG}{{0,256}}", "up to 256 letters, digits, spaces and . : / = + - @ _"),
        ],
    ] = Field(default_factory=dict)
    state: Annotated[Local | S3 | Remote | Cloud, Field(discriminator="backend")] = Local()

    _warnings: tuple[Problem, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the file may declare but its author should know."""
        return self._warnings

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


def find(folder: Path) -> Path:
    """The file to load: the one that BACKBONE_FILE names, else `backbone.yaml` in the folder given."""
    return Path(os.environ.get(FILE_VARIABLE) or folder / FILE_NAME)


def output_folder(file: Path) -> Path:
    """Where the stacks of a file go: `cdktf.out` beside it, or `cdktf.prod.out` for a `prod.yaml`.

    The CDKTF command line decides instead where it runs the program: it says so by CDKTF_OUTDIR.
    """
    if given := os.environ.get("CDKTF_OUTDIR"):
        return Path(given)
    return file.parent / ("cdktf.out" if file.name == FILE_NAME else f"cdktf.{file.stem}.out")


def load(path: Path) -> Topology:
    """The backbone that a file declares; raises TopologyError with all that is wrong with the file."""
    try:
        return _validate(source.read(path))
    except source.SourceError as error:
        raise TopologyError(error.problems) from None


def parse(text: str, *, file: str = FILE_NAME) -> Topology:
    """The backbone that a YAML text declares; raises TopologyError like `load`."""
    try:
        return _validate(source.parse(text, file=file))
    except source.SourceError as error:
        raise TopologyError(error.problems) from None


def _validate(given: Source) -> Topology:
    errors = list(cross_checks.check(given))
    try:
        topology = Topology.model_validate(_tuples(given.value))
    except ValidationError as error:
        errors += [_from_pydantic(one, given) for one in error.errors()]
        raise TopologyError(errors) from None
    if not errors:
        findings = list(limits.check(topology))
        errors = [given.problem(one.path, one.message) for one in findings if one.is_error]
    if errors:
        raise TopologyError(errors)
    warnings = [given.problem(one.path, one.message) for one in findings if not one.is_error]
    warnings += [given.problem(path, message) for path, message in cross_checks.loose_ends(topology)]
    topology._warnings = tuple(sorted(warnings, key=lambda one: (one.line or 0, str(one))))
    return topology


def _tuples(value: Any) -> Any:
    """Lists as tuples: what frozen models hold, and what strict validation asks for."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


_KINDS = {
    "bool_type": "true or false",
    "dict_type": "a mapping: a word, a colon and a value in each line",
    "int_type": "a whole number",
    "model_type": "a mapping: a word, a colon and a value in each line",
    "string_type": "text; put it in quotes",
    "tuple_type": "a list, as in [Order.Created, Order.Updated]",
}


def _from_pydantic(error: ErrorDetails, given: Source) -> Problem:
    """A problem in the file's words for one error of the models."""
    kind, context, got = error["type"], error.get("ctx", {}), error["input"]
    path = _path_in_file(error["loc"], given.value)
    if kind == "backbone":
        return given.problem(path, error["msg"].replace("}}", "}").replace("{{", "{"))
    if kind == "missing":
        return given.problem(path, "is missing; add it")
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1], given.value)
        return given.problem(path, f"no such key; allowed: {', '.join(known)}{meant(str(path[-1]), known)}")
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        return given.problem(path, f"got {shown(got)}; allowed: {', '.join(allowed)}{meant(str(got), allowed)}")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        value = got.get("backend") if isinstance(got, dict) else got
        message = f"got {shown(value)}; allowed: local, s3, remote, cloud"
        return given.problem((*path, "backend"), message)
    if kind in ("greater_than_equal", "less_than_equal"):
        low, high = _bounds(path)
        return given.problem(path, f"got {shown(got)}; allowed: {low:,} to {high:,}")
    if kind == "too_short":
        return given.problem(path, f"got {shown(got)}; allowed: at least one entry")
    allowed_kind = _KINDS.get(kind, error["msg"])
    if path[-2:-1] == ("subscribes",):
        allowed_kind = "a detail-type, or {detail_type: ..., source: ...}"
    return given.problem(path, f"got {shown(got)}; allowed: {allowed_kind}")


def _path_in_file(loc: tuple[int | str, ...], value: Any) -> KeyPath:
    """An error's location without the steps that pydantic adds and the file does not have."""
    path: list[int | str] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(value, dict) and (step in value or last) and step != "[key]":
            path.append(step)
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path.append(step)
            value = value[step]
    return tuple(path)


_MODELS: list[tuple[tuple[str, ...], type[Model]]] = [
    ((), Topology),
    (("accounts", "*"), Account),
    (("bus",), Bus),
    (("services", "*"), Service),
    (("services", "*", "subscribes", "*"), Subscription),
    (("services", "*", "retry"), Retry),
    (("logs",), Logs),
    (("logs", "bus"), BusLog),
    (("retry",), Retry),
]
_STATES: dict[object, type[Model]] = {"local": Local, "s3": S3, "remote": Remote, "cloud": Cloud}


def _model_at(path: KeyPath, value: Any) -> type[Model]:
    if path == ("state",):
        state = value.get("state")
        return _STATES.get(state.get("backend") if isinstance(state, dict) else None, Local)
    for pattern, model in _MODELS:
        if len(pattern) == len(path) and all(a in ("*", b) for a, b in zip(pattern, path, strict=True)):
            return model
    raise LookupError(path)


def _known_keys(path: KeyPath, value: Any) -> list[str]:
    return list(_model_at(path, value).model_fields)


def _bounds(path: KeyPath) -> tuple[int, int]:
    found = _model_at(path[:-1], {}).model_fields[str(path[-1])].metadata
    low = next(one.ge for one in found if hasattr(one, "ge"))
    high = next(one.le for one in found if hasattr(one, "le"))
    return low, high
