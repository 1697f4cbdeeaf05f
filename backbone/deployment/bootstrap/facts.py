"""What bootstrap knows of a backbone: its manifest, and what the stacks say beside their resources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from backbone import manifest
from backbone.aws.arn import Arn, Place
from backbone.aws.names import Names, plan_role
from backbone.deployment.bootstrap.needs import Need, needs
from backbone.errors import BackboneError
from backbone.manifest import Manifest, ManifestDeployment
from backbone.system import terraform
from backbone.system.terraform import Configuration, Provider

__all__ = ["BootstrapError", "Facts", "State"]


class BootstrapError(BackboneError):
    """What bootstrap would write cannot be told, or AWS would not take it."""


@dataclass(frozen=True)
class State:
    """Where the states are: the bucket, and for each stack its key and, where one is assumed, its role's ARN."""

    bucket: str
    region: str
    kms_key: str | None
    keys: Mapping[str, str]
    roles: Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """A synthesized backbone that says who deploys it."""

    declared: Manifest
    deployment: ManifestDeployment
    configuration: Configuration
    state: State | None

    @classmethod
    def read(cls, folder: Path) -> Facts:
        """The facts of an output folder; BootstrapError when nobody is said to deploy."""
        declared = manifest.read(folder)
        if declared.deployment is None:
            raise BootstrapError(
                "deployment: is missing: who deploys; add it to the file, as in "
                "deployment: {by: github, repository: acme/backbone}"
            )
        return cls(declared, declared.deployment, terraform.load(folder), _state(folder))

    @property
    def names(self) -> Names:
        """The names of the backbone's resources."""
        return Names(self.declared.backbone, self.declared.region)

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """The provider of each account, by the account's name."""
        found = {provider.alias: provider for provider in self.configuration.providers}
        return {name: found[name] for name in self.declared.accounts if name in found}

    @cached_property
    def needs(self) -> Mapping[str, tuple[Need, ...]]:
        """Every request that a deployment makes, by the account's name."""
        found: dict[str, list[Need]] = {name: [] for name in self.declared.accounts}
        for need in needs(self.configuration):
            found[need.block.account].append(need)
        return {name: tuple(each) for name, each in found.items()}

    @property
    def pipeline(self) -> Place:
        """The account with the state's bucket and the pipeline's roles."""
        return Place(self.declared.partition, self.declared.region, self.deployment.account)

    def place(self, account: str) -> Place:
        """Where an account's resources are."""
        return Place(self.declared.partition, self.declared.region, self.declared.accounts[account])

    def keys(self, account: str) -> tuple[str, ...]:
        """The ARN of the key that an account is given, if it is given one and does not make it."""
        return tuple(key for key in [self.declared.keys.get(account)] if key and key.startswith("arn:"))

    def boundary(self, account: str) -> str:
        """The ARN of the policy that limits an account's roles."""
        return self.place(account).iam(f"policy/{self.deployment.boundary}")

    def deploy_role(self, account: str) -> str:
        """The ARN of the role that deploys to an account, which its provider assumes."""
        given = self.providers[account].body.get("assume_role") or [{}]
        role = (given[0] if isinstance(given, list) else given).get("role_arn")
        if not role:
            raise BootstrapError(
                f"accounts.{account}: the stacks assume no role in it; add its deploy_role to the file and run "
                "`backbone synth`"
            )
        return str(role)

    def plan_role(self, account: str) -> str:
        """The ARN of the role that plans for an account."""
        arn = Arn.parse(self.deploy_role(account))
        return arn.place.iam(f"role/{plan_role(arn.resource.removeprefix('role/'))}")


def _state(folder: Path) -> State | None:
    """Where the stacks keep their states; None when that is not a bucket."""
    backends: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("stacks/*/cdk.tf.json")):
        backend = json.loads(file.read_text(encoding="utf-8")).get("terraform", {}).get("backend", {})
        if "s3" in backend:
            backends[file.parent.name] = backend["s3"]
    if not backends:
        return None
    first = next(iter(backends.values()))
    return State(
        bucket=first["bucket"],
        region=first["region"],
        kms_key=first.get("kms_key_id"),
        keys={name: backend["key"] for name, backend in backends.items()},
        roles={
            name: backend["assume_role"]["role_arn"] for name, backend in backends.items() if "assume_role" in backend
        },
    )
