"""Whether IAM allows a request, and by which statement.

An operator or element that is not known here is an error, never an allow. Source of the rules: IAM user guide,
"Policy evaluation logic" and "IAM JSON policy elements".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Any

from backbone.errors import BackboneError

__all__ = ["Decision", "Identity", "Policy", "PolicyError", "authorize", "decide"]

Context = Mapping[str, str]


class PolicyError(BackboneError):
    """A policy says something that is not simulated."""


@dataclass(frozen=True)
class Policy:
    """A document, and where it stands: the address of its resource."""

    address: str
    document: Mapping[str, Any]

    @property
    def statements(self) -> list[Mapping[str, Any]]:
        """The statements, also where there is one without a list."""
        found = self.document.get("Statement", [])
        return found if isinstance(found, list) else [found]


@dataclass(frozen=True)
class Identity:
    """Who asks: an AWS service by its name, or a principal of an account by ARN.

    `policies` are those of the principal; None stands for an identity of the account that may do everything.
    """

    name: str
    account_id: str = ""
    policies: tuple[Policy, ...] | None = None

    @property
    def is_service(self) -> bool:
        """Whether it is an AWS service, such as events.amazonaws.com."""
        return not self.name.startswith("arn:")


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed, and why in words."""

    allowed: bool
    why: str

    def __bool__(self) -> bool:
        return self.allowed


def authorize(
    who: Identity,
    action: str,
    resource: str,
    *,
    owner: str,
    policy: Policy | None,
    context: Context,
    known: frozenset[str] | None = None,
) -> Decision:
    """Whether an identity may do something to a resource of the account `owner` with a policy of its own.

    In another account both the identity's policies and the resource's must allow it, in the same account one
    of them. With `known`, conditions on other keys count as met: for asking whether anything could be allowed.
    """
    by_resource = decide([policy] if policy else [], who, action, resource, context, known)
    if by_resource is not None and not by_resource:
        return by_resource
    if who.is_service:
        return by_resource or Decision(False, f"no policy of {resource} allows {who.name} {action}")
    if who.policies is None:
        by_identity: Decision | None = Decision(True, f"an identity of account {who.account_id}")
    else:
        by_identity = decide(who.policies, None, action, resource, context, known)
    if by_identity is not None and not by_identity:
        return by_identity
    if who.account_id == owner:
        return by_identity or by_resource or Decision(False, f"no policy allows {who.name} {action} on {resource}")
    if by_identity is None:
        return Decision(False, f"no policy of {who.name} allows {action} on {resource}")
    if by_resource is None:
        return Decision(
            False, f"the policy of {resource} does not allow {who.name} {action} {_shown(context)}".rstrip()
        )
    return by_resource


def _shown(context: Context) -> str:
    given = {key: value for key, value in context.items() if key in ("events:source", "events:detail-type")}
    return "with " + ", ".join(f"{key} {value!r}" for key, value in given.items()) if given else ""


def decide(
    policies: Sequence[Policy],
    who: Identity | None,
    action: str,
    resource: str,
    context: Context,
    known: frozenset[str] | None = None,
) -> Decision | None:
    """What policies say of a request: None when nothing. `who` is asked of resource policies only."""
    allowed: Decision | None = None
    for policy in policies:
        for number, statement in enumerate(policy.statements):
            if not _applies(statement, who, action, resource, context, known, policy.address):
                continue
            name = f"{policy.address}, statement {statement.get('Sid') or number}"
            if statement.get("Effect") == "Deny":
                return Decision(False, f"denied by {name}")
            allowed = allowed or Decision(True, name)
    return allowed


ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def _applies(
    statement: Mapping[str, Any],
    who: Identity | None,
    action: str,
    resource: str,
    context: Context,
    known: frozenset[str] | None,
    address: str,
) -> bool:
    unknown = statement.keys() - ELEMENTS
    if unknown:
        raise PolicyError(f"{address}: {', '.join(sorted(unknown))} in a policy's statement is not simulated")
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in _list(statement.get("Action")))
        and any(_like(pattern, resource) for pattern in _list(statement.get("Resource", "*")))
        and (who is None or _is_principal(statement.get("Principal"), who))
        and _holds(statement.get("Condition", {}), context, known, address)
    )


def _is_principal(principal: Any, who: Identity) -> bool:
    if principal == "*":
        return True
    given: Mapping[str, Any] = principal or {}
    if who.is_service:
        return who.name in _list(given.get("Service"))
    return any(
        one in ("*", who.name, who.account_id) or re.fullmatch(rf"arn:[a-z-]+:iam::{who.account_id}:root", one)
        for one in _list(given.get("AWS"))
    )


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


@lru_cache(4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    # Brackets are no wild characters to IAM.
    return re.compile(translate(pattern.replace("[", "[[]")), re.DOTALL)


def _like(pattern: str, value: str) -> bool:
    return pattern in ("*", value) or (
        _pattern(pattern).match(value) is not None if "*" in pattern or "?" in pattern else False
    )


def _arn_like(pattern: str, value: str) -> bool:
    ours, theirs = pattern.split(":", 5), value.split(":", 5)
    return len(ours) == len(theirs) and all(_like(one, other) for one, other in zip(ours, theirs, strict=True))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
    "StringEquals": lambda pattern, value: pattern == value,
    "StringEqualsIgnoreCase": lambda pattern, value: pattern.lower() == value.lower(),
    "StringLike": _like,
}
NEGATIVE = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
}


def _holds(condition: Mapping[str, Any], context: Context, known: frozenset[str] | None, address: str) -> bool:
    return all(
        (known is not None and key not in known) or _one_holds(operator, key, _list(values), context, address)
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _one_holds(operator: str, key: str, values: list[str], context: Context, address: str) -> bool:
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return (found is None) is (values[0].lower() == "true")
    # Every key here has one value: for all and for any are the same, but for an absent key.
    quantifier, _, name = operator.rpartition(":")
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise PolicyError(f"{address}: the condition operator {operator} is not simulated")
    plain = name.removesuffix("IfExists")
    if plain not in OPERATORS and plain not in NEGATIVE:
        raise PolicyError(f"{address}: the condition operator {operator} is not simulated")
    if found is None:
        return plain != name or quantifier == "ForAllValues" or (plain in NEGATIVE and quantifier == "")
    test = OPERATORS[NEGATIVE.get(plain, plain)]
    return any(test(one, found) for one in values) is not (plain in NEGATIVE)
