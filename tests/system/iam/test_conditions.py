"""Conditions: every operator on present, absent and unknown keys; and what makes a condition a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.system.iam.conditions import NEGATIVE, OPERATORS, POSITIVE, read_conditions
from backbone.system.iam.problem import Problems
from backbone.system.iam.request import Request

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "conditions.yaml").read_text())
HOLDS = {True: True, False: False, "unknown": None}


def operator(row: dict[str, Any]) -> str:
    (name,) = row.keys() - {"value", "holds"}
    return str(name)


def holds(condition: dict[str, Any], context: dict[str, Any], action: str = "sqs:SendMessage") -> bool | None:
    problems = Problems()
    (found,) = read_conditions(condition, "Condition", problems, variables=True)
    assert not problems.refused
    return found.holds(Request(action, "*", context))


@pytest.mark.parametrize("row", ROWS, ids=[f"{operator(row)} {row[operator(row)]} {row['value']}" for row in ROWS])
def test_conditions(row: dict[str, Any]) -> None:
    name = operator(row)
    context = {} if row["value"] == "?" else {"sqs:k": row["value"]}
    assert holds({name: {"sqs:k": row[name]}}, context) is HOLDS[row["holds"]]


def test_every_operator_is_in_the_table() -> None:
    plain = {operator(row).rpartition(":")[2].removesuffix("IfExists") for row in ROWS}
    assert set(OPERATORS) == plain


@pytest.mark.parametrize("name", [*POSITIVE, *NEGATIVE])
def test_a_key_that_is_unknown_leaves_every_operator_unknown(name: str) -> None:
    value = {"Bool": "true", "Binary": "QQ==", "Date": "2024", "Numeric": "1"}
    family = next((one for one in value if name.startswith(one)), "")
    given = value.get(family, "arn:aws:sqs:eu-west-1:111111111111:q" if name.startswith("Arn") else "203.0.113.9")
    for quantifier in ("", "ForAllValues:", "ForAnyValue:"):
        for suffix in ("", "IfExists"):
            assert holds({f"{quantifier}{name}{suffix}": {"sqs:k": given}}, {}) is None


def test_keys_have_no_case() -> None:
    assert holds({"StringEquals": {"AWS:sourceaccount": "1"}}, {"aws:SourceAccount": "1"}) is True


@pytest.mark.parametrize(
    ("key", "action", "expected"),
    [
        ("s3:prefix", "sqs:SendMessage", False),
        ("sqs:k", "sqs:SendMessage", None),
        ("aws:SourceIp", "sqs:SendMessage", None),
        ("lambda:SourceFunctionArn", "sqs:SendMessage", None),
        ("accounts.google.com:aud", "sts:AssumeRoleWithWebIdentity", None),
    ],
)
def test_which_keys_are_absent_and_which_unknown(key: str, action: str, expected: bool | None) -> None:
    assert holds({"StringEquals": {key: "x"}}, {}, action) is expected


@pytest.mark.parametrize(
    ("condition", "where", "words"),
    [
        ("x", "", "got 'x'; allowed: an object of condition operators"),
        ({"StringEqual": {"sqs:k": "x"}}, ".StringEqual", "no condition operator; did you mean StringEquals?"),
        ({"stringequals": {"sqs:k": "x"}}, ".stringequals", "did you mean StringEquals?"),
        ({"StringEquals": "x"}, ".StringEquals", "allowed: an object of condition keys"),
        ({"ForSome:StringEquals": {"sqs:k": "x"}}, ".ForSome:StringEquals", "is no condition operator"),
        ({"NullIfExists": {"sqs:k": "true"}}, ".NullIfExists", "is no condition operator"),
        ({"ForAnyValue:Null": {"sqs:k": "true"}}, ".ForAnyValue:Null", "is no condition operator"),
        ({"StringEquals": {"k": "x"}}, ".StringEquals.k", "allowed: SERVICE:NAME"),
        ({"StringEquals": {"sqs:k": []}}, ".StringEquals.sqs:k", "has no value"),
        ({"StringEquals": {"sqs:k": None}}, ".StringEquals.sqs:k", "got null"),
        ({"StringEquals": {"sqs:k": [["x"]]}}, ".StringEquals.sqs:k", "got a list"),
        ({"StringEquals": {"sqs:k": "x", "SQS:K": "y"}}, ".StringEquals.SQS:K", "is the same key as sqs:k"),
        ({"StringLike": {"sqs:k": "${aws:username"}}, ".StringLike.sqs:k", "has no closing brace"),
        ({"StringLike": {"sqs:k": "${}"}}, ".StringLike.sqs:k", "allowed: ${KEY}"),
        ({"StringLike": {"sqs:k": "${aws: username}"}}, ".StringLike.sqs:k", "allowed: ${KEY}"),
        ({"DateLessThan": {"sqs:k": "tomorrow"}}, ".DateLessThan.sqs:k", "takes a time such as"),
        ({"DateLessThan": {"sqs:k": "2024-W05-1"}}, ".DateLessThan.sqs:k", "takes a time such as"),
        ({"DateLessThan": {"sqs:k": "2024-13-01"}}, ".DateLessThan.sqs:k", "takes a time such as"),
    ],
)
def test_what_aws_refuses(condition: Any, where: str, words: str) -> None:
    problems = Problems()
    read_conditions(condition, "Condition", problems, variables=True)
    assert problems.refused
    assert [(one.where, one.severity) for one in problems.found] == [(f"Condition{where}", "error")]
    assert words in problems.found[0].message


@pytest.mark.parametrize(
    ("condition", "severity", "words"),
    [
        ({"NumericEquals": {"sqs:k": "ten"}}, "error", "takes a number, so it never matches"),
        ({"Bool": {"sqs:k": "yes"}}, "error", "takes true or false"),
        ({"Bool": {"sqs:k": ["true", "false"]}}, "error", "has 2 values; Bool takes one"),
        ({"BinaryEquals": {"sqs:k": "x"}}, "error", "takes base 64"),
        ({"BinaryEquals": {"sqs:k": "Q Q=="}}, "error", "takes base 64"),
        ({"ArnLike": {"sqs:k": "arn::sqs:eu-west-1:111111111111:q"}}, "error", "takes an ARN of six parts"),
        ({"ArnLike": {"sqs:k": "arn:aws::eu-west-1:111111111111:q"}}, "error", "takes an ARN of six parts"),
        ({"ArnLike": {"sqs:k": "arn:aws:sqs:eu-west-1:111111111111:"}}, "error", "takes an ARN of six parts"),
        ({"IpAddress": {"sqs:k": "203.0.113"}}, "error", "in CIDR form"),
        ({"ArnLike": {"sqs:k": "arn:aws:sqs:*"}}, "error", "takes an ARN of six parts"),
        ({"ArnLike": {"sqs:k": "*"}}, "error", "takes an ARN of six parts"),
        ({"Null": {"sqs:k": "yes"}}, "error", "takes true (the key is absent)"),
        ({"StringEquals": {"sqs:k": "x*"}}, "warning", "is no wildcard to StringEquals; use StringLike"),
        ({"StringNotEqualsIfExists": {"sqs:k": "x*"}}, "warning", "is no wildcard"),
        ({"StringEquals": {}}, "warning", "restricts nothing"),
    ],
)
def test_what_aws_takes_though_it_is_a_mistake(condition: Any, severity: str, words: str) -> None:
    problems = Problems()
    read_conditions(condition, "Condition", problems, variables=True)
    assert not problems.refused
    assert [one.severity for one in problems.found] == [severity]
    assert words in problems.found[0].message
