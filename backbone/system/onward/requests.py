"""What roles ask for on behalf of what they belong to, and what of it is refused."""

from __future__ import annotations

from collections.abc import Iterable

from backbone.aws.arn import Arn, ArnError
from backbone.system.iam import Context, Policy, authorize
from backbone.system.model import Role

__all__ = ["denied"]


def denied(
    role: Role,
    actions: Iterable[str],
    arn: str,
    *,
    policies: Iterable[Policy] = (),
    owner: str | None = None,
    context: Context | None = None,
    ahead: bool = False,
) -> list[str]:
    """The actions that a role may not do to a resource; `owner` is the resource's account where its ARN has none."""
    policies = tuple(policies)
    account = owner or _account(arn) or role.account_id
    return [
        action
        for action in actions
        if not authorize(
            role.identity, action, arn, owner=account, policies=policies, context=context or {}, ahead=ahead
        )
    ]


def _account(arn: str) -> str | None:
    try:
        return Arn.parse(arn).account_id
    except ArnError:
        return None
