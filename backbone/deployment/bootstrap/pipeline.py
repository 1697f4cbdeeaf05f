"""The stack of the pipeline's account: the roles that its jobs begin as, and where the states are."""

from __future__ import annotations

from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.buckets import add_bucket
from backbone.deployment.bootstrap.codepipeline import add_pipeline
from backbone.deployment.bootstrap.entries import add_entry
from backbone.deployment.bootstrap.facts import Facts, State
from backbone.deployment.bootstrap.resources import Resources
from backbone.deployment.bootstrap.roles import entry_role, state_plan_role, trust_role, trust_tokens

__all__ = ["pipeline_stack"]


def pipeline_stack(facts: Facts) -> Document:
    """The roles that a pipeline's jobs have, unless it has a role already, and where the states are."""
    made = Resources()
    if facts.deployment.issuer is not None:
        _jobs(made, facts)
    if facts.deployment.pipeline is not None:
        add_pipeline(made, facts, facts.deployment.pipeline)
    if facts.state:
        add_bucket(made, "states", facts.state.bucket, partition=facts.declared.partition, kms_key=facts.state.kms_key)
        for stack, role in facts.state.roles.items():
            _state_roles(made, facts, facts.state, stack, role)
    return made.document("pipeline", facts.pipeline)


def _jobs(made: Resources, facts: Facts) -> None:
    """OpenID Connect's provider, and the roles for jobs with its tokens."""
    deployment, name = facts.deployment, "jobs"
    made.add("aws_iam_openid_connect_provider", name, url=deployment.issuer, client_id_list=[deployment.audience])
    for planning, subjects in ((False, deployment.deploying), (True, deployment.planning)):
        trust = trust_tokens(facts, subjects)
        add_entry(made, facts, planning=planning, trust=trust, after=f"aws_iam_openid_connect_provider.{name}")


def _state_roles(made: Resources, facts: Facts, state: State, stack: str, role: str) -> None:
    """A role that reads and writes the state of one stack, and one that only reads it."""
    bucket, key = f"arn:{facts.declared.partition}:s3:::{state.bucket}", state.keys[stack]
    lock = f"{bucket}/{key}.tflock"
    listing = {
        "Action": "s3:ListBucket",
        # Terraform looks for workspaces below env:/ whenever it begins.
        "Condition": {"StringEquals": {"s3:prefix": [key, "env:/"]}},
        "Effect": "Allow",
        "Resource": bucket,
        "Sid": "List",
    }
    read: Document = {"Action": "s3:GetObject", "Effect": "Allow", "Resource": f"{bucket}/{key}", "Sid": "Read"}
    write: list[Document] = [
        {"Action": "s3:PutObject", "Effect": "Allow", "Resource": f"{bucket}/{key}", "Sid": "Write"},
        {
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Effect": "Allow",
            "Resource": lock,
            "Sid": "Lock",
        },
    ]
    keys = _key(state, "kms:Decrypt"), _key(state, "kms:Decrypt", "kms:GenerateDataKey")
    for word, arn, trusted, statements in (
        (f"state-{stack}", role, entry_role(facts), [listing, read, *write, *keys[1]]),
        (f"state-{stack}-plan", state_plan_role(role), entry_role(facts, planning=True), [listing, read, *keys[0]]),
    ):
        described = f"Reads{'' if word.endswith('-plan') else ' and writes'} the state of {stack}"
        made.role(word, arn, description=described, trust=trust_role(trusted), policies={})
        made.add(
            "aws_iam_role_policy",
            word,
            name="state",
            role=f"${{aws_iam_role.{word}.name}}",
            policy=to_json(_document(*statements)),
        )


def _key(state: State, *actions: str) -> list[Document]:
    if state.kms_key is None:
        return []
    return [{"Action": list(actions), "Effect": "Allow", "Resource": state.kms_key, "Sid": "Key"}]


def _document(*statements: Document) -> Document:
    return {"Statement": list(statements), "Version": "2012-10-17"}
