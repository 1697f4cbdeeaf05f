"""Roles with all their policies, and permissions of functions, as Terraform says them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backbone.system import access
from backbone.system.iam import Decision, authorize
from backbone.system.model import Function, Role
from backbone.system.reader import Reading, read

ACCOUNT = "111111111111"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str = "sqs:SendMessage", resource: str | list[str] = QUEUE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def trust(service: str = "lambda.amazonaws.com", **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"} | more
    return document(statement)


def reading(folder: Path, resources: dict[str, Any]) -> Reading:
    """A stack of some resources in one account, with a function that has the role `r`."""
    role = {"name": "r", "assume_role_policy": trust()} | resources.pop("role", {})
    function = {
        "function_name": "f",
        "handler": "f.handler",
        "runtime": "python3.13",
        "role": "${aws_iam_role.r.arn}",
        "filename": "f.zip",
    }
    all_of_them = {"aws_iam_role": {"r": role}, "aws_lambda_function": {"f": function}} | resources
    for named in all_of_them.values():
        for body in named.values():
            body["provider"] = "aws.a"
    stack = {
        "provider": {"aws": [{"alias": "a", "region": "eu-west-1", "allowed_account_ids": [ACCOUNT]}]},
        "resource": all_of_them,
    }
    (folder / "stacks" / "s").mkdir(parents=True)
    (folder / "stacks" / "s" / "cdk.tf.json").write_text(json.dumps(stack))
    return read(folder)


def may(found: Reading, action: str = "sqs:SendMessage", resource: str = QUEUE) -> Decision:
    role = found.system.find(Role, "r")
    assert role is not None
    return authorize(role.identity, action, resource, owner=ACCOUNT, context={})


def problems(found: Reading) -> list[tuple[str, str]]:
    """The findings about policies and references, without those about what the small system lacks."""
    return [
        (one.rule, one.message)
        for one in found.findings
        if one.rule in ("BB102", "BB105", "BB108") or "BB5" < one.rule < "BB510"
    ]


OF_CUSTOMER = {"aws_iam_policy": {"p": {"name": "p", "path": "/team/", "policy": document(allow())}}}
ROLES: dict[str, dict[str, Any]] = {
    "an inline policy": {"aws_iam_role_policy": {"x": {"role": "r", "policy": document(allow())}}},
    "an inline policy in the role": {"role": {"inline_policy": [{"name": "x", "policy": document(allow())}]}},
    "one block of it": {"role": {"inline_policy": {"name": "x", "policy": document(allow())}}},
    "an attached policy": OF_CUSTOMER
    | {"aws_iam_role_policy_attachment": {"x": {"role": "r", "policy_arn": "${aws_iam_policy.p.arn}"}}},
    "a policy by its ARN": OF_CUSTOMER
    | {
        "aws_iam_role_policy_attachment": {
            "x": {"role": "${aws_iam_role.r.name}", "policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/team/p"}
        }
    },
    "a policy named in the role": OF_CUSTOMER | {"role": {"managed_policy_arns": ["${aws_iam_policy.p.arn}"]}},
}


@pytest.mark.parametrize("name", ROLES)
def test_every_way_to_give_a_role_a_policy(name: str, tmp_path: Path) -> None:
    found = reading(tmp_path, json.loads(json.dumps(ROLES[name])))
    assert problems(found) == []
    assert may(found), may(found).why
    assert not may(found, "sqs:ReceiveMessage")


def test_policies_of_aws(tmp_path: Path) -> None:
    found = reading(tmp_path, {"role": {"managed_policy_arns": [BASIC]}})
    assert problems(found) == []
    assert may(found, "logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:log-stream:s")
    assert not may(found)


@pytest.mark.parametrize(
    ("arn", "rule", "words"),
    [
        ("arn:aws:iam::aws:policy/NoSuchPolicy", "BB502", "NoSuchPolicy is not known here"),
        (f"arn:aws:iam::{ACCOUNT}:policy/p", "BB105", "refers to the policy"),
        ("arn:aws:iam::222222222222:policy/p", "BB108", "is a policy of the account 222222222222"),
    ],
)
def test_policies_that_are_not_there_allow_nothing(arn: str, rule: str, words: str, tmp_path: Path) -> None:
    inline = {"aws_iam_role_policy": {"x": {"role": "r", "policy": document(allow())}}}
    found = reading(tmp_path, inline | {"role": {"managed_policy_arns": [arn]}})
    ((got, message),) = problems(found)
    assert got == rule
    assert words in message
    assert may(found)


def test_a_boundary_that_is_not_there_allows_nothing(tmp_path: Path) -> None:
    inline = {"aws_iam_role_policy": {"x": {"role": "r", "policy": document(allow())}}}
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/p"
    found = reading(tmp_path, inline | {"role": {"permissions_boundary": boundary}})
    assert [rule for rule, _ in problems(found)] == ["BB105"]
    assert "permissions boundary" in may(found).why


def test_a_boundary_limits(tmp_path: Path) -> None:
    given = OF_CUSTOMER | {
        "aws_iam_role_policy": {"x": {"role": "r", "policy": document(allow("sqs:*", "*"))}},
        "role": {"permissions_boundary": "${aws_iam_policy.p.arn}"},
    }
    found = reading(tmp_path, json.loads(json.dumps(given)))
    assert problems(found) == []
    assert may(found)
    assert not may(found, "sqs:ReceiveMessage")


def test_inline_policies_that_are_too_long_together(tmp_path: Path) -> None:
    half = document(allow(resource=[f"{QUEUE}{number:04}" for number in range(130)]))
    found = reading(tmp_path, {"aws_iam_role_policy": {n: {"role": "r", "policy": half} for n in ("x", "y")}})
    ((rule, message),) = problems(found)
    assert rule == "BB501"
    assert "characters together; AWS allows 10,240" in message


@pytest.mark.parametrize(
    ("policy", "trusted"),
    [
        (trust(), True),
        (trust("events.amazonaws.com"), False),
        (trust(Effect="Deny"), False),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}), True),
        (trust(Condition={"Bool": {"aws:SecureTransport": "false"}}), False),
    ],
)
def test_a_function_needs_a_role_that_trusts_lambda(policy: str, trusted: bool, tmp_path: Path) -> None:
    found = reading(tmp_path, {"role": {"assume_role_policy": policy}})
    assert problems(found) == ([] if trusted else [("BB503", "r does not trust lambda.amazonaws.com")])


RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/b/r"
PERMISSION = {"action": "lambda:InvokeFunction", "function_name": "f", "principal": "events.amazonaws.com"}


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ({}, True),
        ({"source_arn": RULE}, True),
        ({"source_arn": f"{RULE}*"}, True),
        ({"source_arn": f"{RULE}2"}, False),
        ({"source_account": ACCOUNT}, True),
        ({"source_account": "222222222222"}, False),
        ({"principal": "sns.amazonaws.com"}, False),
        ({"principal": ACCOUNT}, False),
        ({"principal": f"arn:aws:iam::{ACCOUNT}:role/r"}, False),
        ({"principal": "*", "source_account": ACCOUNT}, True),
        ({"principal": "*", "principal_org_id": "o-a1b2c3d4e5"}, False),
        ({"action": "lambda:GetFunction"}, False),
        ({"action": "lambda:*"}, True),
        ({"qualifier": "live"}, False),
        ({"event_source_token": "amzn1.ask"}, False),
    ],
)
def test_permissions_of_functions(permission: dict[str, str], allowed: bool, tmp_path: Path) -> None:
    found = reading(tmp_path, {"aws_lambda_permission": {"p": PERMISSION | permission}})
    assert problems(found) == []
    function = found.system.find(Function, "f")
    assert function is not None
    assert bool(access.invoke_permission(function, "events.amazonaws.com", RULE, ACCOUNT)) is allowed


def test_a_statement_id_that_stands_twice(tmp_path: Path) -> None:
    twice = {name: PERMISSION | {"statement_id": "Same"} for name in ("p", "q")}
    found = reading(tmp_path, {"aws_lambda_permission": twice})
    assert problems(found) == [("BB102", "the statement_id 'Same' is that of s/aws_lambda_permission.p too")]
