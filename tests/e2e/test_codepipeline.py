"""The pipeline of CodePipeline: its stack with the real provider, and what its builds run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from backbone.deployment.bootstrap.stacks import PIPELINE
from tests.deployment.bootstrapped import CODEPIPELINE, bootstrap, document
from tests.e2e.terraform import Terraform, moto_server
from tests.e2e.test_bootstrap import administrator
from tests.synthesis import Json

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
