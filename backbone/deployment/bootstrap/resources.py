"""The resources of a stack that is written as Terraform's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backbone.aws.arn import Arn, Place
from backbone.aws.policies import Document, to_json

__all__ = ["Resources"]

VERSIONS = {
    "required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}},
    "required_version": ">= 1.10.0",  # state that is locked by a file in S3
}


class Resources:
    """Resources of one account by type and name."""

    def __init__(self) -> None:
        self._made: dict[str, dict[str, dict[str, Any]]] = {}

    def add(self, type: str, name: str, /, **body: Any) -> None:
        """Add a resource."""
        self._made.setdefault(type, {})[name] = body

    def role(
        self, name: str, arn: str, *, description: str, trust: Document, policies: Mapping[str, str], after: str = ""
    ) -> None:
        """Add a role, and attach policies to it: their documents by the names of their resources, which are added."""
        role = Arn.parse(arn)
        depends = {"depends_on": [after]} if after else {}
        text = to_json(trust)
        self.add(
            "aws_iam_role",
            name,
            name=role.name,
            path=_path(role),
            description=description,
            assume_role_policy=text,
            **depends,
        )
        for policy in policies:
            self.add(
                "aws_iam_role_policy_attachment",
                f"{name}-{policy}",
                role=f"${{aws_iam_role.{name}.name}}",
                policy_arn=f"${{aws_iam_policy.{policy}.arn}}",
            )

    def policy(self, name: str, arn: str, document: str, *, description: str) -> None:
        """Add a managed policy."""
        policy = Arn.parse(arn)
        self.add("aws_iam_policy", name, name=policy.name, path=_path(policy), description=description, policy=document)

    def document(self, alias: str, place: Place, default_tags: Any = None) -> Document:
        """The stack of these resources, in an account."""
        provider = {"alias": alias, "allowed_account_ids": [place.account_id], "region": place.region}
        resources = {
            kind: {name: {**body, "provider": f"aws.{alias}"} for name, body in bodies.items()}
            for kind, bodies in self._made.items()
        }
        return {
            "provider": {"aws": [provider | ({"default_tags": default_tags} if default_tags else {})]},
            "resource": resources,
            "terraform": VERSIONS,
        }


def _path(arn: Arn) -> str:
    """The path of a role or policy: `/` or `/some/path/`."""
    before, slash, _ = arn.resource.partition("/")[2].rpartition("/")
    return f"/{before}{slash}"
