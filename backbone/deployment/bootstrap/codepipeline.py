"""A pipeline of AWS CodePipeline: plan, approval, apply."""

from __future__ import annotations

from typing import Any

from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.buckets import add_bucket
from backbone.deployment.bootstrap.buildspecs import CHANGES, PLANNED, apply_buildspec, plan_buildspec
from backbone.deployment.bootstrap.entries import add_entry
from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.resources import Resources
from backbone.deployment.bootstrap.roles import pipeline_role, trust_service
from backbone.manifest import ManifestPipeline

__all__ = ["add_pipeline"]

SOURCE = "Source"
IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
COMPUTE = "BUILD_GENERAL1_MEDIUM"
"""8 GB: each stack that is planned at the same time has a Terraform and a provider for each of its accounts."""

MINUTES = {"plan": 60, "apply": 180}
LOG_DAYS = 365
ARTIFACT_DAYS = 90
"""How long artifacts are kept: longer than anybody may take to approve, which is 7 days."""


def add_pipeline(made: Resources, facts: Facts, pipeline: ManifestPipeline) -> None:
    """Add the pipeline, its builds, all roles, the bucket for its artifacts and the builds' logs."""
    names = _Names(facts)
    add_bucket(made, "artifacts", names.bucket, partition=facts.declared.partition)
    made.add(
        "aws_s3_bucket_lifecycle_configuration",
        "artifacts",
        bucket="${aws_s3_bucket.artifacts.id}",
        rule=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {},
                "expiration": {"days": ARTIFACT_DAYS},
                "noncurrent_version_expiration": {"noncurrent_days": 1},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
    )
    _build(made, facts, names, "plan", plan_buildspec(facts, pipeline))
    _build(made, facts, names, "apply", apply_buildspec(facts, pipeline))
    _pipeline_role(made, facts, names, pipeline)
    made.add(
        "aws_codepipeline",
        "pipeline",
        name=names.pipeline,
        role_arn="${aws_iam_role.pipeline.arn}",
        pipeline_type="V2",
        # A newer commit takes the place of an older that waits for approval, whose plan it makes stale.
        execution_mode="SUPERSEDED",
        artifact_store=[{"location": "${aws_s3_bucket.artifacts.id}", "type": "S3"}],
        stage=_stages(pipeline),
        depends_on=["aws_iam_role_policy.pipeline"],
    )


class _Names:
    """What the parts of the pipeline are called, and their ARNs."""

    def __init__(self, facts: Facts) -> None:
        self._place = facts.pipeline
        self.pipeline = f"backbone-{facts.declared.backbone}"
        self.bucket = f"{self.pipeline}-{self._place.account_id}-{self._place.region}"

    @property
    def bucket_arn(self) -> str:
        return f"arn:{self._place.partition}:s3:::{self.bucket}"

    @property
    def pipeline_arn(self) -> str:
        return self._place.arn("codepipeline", self.pipeline)

    def project(self, word: str) -> str:
        return f"{self.pipeline}-{word}"

    def project_arn(self, word: str) -> str:
        return self._place.arn("codebuild", f"project/{self.project(word)}")

    def log_group(self, word: str) -> str:
        return f"/aws/codebuild/{self.project(word)}"

    def logs_arn(self, word: str) -> str:
        return self._place.arn("logs", f"log-group:{self.log_group(word)}:*")


def _build(made: Resources, facts: Facts, names: _Names, word: str, buildspec: str) -> None:
    """A build, the role that it begins as, and its logs."""
    planning = word == "plan"
    made.add("aws_cloudwatch_log_group", word, name=names.log_group(word), retention_in_days=LOG_DAYS)
    logs: Document = {
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Effect": "Allow",
        "Resource": names.logs_arn(word),
        "Sid": "Logs",
    }
    objects = ["s3:GetObject", "s3:GetObjectVersion", *(["s3:PutObject"] if planning else [])]
    trust = trust_service(facts, "codebuild", names.project_arn(word))
    more = [logs, *_artifacts(facts, names, objects)]
    add_entry(made, facts, planning=planning, trust=trust, more=more)
    made.add(
        "aws_codebuild_project",
        word,
        name=names.project(word),
        description="Plans the backbone" if planning else "Applies what was approved",
        service_role=f"${{aws_iam_role.{'ci-plan' if planning else 'ci'}.arn}}",
        build_timeout=MINUTES[word],
        concurrent_build_limit=1,
        artifacts={"type": "CODEPIPELINE"},
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
        environment={"compute_type": COMPUTE, "image": IMAGE, "type": "LINUX_CONTAINER"},
        logs_config={"cloudwatch_logs": {"group_name": f"${{aws_cloudwatch_log_group.{word}.name}}"}},
    )


