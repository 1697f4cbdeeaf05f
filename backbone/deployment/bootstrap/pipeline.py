"""The stack of the pipeline's account: the roles that its jobs begin as, and where the states are."""

from __future__ import annotations

from backbone.aws.names import BOOTSTRAP_PATH
from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.facts import Facts, State
from backbone.deployment.bootstrap.permissions import pack
from backbone.deployment.bootstrap.resources import Resources
from backbone.deployment.bootstrap.roles import entry_role, name_of, state_plan_role, trust_role, trust_tokens

__all__ = ["pipeline_stack"]

CHUNK = 50
"""The roles that a statement names."""


def pipeline_stack(facts: Facts) -> Document:
    """The roles that a pipeline's jobs have, unless it has a role already, and where the states are."""
    made = Resources()
    if facts.deployment.issuer is not None:
        _entries(made, facts)
    if facts.state:
        _bucket(made, facts, facts.state)
        for stack, role in facts.state.roles.items():
            _state_roles(made, facts, facts.state, stack, role)
    return made.document("pipeline", facts.pipeline)


def _entries(made: Resources, facts: Facts) -> None:
    """OpenID Connect's provider, and two roles that may assume others and nothing else."""
    deployment, state = facts.deployment, facts.state
    made.add(
        "aws_iam_openid_connect_provider",
        "jobs",
        url=deployment.issuer,
        client_id_list=[deployment.audience],
    )
    states = list(state.roles.values()) if state else []
    deploys, plans = ([role(name) for name in facts.providers] for role in (facts.deploy_role, facts.plan_role))
    for word, subjects, assumed, description in (
        ("ci", deployment.deploying, [*deploys, *states], "What deploys the backbone begins as"),
        ("ci-plan", deployment.planning, [*plans, *map(state_plan_role, states)], "What plans the backbone begins as"),
    ):
        chunks = [assumed[start : start + CHUNK] for start in range(0, len(assumed), CHUNK)]
        policies = pack(
            word,
            (
                {"Action": "sts:AssumeRole", "Effect": "Allow", "Resource": chunk, "Sid": f"Assume{number}"}
                for number, chunk in enumerate(chunks, 1)
            ),
        )
        for name, text in policies.items():
            arn = facts.pipeline.iam(f"policy/{BOOTSTRAP_PATH}{name_of(facts, name)}")
            made.policy(name, arn, text, description=description)
        made.role(
            word,
            entry_role(facts, planning=word == "ci-plan"),
            description=description,
            trust=trust_tokens(facts, subjects),
            policies=policies,
            after="aws_iam_openid_connect_provider.jobs",
        )


def _bucket(made: Resources, facts: Facts, state: State) -> None:
    """The bucket: versioned, encrypted, closed to everyone else, and reached by TLS only.

    S3 deletes no bucket that has anything in it, so that the states are safe from a destroy.
    """
    bucket, arn = "${aws_s3_bucket.states.id}", f"arn:{facts.declared.partition}:s3:::{state.bucket}"
    made.add("aws_s3_bucket", "states", bucket=state.bucket)
    made.add(
        "aws_s3_bucket_versioning",
        "states",
        bucket=bucket,
        versioning_configuration={"status": "Enabled"},
    )
    by = (
        {"sse_algorithm": "aws:kms", "kms_master_key_id": state.kms_key}
        if state.kms_key
        else {"sse_algorithm": "AES256"}
    )
    rule = {"apply_server_side_encryption_by_default": by} | ({"bucket_key_enabled": True} if state.kms_key else {})
    made.add("aws_s3_bucket_server_side_encryption_configuration", "states", bucket=bucket, rule=[rule])
    made.add(
        "aws_s3_bucket_public_access_block",
        "states",
        bucket=bucket,
        **dict.fromkeys(
            ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
        ),
    )
    tls = {
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [arn, f"{arn}/*"],
        "Sid": "TlsOnly",
    }
    made.add(
        "aws_s3_bucket_policy",
        "states",
        bucket=bucket,
        policy=to_json(_document(tls)),
        depends_on=["aws_s3_bucket_public_access_block.states"],
    )


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
