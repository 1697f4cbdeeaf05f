"""Whether what was bootstrapped lets a pipeline deploy the stacks as they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from backbone import manifest
from backbone.deployment.bootstrap.boundary import beyond, granted
from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.needs import TYPES, Need
from backbone.system import terraform
from backbone.system.findings import Finding, finding
from backbone.system.iam import MANAGED, Decision, Identity, authorize, read_policy
from backbone.system.model import Role, System
from backbone.system.reader import read

__all__ = ["allowed", "check"]


def check(folder: Path, bootstrapped: Path) -> list[Finding]:
    """What the stacks of a folder need that the bootstrap in another does not give; nothing where nobody deploys."""
    if not (folder / manifest.FILE_NAME).exists() or manifest.read(folder).deployment is None:
        return []
    facts = Facts.read(folder)
    if not (bootstrapped / "stacks").is_dir():
        return [finding("BB520", "deployment", f"there is nothing in {bootstrapped.name}")]
    configuration, system = terraform.load(bootstrapped), read(bootstrapped).system
    documents = {
        configuration.value(block, "arn"): configuration.value(block, "policy")
        for block in configuration.of("aws_iam_policy")
    }
    return [found for account in facts.providers for found in _account(facts, account, system, documents)]


def allowed(who: Identity, need: Need) -> Decision:
    """Whether an identity may make a request."""
    return authorize(who, need.action, need.resource, owner=who.account_id, context=need.context)


def _account(facts: Facts, account: str, system: System, documents: dict[str, str]) -> Iterator[Finding]:
    arns = (facts.deploy_role(account), facts.plan_role(account))
    deploy, plan = (system.get(Role, arn) for arn in arns)
    limit = documents.get(facts.boundary(account))
    if deploy is None or plan is None or limit is None:
        yield finding("BB520", f"accounts.{account}", f"{arns[0]} is not in what was bootstrapped, or not all of it")
        return
    denied: dict[str, list[str]] = defaultdict(list)
    for block in facts.configuration:
        if block.account == account and block.type not in TYPES:
            denied[block.id].append(f"{deploy.name} may not make a resource of the type {block.type}")
    for need in facts.needs[account]:
        for role in (deploy, plan) if need.phase == "read" else (deploy,):
            if not allowed(role.identity, need):
                denied[need.block.id].append(f"{role.name} may not {need.action} on {need.resource}")
    boundary = read_policy("boundary", limit, MANAGED)
    for block, statement in granted(facts, account):
        denied[block.id] += [f"the boundary does not allow {action}" for action in beyond(boundary, statement)]
    for address, words in denied.items():
        if words:
            more = f"; and {len(words) - 1} more such requests" if len(words) > 1 else ""
            yield finding("BB520", address, f"{words[0]}{more}")
