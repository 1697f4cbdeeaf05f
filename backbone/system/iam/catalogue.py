"""What exists at AWS: services with their actions, resource types and condition keys, and managed policies.

The data are files of `backbone/aws/data/iam`, each read when it is first asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import backbone.aws
from backbone.system.iam.document import Policy, read_policy
from backbone.system.iam.kinds import MANAGED
from backbone.system.iam.text import like, overlap

__all__ = ["Action", "Service", "global_key_type", "managed_policy", "service", "services"]

DATA = Path(backbone.aws.__path__[0]) / "data" / "iam"


@dataclass(frozen=True)
class Action:
    """An action: ARN patterns of the resources it applies to (none: to `*` only), and its condition keys' types."""

    name: str
    resources: tuple[str, ...]
    keys: Mapping[str, str]

    def applies_to(self, pattern: str) -> bool:
        """Whether it can apply to a resource that matches a pattern."""
        return pattern == "*" or any(overlap(pattern, arn) for arn in self.resources)

    def key_type(self, key: str) -> str | None:
        """The type of a condition key of requests for the action; None when they never have it."""
        return _typed(self.keys, key)


class Service:
    """A service of which every action is known."""

    def __init__(self, prefix: str, found: Mapping[str, Any]) -> None:
        self.prefix = prefix
        self._found = found
        self._names = {name.lower(): name for name in found["actions"]}

    @property
    def names(self) -> list[str]:
        """The names of the actions, without the prefix."""
        return list(self._names.values())

    def matching(self, name: str) -> tuple[Action, ...]:
        """The actions that a name with wildcards stands for."""
        name = name.lower()
        names = [name] if name in self._names else [known for known in self._names if like(name, known)]
        return tuple(self._action(self._names[name]) for name in names)

    @cache  # noqa: B019, there is one object for each service
    def _action(self, name: str) -> Action:
        of_types, keys = self._found["actions"][name]
        types = [self._found["types"][name] for name in of_types if name in self._found["types"]]
        every = {key for _, of_type in types for key in of_type} | set(keys)
        typed = {key.lower(): self._found["keys"].get(key, "String") for key in every}
        return Action(f"{self.prefix}:{name}", tuple(VARIABLE.sub("*", arn) for arn, _ in types), typed)


VARIABLE = re.compile(r"\$\{[^}]*\}")


def _read(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


@cache
def services() -> list[str]:
    """The prefixes of all services of AWS."""
    found: list[str] = _read("services")["services"]
    return found


@cache
def service(prefix: str) -> Service | None:
    """A service of which every action is known; None when only its prefix is known, or it does not exist."""
    if not re.fullmatch("[a-z0-9-]+", prefix) or prefix in ("services", "managed-policies"):
        return None
    return Service(prefix, _read(prefix)) if (DATA / f"{prefix}.json").exists() else None


def _typed(keys: Mapping[str, str], key: str) -> str | None:
    key = key.lower()
    if found := keys.get(key):
        return found
    for name, kind in keys.items():  # aws:PrincipalTag/${TagKey}, kms:EncryptionContext:${EncryptionContextKey}
        before, variable, _ = name.partition("${")
        if variable and key.startswith(before) and key != before:
            return kind
    return None


GLOBAL_KEYS = {
    **dict.fromkeys(
        (
            *("CalledViaFirst", "CalledViaLast", "ChatbotSourceArn", "FederatedProvider", "PrincipalAccount"),
            *("PrincipalOrgID", "PrincipalServiceName", "PrincipalTag/${TagKey}", "PrincipalType", "RequestedRegion"),
            *("RequestTag/${TagKey}", "ResourceAccount", "ResourceOrgID", "ResourceTag/${TagKey}", "SourceAccount"),
            *("SourceIdentity", "SourceOrgID", "SourceVpc", "SourceVpce", "UserAgent", "VpceAccount", "VpceOrgID"),
            *("Ec2InstanceSourceVpc", "SignInSessionArn", "referer", "userid", "username"),
        ),
        "String",
    ),
    **dict.fromkeys(
        (
            *("CalledVia", "PrincipalOrgPaths", "PrincipalServiceNamesList", "ResourceOrgPaths", "SourceOrgPaths"),
            *("TagKeys", "VpceOrgPaths"),
        ),
        "ArrayOfString",
    ),
    **dict.fromkeys(("PrincipalArn", "SourceArn", "SourceVpcArn"), "ARN"),
    **dict.fromkeys(
        ("IsMcpServiceAction", "MultiFactorAuthPresent", "PrincipalIsAWSService", "SecureTransport", "ViaAWSService"),
        "Bool",
    ),
    **dict.fromkeys(("CurrentTime", "EpochTime", "TokenIssueTime"), "Date"),
    **dict.fromkeys(("Ec2InstanceSourcePrivateIPv4", "SourceIp", "VpcSourceIp"), "IPAddress"),
    "AssumedRoot": "Bool",
    "MultiFactorAuthAge": "Numeric",
}
"""The keys that requests to any service can have (IAM user guide, "AWS global condition context keys")."""
TYPED_GLOBAL_KEYS = {f"aws:{name}".lower(): kind for name, kind in GLOBAL_KEYS.items()}


def global_key_type(key: str) -> str | None:
    """The type of a condition key that any service's requests can have; None when it is none."""
    return _typed(TYPED_GLOBAL_KEYS, key)


@cache
def managed_policy(arn: str) -> Policy | None:
    """A policy that AWS manages, by its ARN; None when it is not known here, so nothing can be said of it."""
    generic = re.sub(r"^arn:aws(-[a-z]+)+:", "arn:aws:", arn)
    document = _read("managed-policies")["policies"].get(generic)
    return None if document is None else read_policy(arn, document, MANAGED)
