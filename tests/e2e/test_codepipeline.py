"""The pipeline of CodePipeline: its stack with the real provider, and what its builds run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.stacks import PIPELINE, stacks, write
from backbone.topology import load
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT
from tests.deployment.bootstrapped import CODEPIPELINE, bootstrap, document
from tests.e2e import test_bootstrap
from tests.e2e.terraform import Terraform, environment, moto_server, plugin_folder
from tests.e2e.test_apply import publish_layers
from tests.e2e.test_bootstrap import administrator, assume, judged
from tests.synthesis import Json, resources

pytestmark = pytest.mark.e2e

NOT_APPLIED = {
    "aws_codebuild_project.apply": "moto wants a location of every source, which CODEPIPELINE has none of",
    "aws_codebuild_project.plan": "moto wants a location of every source, which CODEPIPELINE has none of",
    "aws_codepipeline.pipeline": "moto answers with times as texts, which the provider does not read",
}
"""What is planned here, and not applied."""


def without(stack: Json, addresses: Iterable[str]) -> Json:
    kept: Json = {}
    for kind, named in stack["resource"].items():
        if left := {name: body for name, body in named.items() if f"{kind}.{name}" not in addresses}:
            kept[kind] = left
    return stack | {"resource": kept}


def test_the_stack_is_planned_and_applied_as_far_as_the_emulator_can(tmp_path: Path) -> None:
    written = bootstrap(tmp_path / "cdktf.out", document("per-account", deployment=CODEPIPELINE))
    file = written.bootstrap / "stacks" / PIPELINE / "cdk.tf.json"
    stack: Json = json.loads(file.read_text())
    declared = {f"{kind}.{name}" for kind, named in stack["resource"].items() for name in named}
    with moto_server(tmp_path / "moto.log") as url:
        terraform = Terraform(file.parent, url, administrator(url, "444444444444"))
        terraform.init()
        terraform.run("validate")
        terraform.run("plan", "-out=all")
        planned: Json = json.loads(terraform.run("show", "-json", "all")[1])
        created = {one["address"] for one in planned["resource_changes"] if one["change"]["actions"] == ["create"]}
        assert created == declared

        file.write_text(json.dumps(without(stack, NOT_APPLIED)))
        terraform.run("apply", "-auto-approve")
        assert {*terraform.resources()} == declared - NOT_APPLIED.keys()
        assert terraform.second_plan() == []
        terraform.run("destroy", "-auto-approve")
        assert terraform.resources() == []


NOT_MADE = ("aws_codebuild_project", "aws_codepipeline", "aws_s3_bucket_lifecycle_configuration")
"""What the builds here do without: they are run by the test, in their place."""


class Build:
    """What a project of CodeBuild runs, but for what it installs, in a checkout, with the credentials of its role."""

    def __init__(self, facts: Facts, word: str, checkout: Path, url: str) -> None:
        project = stacks(facts)[PIPELINE]["resource"]["aws_codebuild_project"][word]
        self._buildspec: Json = yaml.safe_load(project["source"]["buildspec"])
        self._checkout, self._url = checkout, url
        self._role = f"arn:aws:iam::444444444444:role/backbone/shop-{'ci-plan' if word == 'plan' else 'ci'}-eu-west-1"

    def run(self, *, status: int = 0, **variables: str) -> str:
        """What it prints, with the variables that it exports at the end."""
        cache = self._checkout / ".plugins"
        cache.mkdir(exist_ok=True)
        exported = [f'echo "{name}=${name}"' for name in self._buildspec["env"].get("exported-variables", ())]
        plugins = plugin_folder()
        own = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            **({"TF_CLI_ARGS_init": f"-plugin-dir={plugins}"} if plugins else {}),
        }
        done = subprocess.run(
            ["bash", "-ec", "\n".join([*self._buildspec["phases"]["build"]["commands"], *exported])],
            cwd=self._checkout,
            env=environment(self._url)
            | self._buildspec["env"]["variables"]
            | own
            | {"TF_PLUGIN_CACHE_DIR": str(cache)}
            | assume(self._url, self._role)
            | variables,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def keep(self, folder: Path) -> None:
        """The artifacts."""
        folder.mkdir()
        for name in self._buildspec["artifacts"]["files"]:
            shutil.copy(self._checkout / name, folder)


def checkout(folder: Path) -> Path:
    """The repository: the file, and the services' code."""
    folder.mkdir()
    (folder / "backbone.yaml").write_text(yaml.safe_dump(document("single", deployment=CODEPIPELINE)))
    shutil.copytree(ROOT / "services", folder / "services")
    return folder


def test_the_builds_plan_and_apply_what_was_approved(tmp_path: Path) -> None:
    planning, applying = checkout(tmp_path / "plan"), checkout(tmp_path / "apply")
    log, artifacts = tmp_path / "judged.jsonl", tmp_path / "artifacts"
    run(BACKBONE, "synth", folder=planning)
    facts, topology = Facts.read(planning / "cdktf.out"), load(planning / "backbone.yaml")
    with moto_server(tmp_path / "moto.log", guard=log) as url:
        stack: Json = json.loads((planning / "cdktf.out/stacks/backbone/cdk.tf.json").read_text())
        publish_layers(url, topology, resources({"backbone": stack}))
        test_bootstrap.bootstrap(url, facts, planning / "bootstrap", left_out=NOT_MADE)
        write(facts, planning / "bootstrap", backend=True)
        shutil.rmtree(planning / "cdktf.out")

        plan = Build(facts, "plan", planning, url)
        said = plan.run(CODEBUILD_BUILD_URL="https://console.example.com/build")
        assert "REVIEW_URL=https://console.example.com/build" in said
        assert "REVIEW_SUMMARY=Plan: create" in said
        plan.keep(artifacts)
        assert (artifacts / "review.md").read_text() in said
        with tarfile.open(artifacts / "planned.tar.gz") as planned:
            names = planned.getnames()
        assert "cdktf.out/stacks/backbone/.terraform.lock.hcl" in names
        assert "cdktf.out/stacks/backbone/assets/order-service.zip" in names
        assert [name for name in names if ".terraform/" in name or name.endswith((".tfplan", ".plan.json"))] == []

        apply = Build(facts, "apply", applying, url)
        other = tmp_path / "other"
        shutil.copytree(artifacts, other)
        (other / "review.json").write_text((other / "review.json").read_text().replace('"digest": "', '"digest": "0'))
        assert "not the approved one" in apply.run(status=1, CODEBUILD_SRC_DIR_Planned=str(other))
        assert "applied: backbone" in apply.run(CODEBUILD_SRC_DIR_Planned=str(artifacts))
        assert [one for one in judged(log) if not one["allowed"]] == []
        entered_and_no_more(log)


def entered_and_no_more(log: Path) -> None:
    """The builds' own roles assumed others, which read states, wrote them, and deployed: nothing else was asked."""
    asked: dict[str, set[str]] = {}
    for one in judged(log):
        asked.setdefault(one["who"].rpartition("/")[2], set()).add(one["action"])
    state = "shop-state-backbone-eu-west-1"
    assert asked.keys() == {"shop-ci-eu-west-1", "shop-ci-plan-eu-west-1", state, f"{state}-plan", "backbone-deploy"}
    assert asked["shop-ci-eu-west-1"] == asked["shop-ci-plan-eu-west-1"] == {"sts:AssumeRole"}
    assert "s3:PutObject" in asked[state]
    assert asked[f"{state}-plan"] <= {"s3:GetObject", "s3:ListBucket"}
