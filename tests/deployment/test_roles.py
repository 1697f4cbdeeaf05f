"""Plans and applies differ in their roles."""

from __future__ import annotations

import json
from pathlib import Path

from backbone.deployment.bootstrap.facts import Facts
from backbone.system.reader import read
from tests.deployment.bootstrapped import document, synthesize


def test_a_variable_that_no_plan_freezes_chooses_the_roles(tmp_path: Path) -> None:
    folder = synthesize(tmp_path / "cdktf.out", document("single"))
    stack = json.loads((folder / "stacks" / "backbone" / "cdk.tf.json").read_text())
    assert stack["variable"]["role_suffix"] | {"description": ""} == {
        "type": "string",
        "default": "",
        "ephemeral": True,
        "description": "",
    }
    assert stack["terraform"]["required_version"] == ">= 1.10.0"
    for provider in stack["provider"]["aws"]:
        (role,) = provider["assume_role"]
        assert role["role_arn"].endswith(":role/backbone-deploy${var.role_suffix}")
    facts = Facts.read(folder)
    assert facts.deploy_role("order") == "arn:aws:iam::222222222222:role/backbone-deploy"
    assert facts.plan_role("order") == "arn:aws:iam::222222222222:role/backbone-deploy-plan"


def test_a_variable_of_a_provider_that_is_not_declared_is_a_finding(tmp_path: Path) -> None:
    folder = synthesize(tmp_path / "cdktf.out", document("single"))
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    assert not [each for each in read(folder).findings if each.rule == "BB112"]
    file.write_text(
        json.dumps({key: value for key, value in json.loads(file.read_text()).items() if key != "variable"})
    )
    assert [each for each in read(folder).findings if each.rule == "BB112"]
