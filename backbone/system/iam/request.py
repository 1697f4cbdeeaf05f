"""A request as policies see it: action, resource and the context keys it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final, TypeAlias

__all__ = ["Context", "Missing", "Request", "event_source", "time_keys"]

Context: TypeAlias = "Mapping[str, str | Sequence[str] | None]"
"""Condition keys with their values: a text, several for a multivalued key, None for a key that the request is known
not to have. What a key that is not in the mapping holds is unknown."""

CROSS_SERVICE = frozenset(
    {
        "ec2:sourceinstancearn",
        "ec2:roledelivery",
        "glue:credentialissuingservice",
        "glue:roleassumedby",
        "identitystore:userid",
        "lambda:sourcefunctionarn",
        "ssm:sourceinstancearn",
    }
)
"""Keys of a service that requests to other services have too (IAM user guide, "Other cross-service condition keys")."""


class Missing(Enum):
    """Why a key has no value."""

    ABSENT = "the request does not have it"
    UNKNOWN = "nobody can tell"


class Request:
    """An action on a resource with its context keys, whose names have no case."""

    __slots__ = ("_keys", "_service", "action", "resource")

    def __init__(self, action: str, resource: str, context: Context) -> None:
        self.action: Final = action.lower()
        self.resource: Final = resource
        self._service = self.action.partition(":")[0]
        self._keys = {key.lower(): value for key, value in context.items()}

    def get(self, key: str) -> tuple[str, ...] | Missing:
        """The values of a key. A key of another service than the action's is absent, as on AWS."""
        key = key.lower()
        if key in self._keys:
            value = self._keys[key]
            if value is None:
                return Missing.ABSENT
            return (value,) if isinstance(value, str) else tuple(value) or Missing.ABSENT
        prefix = key.partition(":")[0]
        if prefix in ("aws", self._service) or self._service == "sts" or key in CROSS_SERVICE:
            return Missing.UNKNOWN
        return Missing.ABSENT


def time_keys(epoch_seconds: float) -> dict[str, str]:
    """The keys that tell when a request is made."""
    now = datetime.fromtimestamp(int(epoch_seconds), UTC)
    return {"aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "aws:EpochTime": str(int(epoch_seconds))}


def event_source(arn: str, account_id: str) -> dict[str, str]:
    """The keys that a service sends with a request that it makes for a resource, such as a rule."""
    return {"aws:SourceArn": arn, "aws:SourceAccount": account_id}
