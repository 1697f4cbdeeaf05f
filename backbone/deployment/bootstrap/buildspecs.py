"""What the builds of CodePipeline run."""

from __future__ import annotations

import json
from typing import Any

from backbone.deployment.bootstrap.facts import Facts
from backbone.manifest import ManifestPipeline

__all__ = ["CHANGES", "PLANNED", "apply_buildspec", "plan_buildspec"]

PLANNED = "Planned"
"""The artifact that goes from the plan to the apply: the stacks as they were reviewed, and the review."""

CHANGES = "REVIEW_CHANGES"
"""The variable of the plan that says whether anything would change: yes or no."""

PYTHON = "3.12"

TERRAFORM = "1.11.4"
TERRAFORM_SHA256 = "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc"
"""The version of Terraform, and the digest of its archive for Linux on x86-64 as HashiCorp publishes it."""

PLUGINS = "/var/cache/terraform-plugins"
"""A cache that all stacks of a build share, so that the provider is fetched once."""


def plan_buildspec(facts: Facts, pipeline: ManifestPipeline) -> str:
    """Synth, check, and a plan with the roles that only read, for somebody to review."""
    option, stacks = _environment(facts), _stacks(facts)
    commands = [
        f"backbone synth{option}",
        f"backbone check{option}",
        # Of a plan that failed there is no review, so that the next command fails.
        f"if backbone deploy{option} --no-changes --plan-roles; "
        f"then export {CHANGES}=no; else export {CHANGES}=yes; fi",
        f"cp {stacks}/deployment/review.json {stacks}/deployment/review.md .",
        f"tar -czf planned.tar.gz --exclude .terraform {stacks}/backbone.json {stacks}/stacks",
        "cat review.md",
        'export REVIEW_URL="$CODEBUILD_BUILD_URL"',
        "export REVIEW_SUMMARY=\"$(head -n 1 review.md | sed 's/^[# ]*//')\"",
    ]
    artifacts = {"files": ["planned.tar.gz", "review.json", "review.md"]}
    return _buildspec(pipeline, commands, exported=[CHANGES, "REVIEW_SUMMARY", "REVIEW_URL"], artifacts=artifacts)


def apply_buildspec(facts: Facts, pipeline: ManifestPipeline) -> str:
    """The apply of the stacks that were planned, in waves, if their plans still say what was approved."""
    planned = f'"$CODEBUILD_SRC_DIR_{PLANNED}'
    commands = [
        f'tar -xzf {planned}/planned.tar.gz"',
        f'backbone deploy --stacks {_stacks(facts)} --approved {planned}/review.json"',
    ]
    return _buildspec(pipeline, commands)


def _environment(facts: Facts) -> str:
    return f" --env {facts.declared.environment}" if facts.declared.environment else ""


def _stacks(facts: Facts) -> str:
    """The folder that synth writes by itself."""
    return f"cdktf.{facts.declared.environment}.out" if facts.declared.environment else "cdktf.out"


def _buildspec(
    pipeline: ManifestPipeline, commands: list[str], *, exported: list[str] | None = None, **more: Any
) -> str:
    archive = f"terraform_{TERRAFORM}_linux_amd64.zip"
    install = [
        f"curl -fsSLO https://releases.hashicorp.com/terraform/{TERRAFORM}/{archive}",
        f"echo '{TERRAFORM_SHA256}  {archive}' | sha256sum --check",
        f"unzip -oq {archive} terraform -d /usr/local/bin",
        f"rm {archive}",
        f"mkdir -p {PLUGINS}",
        pipeline.install,
    ]
    variables = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "TF_PLUGIN_CACHE_DIR": PLUGINS}
    found = {
        "version": 0.2,
        "env": {"shell": "bash", "variables": variables} | ({"exported-variables": exported} if exported else {}),
        "phases": {
            "install": {"runtime-versions": {"python": PYTHON}, "commands": install},
            "build": {"commands": commands},
        },
    }
    return json.dumps(found | more, indent=2)
