"""Backbones that say who deploys, synthesized and bootstrapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from backbone import manifest
from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.needs import Need, needs
from backbone.deployment.bootstrap.stacks import write
from backbone.synthesis import output
from backbone.system.iam import Identity
from backbone.system.model import Role
from backbone.system.reader import read
from backbone.topology import parse
from tests.conftest import EXAMPLES, ROOT, TOPOLOGIES

GITHUB = {"by": "github", "repository": "acme/backbone", "account": "444444444444"}
CODEPIPELINE = {
    "by": "codepipeline",
    "repository": "acme/backbone",
    "connection_arn": "arn:aws:codeconnections:eu-west-1:444444444444:connection/11111111-2222-3333-4444-555555555555",
}
STATE = {"backend": "s3", "bucket": "acme-states"}
FILES = {**EXAMPLES, **{name: TOPOLOGIES / f"{name}.yaml" for name in ("everything", "hubs")}}
FILES["multi-bus"] = ROOT / "examples" / "multi-bus" / "backbone.yaml"


@dataclass(frozen=True)
class Bootstrapped:
    """The stacks of a backbone, and its bootstrap beside them."""

    folder: Path
    facts: Facts
    roles: dict[str, Role]

    @property
    def bootstrap(self) -> Path:
        return manifest.bootstrap_folder(self.folder)

    @property
    def needs(self) -> list[Need]:
        return list(needs(self.facts.configuration))

    def deploy(self, account: str) -> Identity:
        return self.roles[self.facts.deploy_role(account)].identity

    def plan(self, account: str) -> Identity:
        return self.roles[self.facts.plan_role(account)].identity


def document(name: str, **changes: Any) -> dict[str, Any]:
    """An example's file as it is when a pipeline deploys it. `changes` replaces keys of it."""
    found: dict[str, Any] = yaml.safe_load(FILES[name].read_text())
    for account in found["accounts"].values():
        account.pop("profile", None)
        account.setdefault("deploy_role", "backbone-deploy")
    return found | {"state": STATE, "deployment": GITHUB} | changes


def synthesize(folder: Path, given: dict[str, Any]) -> Path:
    output.synth(parse(yaml.safe_dump(given)), folder)
    return folder


def bootstrap(folder: Path, given: dict[str, Any]) -> Bootstrapped:
    synthesize(folder, given)
    facts = Facts.read(folder)
    write(facts, manifest.bootstrap_folder(folder), backend=False)
    system = read(manifest.bootstrap_folder(folder)).system
    return Bootstrapped(folder, facts, {role.arn: role for role in system.of(Role)})
