"""The roles that a pipeline's jobs begin as."""

from __future__ import annotations

from collections.abc import Iterable

from backbone.aws.names import BOOTSTRAP_PATH
from backbone.aws.policies import Document
from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.permissions import pack
from backbone.deployment.bootstrap.resources import Resources
from backbone.deployment.bootstrap.roles import entry_role, name_of, state_plan_role

__all__ = ["add_entry"]

CHUNK = 50
"""The roles that a statement names."""


def add_entry(
    made: Resources, facts: Facts, *, planning: bool, trust: Document, more: Iterable[Document] = (), after: str = ""
) -> None:
    """Add a role that may assume the roles for deploying, or for planning, and nothing else but `more` statements."""
    states = list(facts.state.roles.values()) if facts.state else []
    if planning:
        word, description = "ci-plan", "What plans the backbone begins as"
        assumed = [*map(facts.plan_role, facts.providers), *map(state_plan_role, states)]
    else:
        word, description = "ci", "What deploys the backbone begins as"
        assumed = [*map(facts.deploy_role, facts.providers), *states]
    chunks = [assumed[start : start + CHUNK] for start in range(0, len(assumed), CHUNK)]
    assuming: list[Document] = [
        {"Action": "sts:AssumeRole", "Effect": "Allow", "Resource": chunk, "Sid": f"Assume{number}"}
        for number, chunk in enumerate(chunks, 1)
    ]
    policies = pack(word, [*assuming, *more])
    for name, text in policies.items():
        arn = facts.pipeline.iam(f"policy/{BOOTSTRAP_PATH}{name_of(facts, name)}")
        made.policy(name, arn, text, description=description)
    made.role(
        word,
        entry_role(facts, planning=planning),
        description=description,
        trust=trust,
        policies=policies,
        after=after,
    )
