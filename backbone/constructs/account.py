"""An AWS account as the place of resources: its provider, and what it has once for all buses."""

from __future__ import annotations

from collections.abc import Mapping

from backbone.aws import policies
from backbone.aws.arn import Place
from backbone.cdk import (
    AwsProvider,
    AwsProviderAssumeRole,
    AwsProviderDefaultTags,
    CloudwatchLogResourcePolicy,
    Construct,
)

__all__ = ["Account"]


class Account(Construct):
    """An account and its aliased provider.

    `deploy_role` is a role's name, with its path if any, that the provider assumes. `allowed_account_ids`
    makes a plan fail, instead of reaching into another account, when credentials are not those of this one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        place: Place,
        logs_policy_name: str,
        vended_logs: bool = False,
        deploy_role: str | None = None,
        profile: str | None = None,
        session_name: str = "backbone",
        kms_key: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.place = place
        self.kms_key = kms_key
        role = deploy_role and AwsProviderAssumeRole(
            role_arn=place.iam(f"role/{deploy_role}"), session_name=session_name
        )
        self.provider = AwsProvider(
            self,
            "provider",
            alias=id,
            region=place.region,
            allowed_account_ids=[place.account_id],
            assume_role=[role] if role else None,
            profile=profile,
            default_tags=[AwsProviderDefaultTags(tags=dict(tags))] if tags else None,
        )
        self.logs_policy = CloudwatchLogResourcePolicy(
            self,
            "logs-policy",
            provider=self.provider,
            policy_name=logs_policy_name,
            policy_document=policies.to_json(policies.event_logs(place, vended=vended_logs)),
        )
