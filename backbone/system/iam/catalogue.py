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
        return pattern == "*" or any(overlap(pattern, one) for one in self.resources)

    def key_type(self, key: str) -> str | None:
        """The type of a condition key of requests for the action; None when they never have it."""
        return _typed(self.keys, key)


@dataclass(frozen=True)
class Service:
    """A service with its actions, by their names in lower case."""

    prefix: str
    actions: Mapping[str, Action]

    def matching(self, name: str) -> tuple[Action, ...]:
        """The actions that a name with wildcards stands for."""
        name = name.lower()
        if exact := self.actions.get(name):
            return (exact,)
        return tuple(action for key, action in self.actions.items() if like(name, key))

    def has_key(self, key: str) -> bool:
        """Whether any action has a condition key."""
        return any(action.key_type(key) for action in self.actions.values())


VARIABLE = re.compile(r"\$\{[^}]*\}")


def _read(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


@cache
def _index() -> dict[str, Any]:
    found: dict[str, Any] = _read("services")
    return found


def services() -> list[str]:
    """The prefixes of all services of AWS."""
    return list(_index()["services"])


@cache
def service(prefix: str) -> Service | None:
    """A service in detail; None when it is known by its prefix only, or not at all."""
    if prefix not in _index()["detailed"]:
        return None
    found = _read(prefix)
    types = {name: (VARIABLE.sub("*", arn), keys) for name, (arn, keys) in found["types"].items()}
    actions = {}
    for name, (of_types, keys) in found["actions"].items():
        known = [types[one] for one in of_types if one in types]
        every = {key for _, of_type in known for key in of_type} | set(keys)
        typed = {key.lower(): found["keys"].get(key, "String") for key in every}
        actions[name.lower()] = Action(f"{prefix}:{name}", tuple(arn for arn, _ in known), typed)
    return Service(prefix, actions)


def _typed(keys: Mapping[str, str], key: str) -> str | None:
    key = key.lower()
    if found := keys.get(key):
        return found
    before, slash, tag = key.partition("/")
    return keys.get(f"{before}/${{tagkey}}") if slash and tag else None


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
