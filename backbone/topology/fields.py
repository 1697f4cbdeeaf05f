"""The types of a file's values, which say in words what is allowed, for errors and for the reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from backbone.aws.events import is_reserved
from backbone.aws.limits import (
    DETAIL_TYPE_CHARACTERS,
    RETENTION_DAYS,
    ROLE_NAME_CHARACTERS,
    SOURCE_CHARACTERS,
    TAG_KEY_CHARACTERS,
    TAG_VALUE_CHARACTERS,
)
from backbone.aws.names import BACKBONE_NAME, BUS_NAME, BUS_NAME_ALLOWED
from backbone.aws.regions import REGIONS
from backbone.topology.source import Unquoted, format_value

KNOWN_REGIONS = [name for names in REGIONS.values() for name in names]


class Model(BaseModel):
    """A mapping in the file. A key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Allowed:
    """What a value may be, in words, and in the keywords of JSON Schema as far as these can say it."""

    words: str
    keywords: Mapping[str, Any] = field(default_factory=dict, compare=False, kw_only=True)

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Let editors say the same as errors do: those for YAML show `patternErrorMessage`."""
        found = {**handler(core_schema), **self.keywords}
        return found | ({"patternErrorMessage": f"allowed: {self.words}"} if "pattern" in found else {})


@dataclass(frozen=True)
class Matching(Allowed):
    """Text that matches a regular expression as a whole."""

    pattern: str

    def __post_init__(self) -> None:
        """Put the expression into the keywords."""
        object.__setattr__(self, "keywords", _whole(self.pattern))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic check the expression."""

        def check(value: str) -> str:
            if not self.is_met_by(value):
                raise _error(value, self.words)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def is_met_by(self, value: str) -> bool:
        """Whether text matches."""
        return re.fullmatch(self.pattern, value) is not None


def _whole(pattern: str) -> dict[str, str]:
    r"""The keyword for text that matches as a whole; JavaScript's `\w` has ASCII only, unlike Python's."""
    return {"pattern": f"^(?:{pattern})$".replace(r"\w", "\\w\u0080-\U0010ffff")}


def refuse(message: str) -> PydanticCustomError:
    """The error that a value is answered with, in these words."""
    return PydanticCustomError("backbone", "{text}", {"text": message})


def _error(got: object, allowed: str) -> PydanticCustomError:
    return refuse(f"got {format_value(got)}; allowed: {allowed}")


NO_EVENTS_OF_AWS = (
    "events of AWS services never arrive here, since EventBridge forwards an event from bus to bus only once and "
    "nobody else may put events with a source of AWS: let a service of the account where they arise relay them, as in "
    "relays: {uploads: {pattern: {source: [aws.s3]}, publishes: Upload.Received}}, and subscribe to what it publishes"
)


def _account_id(value: object) -> object:
    if isinstance(value, Unquoted) and re.fullmatch(r"[0-9]{1,12}", value.text):
        read = "" if str(int(value)) == value.text else f", here as {int(value)}"
        raise _error(
            value,
            f'12 digits in quotes, as in "{value.text.zfill(12)}": without quotes YAML takes it for a number, '
            f"drops leading zeros or reads it as octal{read}",
        )
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value):
        size = f", but this has {len(value)}" if isinstance(value, str) and len(value) != 12 else ""
        raise _error(value, f"{_ACCOUNT_ID.words}{size}")
    return value


def _source(value: str) -> str:
    if not re.fullmatch(rf"[^\s*\"\\$]{{1,{SOURCE_CHARACTERS}}}", value) or not value.isprintable():
        raise _error(value, SOURCE.words)
    return value


def _published_source(value: str) -> str:
    if is_reserved(value):
        raise _error(value, 'a source of your own; those that begin with "aws." are reserved for AWS')
    return _source(value)


