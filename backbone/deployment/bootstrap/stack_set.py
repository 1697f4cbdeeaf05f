"""The same roles as a CloudFormation StackSet, which brings them into every account of an organizational unit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from backbone.aws.arn import Arn, Place
from backbone.aws.names import BOOTSTRAP_PATH, plan_role
from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.boundary import boundary
from backbone.deployment.bootstrap.facts import BootstrapError, Facts
from backbone.deployment.bootstrap.permissions import Reach, deploying, one_policy, pack, reading
from backbone.deployment.bootstrap.roles import entry_role, name_of, trust_role

__all__ = ["stack_set"]

ACCOUNT = "000000000000"
"""Stands for the account that a template is used in, which nobody has, until CloudFormation puts in the real one."""


def stack_set(facts: Facts) -> Document:
    """A template for the management account: a StackSet for all accounts of some organizational units.

    It makes what the stacks of accounts make, but for that of the global bus, which differs from all others. What one
    account needs beyond the backbone's prefix all of them get. BootstrapError where the deploy roles are not called
    the same.
    """
    inner = to_json(_members(facts))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Lets a pipeline deploy the backbone {facts.declared.backbone} to many accounts",
        "Parameters": {
            "OrganizationalUnitIds": {
                "Type": "CommaDelimitedList",
                "Description": "The organizational units whose accounts the backbone is deployed to",
            }
        },
        "Resources": {
            "Accounts": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "StackSetName": name_of(facts, "bootstrap"),
                    "PermissionModel": "SERVICE_MANAGED",
                    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    "OperationPreferences": {"FailureTolerancePercentage": 10, "MaxConcurrentPercentage": 25},
                    "StackInstancesGroup": [
                        {
                            "DeploymentTargets": {"OrganizationalUnitIds": {"Ref": "OrganizationalUnitIds"}},
                            "Regions": [facts.declared.region],
                        }
                    ],
                    "TemplateBody": inner,
                },
            }
        },
    }


def _members(facts: Facts) -> Document:
    """The template of one account."""
    reach, deploy = _reach(facts), Arn.parse(_deploy_role(facts))
    plan = deploy.place.iam(f"role/{plan_role(deploy.resource.removeprefix('role/'))}")
    read = pack("read", reading(reach))
    write = {name: text for part, found in deploying(reach).items() for name, text in pack(part, found).items()}
    policies = {
        name: (f"/{BOOTSTRAP_PATH}", name_of(facts, f"deploy-{name}"), text) for name, text in (read | write).items()
    }
    limit = Arn.parse(reach.boundary)
    policies["boundary"] = (f"/{BOOTSTRAP_PATH}", limit.name, one_policy("boundary", _boundary(facts)))
    found: dict[str, Any] = {
        _id(name): _resource("ManagedPolicy", Path=path, ManagedPolicyName=named, PolicyDocument=json.loads(text))
        for name, (path, named, text) in policies.items()
    }
    for word, arn, trusted, attached in (
        ("deploy", str(deploy), entry_role(facts), (*read, *write)),
        ("plan", plan, entry_role(facts, planning=True), tuple(read)),
    ):
        path, _, name = arn.partition(":role")[2].rpartition("/")
        found[_id(f"{word}-role")] = _resource(
            "Role",
            Path=f"{path}/",
            RoleName=name,
            AssumeRolePolicyDocument=trust_role(trusted),
            ManagedPolicyArns=[{"Ref": _id(each)} for each in attached],
        )
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": found}


def _accounts(facts: Facts) -> list[str]:
    return [name for name in facts.providers if name != facts.declared.global_bus.account]


def _deploy_role(facts: Facts) -> str:
    """The deploy role of whatever account."""
    names = {Arn.parse(facts.deploy_role(account)).resource for account in _accounts(facts)}
    if len(names) != 1:
        raise BootstrapError(
            f"accounts: got {', '.join(sorted(names)) or 'none'} beside that of the global bus; allowed for a "
            "StackSet: accounts whose deploy_role is the same"
        )
    return Place(facts.declared.partition, "", ACCOUNT).iam(names.pop())


def _reach(facts: Facts) -> Reach:
    """What all accounts together need, each in its own account."""
    place = Place(facts.declared.partition, facts.declared.region, ACCOUNT)
    deploy = Arn.parse(_deploy_role(facts))
    plan = deploy.place.iam(f"role/{plan_role(deploy.resource.removeprefix('role/'))}")
    accounts = _accounts(facts)
    return Reach(
        backbone=facts.declared.backbone,
        place=place,
        boundary=place.iam(f"policy/{facts.deployment.boundary}"),
        own=(str(deploy), plan),
        keys=tuple(sorted({key for account in accounts for key in facts.keys(account)})),
        needs=tuple(
            replace(need, resource=_anywhere(need.resource, need.block.place.account_id))
            for account in accounts
            for need in facts.needs[account]
        ),
    )


def _boundary(facts: Facts) -> list[Document]:
    """The boundaries of all accounts together."""
    found: dict[str, Document] = {}
    for account in _accounts(facts):
        text = _anywhere(to_json({"all": boundary(facts, account)}), facts.declared.accounts[account])
        for statement in json.loads(text)["all"]:
            content = to_json({key: value for key, value in statement.items() if key != "Sid"})
            found.setdefault(content, statement | {"Sid": f"Limit{len(found)}"})
    return list(found.values())


def _anywhere(text: str, account_id: str) -> str:
    return text.replace(f":{account_id}:", f":{ACCOUNT}:")


def _resource(kind: str, **properties: Any) -> Document:
    return {"Type": f"AWS::IAM::{kind}", "Properties": {name: _filled(value) for name, value in properties.items()}}


def _filled(value: Any) -> Any:
    """A value in which CloudFormation puts the account's id."""
    if isinstance(value, dict):
        return {name: _filled(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part) for part in value]
    if isinstance(value, str) and ACCOUNT in value:
        return {"Fn::Sub": value.replace(ACCOUNT, "${AWS::AccountId}")}
    return value


def _id(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
