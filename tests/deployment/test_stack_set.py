"""The CloudFormation template of a StackSet, beside the Terraform that says the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint_all  # type: ignore[import-untyped]

from backbone.deployment.bootstrap.check import allowed
from backbone.deployment.bootstrap.facts import BootstrapError
from backbone.deployment.bootstrap.stack_set import stack_set
from backbone.system.iam import MANAGED, Identity, Policy, read_policy
from tests.deployment.bootstrapped import FILES, Bootstrapped, bootstrap, document
from tests.synthesis import Json

Of = Callable[[str], Bootstrapped]
ALIKE = [name for name in FILES if name != "same-account"]
"""The examples that have accounts beside that of the global bus, with one name for all deploy roles."""


def members(one: Bootstrapped) -> Json:
    """The template of an account."""
    body = stack_set(one.facts)["Resources"]["Accounts"]["Properties"]["TemplateBody"]
    found: Json = json.loads(body)
    return found


def inside(account_id: str, value: Any) -> Any:
    """What CloudFormation makes of a value in an account."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            return value["Fn::Sub"].replace("${AWS::AccountId}", account_id)
        return {name: inside(account_id, part) for name, part in value.items()}
    return [inside(account_id, part) for part in value] if isinstance(value, list) else value


def policies(one: Bootstrapped, account: str) -> dict[str, Policy]:
    found = {}
    for name, resource in members(one)["Resources"].items():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            text = inside(one.facts.declared.accounts[account], resource["Properties"]["PolicyDocument"])
            found[name] = read_policy(name, text, MANAGED)
            assert found[name].problems == ()
    return found


def roles(one: Bootstrapped, account: str) -> dict[str, Identity]:
    known, number = policies(one, account), one.facts.declared.accounts[account]
    return {
        name: Identity(
            f"arn:aws:iam::{number}:role{resource['Properties']['Path']}{resource['Properties']['RoleName']}",
            number,
            policies=tuple(known[each["Ref"]] for each in resource["Properties"]["ManagedPolicyArns"]),
        )
        for name, resource in members(one)["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


@pytest.mark.parametrize("name", ALIKE)
def test_cloudformation_takes_the_templates(name: str, bootstrapped: Of) -> None:
    template = stack_set(bootstrapped(name).facts)
    inner = template["Resources"]["Accounts"]["Properties"]["TemplateBody"]
    for text in (json.dumps(template), inner):
        assert [str(problem) for problem in lint_all(text) if problem.rule.id[0] in "EW"] == []
    assert len(inner) <= 51_200  # CloudFormation quotas, "Template body size in a request"


@pytest.mark.parametrize("name", ALIKE)
def test_it_gives_what_the_stacks_give(name: str, bootstrapped: Of) -> None:
    one = bootstrapped(name)
    for account in one.facts.providers:
        if account == one.facts.declared.global_bus.account:
            continue
        found = roles(one, account)
        assert found["DeployRole"].name == one.facts.deploy_role(account)
        assert found["PlanRole"].name == one.facts.plan_role(account)
        for need in one.needs:
            if need.block.account == account:
                for role, stacks in (("DeployRole", one.deploy(account)), ("PlanRole", one.plan(account))):
                    assert bool(allowed(found[role], need)) is bool(allowed(stacks, need)), (role, need)


def test_it_trusts_and_limits_as_the_stacks_do(bootstrapped: Of) -> None:
    one = bootstrapped("per-account")
    made = {
        resource["Properties"].get("RoleName") or resource["Properties"]["ManagedPolicyName"]: resource["Properties"]
        for resource in members(one)["Resources"].values()
    }
    stack = json.loads((one.bootstrap / "stacks" / "order" / "cdk.tf.json").read_text())["resource"]
    for role in stack["aws_iam_role"].values():
        given = inside("222222222222", made[role["name"]]["AssumeRolePolicyDocument"])
        assert given == json.loads(role["assume_role_policy"])
    for policy in stack["aws_iam_policy"].values():
        assert made[policy["name"]]["Path"] == policy["path"]
    assert len(made) == len(stack["aws_iam_role"]) + len(stack["aws_iam_policy"])


def test_deploy_roles_of_several_names(tmp_path_factory: pytest.TempPathFactory, bootstrapped: Of) -> None:
    given = document("single")
    given["accounts"]["order"]["deploy_role"] = "deployer"
    with pytest.raises(BootstrapError, match="got role/backbone-deploy, role/deployer beside"):
        stack_set(bootstrap(tmp_path_factory.mktemp("names") / "out", given).facts)
    with pytest.raises(BootstrapError, match="got none beside that of the global bus"):
        stack_set(bootstrapped("same-account").facts)
