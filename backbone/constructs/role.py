"""A role of an account, and what it may do."""

from __future__ import annotations

from backbone.aws import policies
from backbone.cdk import Construct, IamRole, IamRolePolicy
from backbone.constructs.account import Account

__all__ = ["Role"]


class Role:
    """A role whose permissions are inline policies; all of them are resources of `scope`, the role itself as `role`.

    The account's boundary, if any, limits it.
    """

    def __init__(
        self, scope: Construct, *, account: Account, name: str, description: str, trust: policies.Document
    ) -> None:
        self._scope, self._account = scope, account
        role = IamRole(
            scope,
            "role",
            provider=account.provider,
            name=name,
            description=description,
            assume_role_policy=policies.to_json(trust),
            permissions_boundary=account.boundary,
        )
        self._name, self.arn = role.name, role.arn

    def allow(self, id: str, name: str, document: policies.Document) -> IamRolePolicy:
        """Let the role do what a document says; returns what must be there before somebody relies on it."""
        return IamRolePolicy(
            self._scope,
            id,
            provider=self._account.provider,
            name=name,
            role=self._name,
            policy=policies.to_json(document),
        )
