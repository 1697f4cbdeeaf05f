"""Who asks, and with which policies, as the emulator's own IAM has them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from moto.backends import get_backend

from backbone.system.iam import INLINE, MANAGED, TRUST, Identity, Kind, Policy, read_policy

ADMINISTRATOR = "administrator"
"""A role of this name is the account's own: it may do everything."""


class Identities:
    """The sessions that were given out, by their access keys."""

    def __init__(self) -> None:
        self._roles: dict[str, str] = {}

    def remember(self, response: bytes, role: str) -> None:
        """Note whose the credentials in an answer of STS are."""
        if found := re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", response):
            self._roles[found[1].decode()] = role

    def of(self, key: str) -> Identity | None:
        """Whose an access key is; None for the one from outside, which every account lets in as its administrator."""
        arn = self._roles.get(key)
        return None if arn is None else identity(arn)


def identity(arn: str) -> Identity:
    """A role with its policies as they are now."""
    account = arn.split(":")[4]
    if arn.endswith(f":role/{ADMINISTRATOR}"):
        return Identity(arn, account)
    role = _role(arn)
    if role is None:
        return Identity(arn, account, policies=())
    inline = [_read(text, INLINE) for text in role.policies.values()]
    managed = [_managed(account, one) for one in role.managed_policies]
    limit = role.permissions_boundary_arn
    return Identity(arn, account, policies=(*inline, *managed), boundary=_managed(account, limit) if limit else None)


def trust(arn: str) -> Policy | None:
    """The trust policy of a role; None when there is no such role."""
    role = _role(arn)
    return None if role is None else _read(str(role.assume_role_policy_document), TRUST)


def trusts_provider(arn: str, host: str) -> bool:
    """Whether the trust policy of a role names an identity provider of its account."""
    role = _role(arn)
    return role is not None and f"arn:aws:iam::{arn.split(':')[4]}:oidc-provider/{host}" in str(
        json.loads(role.assume_role_policy_document)
    )


def boundary(arn: str) -> str | None:
    """The permissions boundary of a role, if it is there and has one."""
    role = _role(arn)
    return role.permissions_boundary_arn if role else None


def _iam(account: str) -> Any:
    return get_backend("iam")[account]["aws"]


def _role(arn: str) -> Any:
    return next((role for role in _iam(arn.split(":")[4]).get_roles() if role.arn == arn), None)


def _managed(account: str, arn: str) -> Policy:
    policy = _iam(account).managed_policies[arn]
    return _read(next(version.document for version in policy.versions if version.is_default), MANAGED)


@lru_cache(1_000)
def _read(text: str, kind: Kind) -> Policy:
    policy = read_policy("policy", text, kind)
    assert not policy.refused, policy.problems
    return policy
