"""Principals: reading Principal and NotPrincipal, and whom they name.

Source of the rules: IAM user guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from backbone.system.iam.kinds import TRUST, Kind
from backbone.system.iam.problem import Problems, did_you_mean, format_value

__all__ = ["Grant", "Principals", "Who", "read_principals"]


class Grant(IntEnum):
    """How a statement names a principal, from the weakest to the strongest."""

    NOT = 0
    """It does not."""
    ACCOUNT = 1
    """By its account, which delegates to the account: the principal's own policies must allow as well."""
    ROLE = 2
    """By its role: enough within the account, but for the role's permissions boundary and session policies."""
    DIRECT = 3
    """Itself, or everyone: enough within the account."""


@dataclass(frozen=True, slots=True)
class Who:
    """A principal as policies name it: a service by `name`, or an ARN of an account. `session_arn` may be unknown."""

    name: str
    account_id: str
    session_arn: str
    bounded: bool

    @property
    def is_service(self) -> bool:
        """Whether it is an AWS service."""
        return not self.name.startswith("arn:")

    @property
    def sessions(self) -> str:
        """What the ARNs of a role's sessions begin with; no ARN begins so when it is no role."""
        before, role, path = self.name.partition(":role/")
        name = path.rpartition("/")[2]
        return f"{before.replace(':iam:', ':sts:')}:assumed-role/{name}/" if role else "no role"


@dataclass(frozen=True, slots=True)
class Principals:
    """Whom a statement names; `but` for NotPrincipal, which names all others.

    Identity providers stand among `arns`, those of the web that have no ARN among `services`.
    """

    everyone: bool
    accounts: frozenset[str]
    arns: frozenset[str]
    services: frozenset[str]
    but: bool

    def grant(self, who: Who) -> Grant | None:
        """How the statement names somebody; None when it names a session of a role whose session is unknown."""
        if self.but:
            return Grant.NOT if self._excepts(who) else Grant.DIRECT
        if self.everyone:
            return Grant.DIRECT
        if who.is_service:
            return Grant.DIRECT if who.name in self.services else Grant.NOT
        if who.session_arn in self.arns:
            return Grant.DIRECT
        if who.name in self.arns:
            return Grant.ROLE if ":role/" in who.name else Grant.DIRECT
        if not who.session_arn and any(arn.startswith(who.sessions) for arn in self.arns):
            return None
        return Grant.ACCOUNT if who.account_id in self.accounts else Grant.NOT

    def _excepts(self, who: Who) -> bool:
        # A Deny with NotPrincipal spares a role only where session, role and account are all named, and never one with
        # a permissions boundary ("Permissions boundaries for IAM entities").
        if self.everyone:
            return True
        if who.is_service:
            return who.name in self.services
        named = who.account_id in self.accounts and not who.bounded
        if who.name.endswith(":root"):
            return named
        return named and who.name in self.arns and (":role/" not in who.name or who.session_arn in self.arns)


ACCOUNT = re.compile(r"\d{12}")
ROOT = re.compile(r"arn:aws(?:-[a-z]+)*:iam::(\d{12}):root")
PRINCIPAL_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:"
    r"(iam::\d{12}:(role|user)(/[\w+=,.@-]+)+"
    r"|sts::\d{12}:(assumed-role/[\w+=,.@-]+/[\w+=,.@-]+|federated-user/[\w+=,.@-]+))",
    re.ASCII,
)
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|aws\.internal)")
PROVIDER = re.compile(
    r"arn:aws(-[a-z]+)*:iam::\d{12}:(saml-provider|oidc-provider)/\S+"
    r"|cognito-identity\.amazonaws\.com|www\.amazon\.com|graph\.facebook\.com|accounts\.google\.com"
)
TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
ALLOWED = {
    "AWS": "*, an account's 12 digits, or the ARN of an account's root, a role, a user or a session, without wildcards",
    "Service": "a service's name, such as events.amazonaws.com",
    "Federated": "an identity provider, in trust policies",
    "CanonicalUser": "a canonical user id, in policies of S3",
}


def read_principals(found: Any, where: str, problems: Problems, kind: Kind, *, but: bool) -> Principals | None:
    """The principals of a statement; what is wrong with them goes to `problems`."""
    if found == "*":
        return Principals(True, frozenset(), frozenset(), frozenset(), but)
    if not isinstance(found, Mapping):
        problems.refuse(where, f'got {format_value(found)}; allowed: "*", or an object of {", ".join(TYPES)}')
        return None
    named: dict[str, list[str]] = {name: [] for name in TYPES}
    for name, given in found.items():
        if name not in TYPES:
            problems.refuse(where, f"{name} is no kind of principal{did_you_mean(str(name), TYPES)}")
            continue
        values = given if isinstance(given, list | tuple) else [given]
        for value in values:
            if not isinstance(value, str) or not _allowed(name, value, kind):
                problems.refuse(f"{where}.{name}", f"got {format_value(value)}; allowed: {ALLOWED[name]}")
            named[name].append(str(value))
    if not any(named.values()):
        problems.error(where, "names nobody")
    roots = [match[1] for value in named["AWS"] if (match := ROOT.fullmatch(value))]
    accounts = [value for value in named["AWS"] if ACCOUNT.fullmatch(value)]
    return Principals(
        "*" in named["AWS"],
        frozenset([*roots, *accounts]),
        frozenset([*named["AWS"], *(value for value in named["Federated"] if value.startswith("arn:"))]),
        frozenset([*named["Service"], *(value for value in named["Federated"] if not value.startswith("arn:"))]),
        but,
    )


def _allowed(name: str, value: str, kind: Kind) -> bool:
    if name == "AWS":
        return value == "*" or any(form.fullmatch(value) for form in (ACCOUNT, ROOT, PRINCIPAL_ARN))
    if name == "Service":
        return SERVICE.fullmatch(value) is not None
    if name == "Federated":
        return kind is TRUST and PROVIDER.fullmatch(value) is not None
    return kind.service in ("", "s3") and re.fullmatch(r"[0-9a-f]{64}", value) is not None