def received_source(value: object, allowed: Allowed) -> None:
    """Raise what is wrong with a source, or the beginning of several, that a service subscribes to."""
    if not isinstance(value, str):
        raise _error(value, allowed.words)
    if is_reserved(value):
        raise _error(value, f"the source of a service in this file; {NO_EVENTS_OF_AWS}")
    _source(value)


def _detail_type(value: str) -> str:
    if not 1 <= len(value) <= DETAIL_TYPE_CHARACTERS or not value.strip() or not value.isprintable():
        raise _error(value, _DETAIL_TYPE.words)
    if "*" in value or "$" in value:
        raise _error(value, "a whole detail-type, without * and $, which have a meaning of their own in policies")
    return value


def _confidential(value: str) -> str:
    if '"' in value or "\\" in value:
        raise _error(value, _CONFIDENTIAL.words)
    return value


def _retention(value: int) -> int:
    if value not in RETENTION_DAYS:
        raise _error(value, _RETENTION.words)
    return value


def _role_name(value: str) -> str:
    if value.startswith("arn:"):
        name = value.partition(":role/")[2] or "backbone-deploy"
        raise _error(value, f"the role's name alone, as in {name}; its ARN is made of that and the account's id")
    return value


def _requirement(value: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # few files have any

    try:
        Requirement(value)
    except InvalidRequirement:
        raise _error(value, _REQUIREMENT.words) from None
    return value


def _setting(value: object) -> object:
    if not isinstance(value, bool | int | str):
        raise _error(value, _SETTING.words)
    return value


_ACCOUNT_ID = Allowed("12 digits in quotes", keywords=_whole("[0-9]{12}"))
_DETAIL_TYPE = Allowed(
    f"1 to {DETAIL_TYPE_CHARACTERS} printable characters without * and $, as in Order.Created",
    keywords=_whole(rf"(?=.*\S)[^*$\x00-\x1f]{{1,{DETAIL_TYPE_CHARACTERS}}}"),
)
_CONFIDENTIAL = Allowed(
    'a detail-type without " and \\, which EventBridge would not escape in the log',
    keywords=_whole(rf'(?=.*\S)[^*$"\\\x00-\x1f]{{1,{DETAIL_TYPE_CHARACTERS}}}'),
)
_REQUIREMENT = Allowed("a Python package as in requirements.txt, such as reportlab>=4,<5")
_REGION = r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"
_RETENTION = Allowed(
    f"what CloudWatch Logs accepts, in days: {', '.join(map(str, RETENTION_DAYS))}",
    keywords={"enum": list(RETENTION_DAYS)},
)
_SETTING = Allowed("true or false, a whole number, or text")
SOURCE = Allowed(
    f'1 to {SOURCE_CHARACTERS} printable characters without spaces, * " $ and \\',
    keywords=_whole(rf'(?!aws$|aws\.)[^\s*"\\$]{{1,{SOURCE_CHARACTERS}}}'),
)
_TAG = r"[\w\s.:/=+@-]"
_TAG_ALLOWED = "letters, digits, spaces and . : / = + - @ _"

AccountId = Annotated[str, BeforeValidator(_account_id), _ACCOUNT_ID]
AccountPattern = Annotated[
    str,
    Matching(
        "the name of an account under accounts, in which * stands for any characters, as in order or order-*",
        r"[a-z*?][a-z0-9*?-]*",
    ),
]
AccountName = Annotated[str, Allowed("the name of an account under accounts")]
BackboneName = Annotated[str, Matching("1 to 20 of a-z 0-9 -", BACKBONE_NAME)]
BusName = Annotated[str, Matching(BUS_NAME_ALLOWED, rf"(?!default$){BUS_NAME}")]
LocalBusName = Annotated[
    str, Matching(f"{BUS_NAME_ALLOWED.partition(', and')[0]}; default is the account's default bus", BUS_NAME)
]
DetailType = Annotated[str, AfterValidator(_detail_type), _DETAIL_TYPE]
BusArn = Annotated[
    str,
    Matching("the ARN of an event bus", rf"arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{{12}}:event-bus/{BUS_NAME}"),
]
BusKey = Annotated[
    str, Matching("a lower-case letter, then a-z 0-9 -, and not global, which is `bus`", r"(?!global$)[a-z][a-z0-9-]*")
]
BusNamed = Annotated[str, Matching("a global bus that is declared, by its name", r"[a-z][a-z0-9-]*")]
ConfidentialType = Annotated[DetailType, AfterValidator(_confidential), _CONFIDENTIAL]
EnvironmentName = Annotated[
    str, Matching("a lower-case letter, then a-z 0-9 -, and not accept", r"(?!accept$)[a-z][a-z0-9-]*")
]
"""`backbone.accept.yaml` is the file with accepted findings."""
FILE_PATTERN = Matching(
    "a path of YAML files from the folder of backbone.yaml, in which * stands for any characters of a name and ** for "
    "any folders, as in teams/*.yaml",
    r"(?!(.*/)?\.\.(/|$))(?!.*[^/]\*\*)(?!.*\*\*[^/])[^/\\:\s]([^\\:\r\n]*[^\\:/\s])?\.ya?ml",
)
FilePattern = Annotated[str, FILE_PATTERN]
Key = Annotated[str, Matching("a lower-case letter, then a-z 0-9 -", r"[a-z][a-z0-9-]*")]
KmsKey = Annotated[
    str,
    Matching(
        "the ARN of a KMS key (no alias, since log groups take none)",
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
    ),
]
OwnKey = Annotated[
    str,
    Matching(
        "the ARN of a KMS key (no alias, since log groups take none), or create, to have a key made",
        r"create|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
    ),
]
LayerArn = Annotated[
    str,
    Matching(
        "the ARN of a version of a Lambda layer",
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[\w-]+:[0-9]+",
    ),
]
LayerPattern = Annotated[
    str,
    Matching(
        "the ARN of a Lambda layer, in which * stands for any characters",
        r"arn:[a-z*-]+:lambda:[a-z0-9*-]+:[0-9*]+:layer:[\w*-]+(:[0-9*]+)?",
    ),
]
ModuleName = Annotated[str, Matching("a Python package, as in services.order", r"[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*")]
OrganizationId = Annotated[str, Matching("an AWS Organizations id, as in o-a1b2c3d4e5", r"o-[a-z0-9]{10,32}")]
PackageRequirement = Annotated[str, AfterValidator(_requirement), _REQUIREMENT]
PublishedSource = Annotated[str, AfterValidator(_published_source), SOURCE]
RegionName = Annotated[
    str,
    Allowed("a region of AWS", keywords={"anyOf": [{"enum": KNOWN_REGIONS}, _whole(_REGION)]}),
]
RetentionDays = Annotated[int, AfterValidator(_retention), _RETENTION]
RoleArn = Annotated[str, Matching("the ARN of a role", r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")]
RoleName = Annotated[
    str,
    AfterValidator(_role_name),
    Matching(
        "a role's name, with the path before it if the role has one, as in ci/backbone-deploy: "
        f"1 to {ROLE_NAME_CHARACTERS} of A-Z a-z 0-9 + = , . @ _ -",
        rf"(?!arn:)([\x21-\x2e\x30-\x7e][\x21-\x7e]*/)?[A-Za-z0-9_+=,.@-]{{1,{ROLE_NAME_CHARACTERS}}}",
    ),
]
Setting = Annotated[bool | int | str, BeforeValidator(_setting), _SETTING]
TagKey = Annotated[
    str,
    Matching(
        f"1 to {TAG_KEY_CHARACTERS} {_TAG_ALLOWED}, not beginning with aws:",
        rf"(?!aws:){_TAG}{{1,{TAG_KEY_CHARACTERS}}}",
    ),
]
TagValue = Annotated[
    str, Matching(f"up to {TAG_VALUE_CHARACTERS} {_TAG_ALLOWED}", rf"{_TAG}{{0,{TAG_VALUE_CHARACTERS}}}")
]
