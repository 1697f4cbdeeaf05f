"""The roles of a bootstrap: what they are called, and who may assume them."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.arn import Arn
from backbone.aws.limits import ROLE_NAME_CHARACTERS
from backbone.aws.names import BOOTSTRAP_PATH, fit
from backbone.aws.policies import Document
from backbone.deployment.bootstrap.facts import Facts

__all__ = [
    "entry_role",
    "name_of",
    "own",
    "pipeline_role",
    "state_plan_role",
    "trust_role",
    "trust_service",
    "trust_tokens",
]


def entry_role(facts: Facts, *, planning: bool = False) -> str:
    """The ARN of the role that the pipeline's jobs have at first, from which they assume all others."""
    if facts.deployment.issuer is None and facts.deployment.pipeline is None:
        return (facts.deployment.planning if planning else facts.deployment.deploying)[0]
    return facts.pipeline.iam(f"role/{facts.names.entry_role(planning=planning)}")


def pipeline_role(facts: Facts) -> str:
    """The ARN of the role of the pipeline itself, where CodePipeline runs it."""
    return facts.pipeline.iam(f"role/{BOOTSTRAP_PATH}{name_of(facts, 'pipeline')}")


def name_of(facts: Facts, what: str) -> str:
    """The name of a role or policy of bootstrap: these belong to no region."""
    return fit(f"{facts.declared.backbone}-{what}-{facts.declared.region}", ROLE_NAME_CHARACTERS)


def own(facts: Facts, account: str) -> Iterator[str]:
    """The roles, in whatever account, that deploying to an account has to do with: none of these may it change."""
    yield facts.deploy_role(account)
    yield facts.plan_role(account)
    yield facts.place(account).iam(f"role/{BOOTSTRAP_PATH}*")
    states = facts.state.roles.values() if facts.state else ()
    given = {entry_role(facts), entry_role(facts, planning=True), *states}
    yield from sorted(role for role in given if f":role/{BOOTSTRAP_PATH}" not in role)


def trust_role(role: str) -> Document:
    """Lets a role assume the role that trusts it. AWS refuses to name a role that is not there yet: its account is."""
    return _document(
        {
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": role}},
            "Effect": "Allow",
            "Principal": {"AWS": Arn.parse(role).place.root},
        }
    )


def trust_service(facts: Facts, service: str, source_arn: str) -> Document:
    """Lets a service of AWS assume the role that trusts it, for one resource of the pipeline's account only."""
    return _document(
        {
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnEquals": {"aws:SourceArn": source_arn},
                "StringEquals": {"aws:SourceAccount": facts.pipeline.account_id},
            },
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
        }
    )


def trust_tokens(facts: Facts, subjects: tuple[str, ...]) -> Document:
    """Lets jobs whose tokens have one of some subjects assume the role that trusts them, and no others."""
    host = str(facts.deployment.issuer).removeprefix("https://")
    exact = {f"{host}:aud": str(facts.deployment.audience)}
    open_ended = any("*" in subject for subject in subjects)
    given = {f"{host}:sub": list(subjects)}
    condition = {"StringEquals": exact, "StringLike": given} if open_ended else {"StringEquals": {**exact, **given}}
    return _document(
        {
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
            "Effect": "Allow",
            "Principal": {"Federated": facts.pipeline.iam(f"oidc-provider/{host}")},
        }
    )


def state_plan_role(state_role: str) -> str:
    """The role that only reads a state, beside the role that writes it."""
    before, _, name = state_role.rpartition("/")
    return f"{before}/{fit(f'{name}-plan', ROLE_NAME_CHARACTERS)}"


def _document(statement: Document) -> Document:
    return {"Statement": [statement], "Version": "2012-10-17"}
