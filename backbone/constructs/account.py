"""An AWS account as the place of resources: its provider, and what it has once for all buses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backbone.aws import policies
from backbone.aws.arn import Place
from backbone.aws.names import ROLE_SUFFIX
from backbone.cdk import (
    AwsProvider,
    AwsProviderAssumeRole,
    AwsProviderDefaultTags,
    CloudwatchLogResourcePolicy,
    Construct,
)
from backbone.constructs.key import Key

__all__ = ["Access", "Account", "EmptyAccount", "NewKey"]


@dataclass(frozen=True)
class Access:
    """How Terraform gets into an account.

    `deploy_role` is a role's name, with its path if any, that the provider assumes; with `plan_role` a variable of the
    stack chooses the role beside it that only reads. `tags` are on all resources.
    """

    place: Place
    deploy_role: str | None = None
    plan_role: bool = False
    profile: str | None = None
    session_name: str = "backbone"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NewKey:
    """A key to be made."""

    alias: str
    description: str
    policy: policies.Document


class EmptyAccount(Construct):
    """An account in which nothing is: its aliased provider, by which Terraform can destroy what was there.

    A plan fails, instead of reaching into another account, when credentials are not those of this one.
    """

    def __init__(self, scope: Construct, id: str, *, access: Access) -> None:
        super().__init__(scope, id)
        self.place = place = access.place
        suffix = f"${{var.{ROLE_SUFFIX}}}" if access.plan_role else ""
        role = access.deploy_role and AwsProviderAssumeRole(
            role_arn=place.iam(f"role/{access.deploy_role}{suffix}"), session_name=access.session_name
        )
        self.provider = AwsProvider(
            self,
            "provider",
            alias=id,
            region=place.region,
            allowed_account_ids=[place.account_id],
            assume_role=[role] if role else None,
            profile=access.profile,
            default_tags=[AwsProviderDefaultTags(tags=dict(access.tags))] if access.tags else None,
        )


class Account(EmptyAccount):
    """An account, its provider, and the policy by which events may be logged there.

    `kms_key` encrypts all that can be encrypted in it: the ARN of a key, or the policy and alias of one to be made,
    which is then `own_key`.
    `boundary` is the ARN of the policy that limits each of its roles.
    `open_routes` are the routes that anyone may call, of all APIs in it, each as the id of the account and the route
    key.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: Access,
        logs_policy_name: str,
        vended_logs: bool = False,
        kms_key: str | NewKey | None = None,
        boundary: str | None = None,
    ) -> None:
        super().__init__(scope, id, access=access)
        self.own_key = self._make(kms_key) if isinstance(kms_key, NewKey) else None
        given = None if isinstance(kms_key, NewKey) else kms_key
        self.kms_key: str | None = self.own_key.arn if self.own_key else given
        self.boundary = boundary
        self.open_routes: set[str] = set()
        self.logs_policy = CloudwatchLogResourcePolicy(
            self,
            "logs-policy",
            provider=self.provider,
            policy_name=logs_policy_name,
            policy_document=policies.to_json(policies.event_logs(self.place, vended=vended_logs)),
        )

    def _make(self, key: NewKey) -> Key:
        return Key(self, "key", provider=self.provider, alias=key.alias, description=key.description, policy=key.policy)