def _artifacts(facts: Facts, names: _Names, objects: list[str]) -> list[Document]:
    """The permission for artifacts, if the bucket is still this account's: its name could be somebody else's then."""
    own = {"StringEquals": {"aws:ResourceAccount": facts.pipeline.account_id}}
    bucket = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
    return [
        {"Action": bucket, "Condition": own, "Effect": "Allow", "Resource": names.bucket_arn, "Sid": "Bucket"},
        {
            "Action": objects,
            "Condition": own,
            "Effect": "Allow",
            "Resource": f"{names.bucket_arn}/*",
            "Sid": "Artifacts",
        },
    ]


def _pipeline_role(made: Resources, facts: Facts, names: _Names, pipeline: ManifestPipeline) -> None:
    """The pipeline's own role: it reads the source, keeps artifacts, and starts the builds; it assumes no role."""
    statements: list[Document] = [
        {
            # The console made connections of the older name for a long time; AWS asks for the action of either.
            "Action": ["codeconnections:UseConnection", "codestar-connections:UseConnection"],
            "Effect": "Allow",
            "Resource": pipeline.connection_arn,
            "Sid": "Connection",
        },
        {
            "Action": ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
            "Effect": "Allow",
            "Resource": [names.project_arn("apply"), names.project_arn("plan")],
            "Sid": "Builds",
        },
        *_artifacts(facts, names, ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]),
    ]
    made.role(
        "pipeline",
        pipeline_role(facts),
        description="What the pipeline itself does",
        trust=trust_service(facts, "codepipeline", names.pipeline_arn),
        policies={},
    )
    made.add(
        "aws_iam_role_policy",
        "pipeline",
        name="pipeline",
        role="${aws_iam_role.pipeline.name}",
        policy=to_json({"Statement": statements, "Version": "2012-10-17"}),
    )


def _stages(pipeline: ManifestPipeline) -> list[Document]:
    """The stages: what is applied is what was planned and approved, or nothing."""
    source = _action(
        "Source",
        provider="CodeStarSourceConnection",
        namespace="source",
        output_artifacts=[SOURCE],
        configuration={
            "BranchName": pipeline.branch,
            "ConnectionArn": pipeline.connection_arn,
            "DetectChanges": "true",
            "FullRepositoryId": pipeline.repository,
        },
    )
    plan = _action(
        "Build",
        name="Plan",
        provider="CodeBuild",
        namespace="plan",
        input_artifacts=[SOURCE],
        output_artifacts=[PLANNED],
        configuration={"ProjectName": "${aws_codebuild_project.plan.name}"},
    )
    approval = _action(
        "Approval",
        provider="Manual",
        configuration={
            "CustomData": "#{source.CommitId}: #{plan.REVIEW_SUMMARY}. The review is at the end of the plan's log.",
            "ExternalEntityLink": "#{plan.REVIEW_URL}",
        },
    )
    apply = _action(
        "Build",
        name="Apply",
        provider="CodeBuild",
        input_artifacts=[SOURCE, PLANNED],
        configuration={"PrimarySource": SOURCE, "ProjectName": "${aws_codebuild_project.apply.name}"},
    )
    always = [{"name": action["name"], "action": [action]} for action in (source, plan)]
    # Both ask the same variable: what nobody was asked about is not applied either.
    return always + [
        {"name": action["name"], "action": [action], "before_entry": [_WITH_CHANGES]} for action in (approval, apply)
    ]


_WITH_CHANGES: Document = {
    "condition": [
        {
            "result": "SKIP",
            "rule": [
                {
                    "name": "Changes",
                    "rule_type_id": [
                        {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
                    ],
                    "configuration": {"Variable": f"#{{plan.{CHANGES}}}", "Value": "yes", "Operator": "EQ"},
                }
            ],
        }
    ]
}
"""The condition of a stage that is skipped when the plan changes nothing.

Source: CodePipeline User Guide, "Configure conditions for a stage" and "VariableCheck".
"""


def _action(category: str, *, provider: str, configuration: dict[str, str], name: str = "", **more: Any) -> Document:
    words: Document = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return words | {"name": name or category, "configuration": configuration} | more
