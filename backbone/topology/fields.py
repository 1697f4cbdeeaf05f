"""The types of a file's values, each with what is allowed in words."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from backbone.aws.limits import RETENTION_DAYS
from backbone.aws.names import BUS_NAME, BUS_NAME_ALLOWED
from backbone.topology.source import Unquoted


def matching(pattern: str, allowed: str) -> AfterValidator:
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
    if value not in RETENTION_DAYS:
        raise _error(value, f"what CloudWatch Logs accepts, in days: {', '.join(map(str, RETENTION_DAYS))}")
    return value


_KEY = r"[a-z][a-z0-9-]*"
TAG = r"[\w\s.:/=+@-]"

AccountId = Annotated[str, BeforeValidator(_account_id)]
BusName = Annotated[str, matching(rf"(?!default$){BUS_NAME}", BUS_NAME_ALLOWED)]
DetailType = Annotated[str, AfterValidator(_detail_type)]
RetentionDays = Annotated[int, AfterValidator(_retention)]
SourceName = Annotated[str, AfterValidator(_source)]
RoleName = Annotated[
    str,
    matching(
        r"([\x21-\x7e]+/)?[\w+=,.@-]{1,64}",
        "a role's name of 1 to 64 of A-Z a-z 0-9 + = , . @ _ -, with its path if any",
    ),
]
ModuleName = Annotated[str, matching(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", "a Python package, as in services.order")]
LayerArn = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[\w-]+:[0-9]+", "the ARN of a version of a Lambda layer"
    ),
]
KmsKey = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
        "the ARN of a KMS key (log groups take no alias)",
    ),
]
Key = Annotated[str, matching(_KEY, "a lower-case letter, then a-z 0-9 -")]
