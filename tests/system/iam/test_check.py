"""What AWS takes in vain: actions, resources, keys and services that do not exist or do not fit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from backbone.system.iam import (
    BUS,
    INLINE,
    LOGS,
    QUEUE,
    TRUST,
    Kind,
    authorize,
    check_policy,
    managed_policy,
    read_policy,
)
from backbone.system.iam.catalogue import DATA, service, services
from backbone.system.iam.check import SERVICE_PRINCIPALS
from backbone.system.iam.decision import Identity

QUEUE_ARN = "arn:aws:sqs:eu-west-1:111111111111:q"
TABLE = "arn:aws:dynamodb:eu-west-1:111111111111:table/t"
BUS_ARN = "arn:aws:events:eu-west-1:111111111111:event-bus/b"
PUT = {"Action": "events:PutEvents", "Resource": BUS_ARN}


def found(kind: Kind, **statement: Any) -> list[tuple[str, str, str]]:
    full = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE_ARN} | statement
    full = {name: value for name, value in full.items() if value is not None}
    policy = read_policy("p", {"Version": "2012-10-17", "Statement": [full]}, kind)
    assert not policy.refused, policy.problems
    problems = check_policy(policy)
    return [(one.where.partition("[0].")[2], one.severity, one.message) for one in problems]


@pytest.mark.parametrize(
    ("statement", "where", "severity", "words"),
    [
        ({"Action": "sqs:SendMesage"}, "Action", "error", "sqs has no action SendMesage; did you mean SendMessage?"),
        ({"Action": "sqs:Sned*"}, "Action", "error", "sqs has no action Sned*"),
        ({"Action": "sqz:SendMessage"}, "Action", "warning", "AWS has no service 'sqz' that is known here"),
        ({"Action": "a4b:GetDevice", "Resource": "*"}, "Action", "note", "the actions of a4b are not checked"),
        (
            {"Action": ["a4b:GetDevice", "sqs:SendMessage"], "Resource": [QUEUE_ARN, "arn:aws:a4b:*:*:device/d"]},
            "Action",
            "note",
            "the actions of a4b are not checked",
        ),
        ({"Action": None, "NotAction": "sqs:Sned"}, "NotAction", "warning", "sqs has no action Sned"),
        ({"Resource": TABLE}, "Resource", "error", "sqs:SendMessage cannot be done to"),
        ({"Action": ["sqs:SendMessage", "dynamodb:PutItem"]}, "Resource", "error", "dynamodb:PutItem cannot be done"),
        ({"Resource": [QUEUE_ARN, TABLE]}, "Resource", "error", f"none of the actions can be done to {TABLE}"),
        ({"Action": "xray:PutTraceSegments"}, "Resource", "error", 'but to "*" only'),
        (
            {"Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:g"},
            "Resource",
            "error",
            "logs:PutLogEvents cannot be done to",
        ),
        (
            {"Condition": {"StringEquals": {"aws:SourceAcount": "1"}}},
            "Condition.StringEquals.aws:SourceAcount",
            "error",
            "AWS has no condition key aws:SourceAcount, so the condition never holds; did you mean aws:SourceAccount?",
        ),
        (
            {"Condition": {"StringNotEquals": {"aws:SourceAcount": "1"}}},
            "Condition.StringNotEquals.aws:SourceAcount",
            "warning",
            "so the condition always holds",
        ),
        (
            {"Condition": {"Null": {"aws:SourceAcount": "true"}}},
            "Condition.Null.aws:SourceAcount",
            "warning",
            "so the condition always holds",
        ),
        (
            {"Condition": {"Null": {"aws:SourceAcount": "false"}}},
            "Condition.Null.aws:SourceAcount",
            "error",
            "so the condition never holds",
        ),
        (
            {"Condition": {"StringEquals": {"events:source": "x"}}},
            "Condition.StringEquals.events:source",
            "error",
            "requests for sqs:SendMessage have no key events:source",
        ),
        (
            PUT | {"Condition": {"StringEquals": {"events:sourse": "x"}}},
            "Condition.StringEquals.events:sourse",
            "error",
            "no key events:sourse, so the condition never holds; did you mean events:source?",
        ),
        (
            {"Action": "events:Put*", "Resource": "*", "Condition": {"NumericEquals": {"aws:SourceAccount": "1"}}},
            "Condition.NumericEquals.aws:SourceAccount",
            "warning",
            "aws:SourceAccount holds String; NumericEquals compares Numeric",
        ),
        (
            {"Condition": {"StringEquals": {"aws:TagKeys": "x"}}},
            "Condition.StringEquals.aws:TagKeys",
            "warning",
            "say ForAnyValue: or ForAllValues:",
        ),
        (
            {"Condition": {"ForAllValues:StringEquals": {"aws:SourceAccount": "1"}}},
            "Condition.ForAllValues:StringEquals.aws:SourceAccount",
            "warning",
            "is met by a request without the key too",
        ),
    ],
)
def test_what_is_said_in_vain(statement: dict[str, Any], where: str, severity: str, words: str) -> None:
    ((place, graded, message),) = found(INLINE, **statement)
    assert (place, graded) == (where, severity)
    assert words in message


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*", "Resource": "*"},
        {"Action": "SQS:sendmessage"},
        {"Action": "sqs:*", "Resource": "*"},
        {"Action": ["sqs:SendMessage", "dynamodb:PutItem"], "Resource": [QUEUE_ARN, TABLE]},
        {"Action": "dynamodb:Query", "Resource": f"{TABLE}/index/*"},
        {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:111111111111:function:f"},
        {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:111111111111:function:f:live"},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
        {"Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:eu-west-1:111111111111:a1b2c3/*/POST/orders"},
        {"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111111111111:role/r"},
        {"Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "sqs.x"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalTag/cost center": "orders"}}},
        {"Condition": {"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:f"}}},
        {"Action": None, "NotAction": "sqs:*", "Condition": {"StringEquals": {"events:source": "x"}}},
        {"Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Null": {"aws:TagKeys": "false"}}},
        PUT | {"Condition": {"StringEquals": {"events:source": "orders", "events:detail-type": ["a", "b"]}}},
        {"Action": "dynamodb:PutItem", "Resource": TABLE}
        | {"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "${aws:PrincipalTag/tenant}"}}},
    ],
)
def test_what_is_right_is_not_complained_of(statement: dict[str, Any]) -> None:
    assert found(INLINE, **statement) == []


def test_services_that_are_no_principals() -> None:
    of_bus = {"Action": "events:PutEvents", "Resource": BUS_ARN, "Principal": {"Service": "event.amazonaws.com"}}
    ((where, severity, message),) = found(BUS, **of_bus)
    assert (where, severity) == ("Principal", "warning")
    assert "did you mean events.amazonaws.com?" in message
    regional = {"Action": "sts:AssumeRole", "Resource": None}
    assert found(TRUST, **regional, Principal={"Service": "logs.eu-west-1.amazonaws.com"}) == []
    assert all(name.endswith(".amazonaws.com") for name in SERVICE_PRINCIPALS)


def test_everyone_and_log_policies_for_accounts() -> None:
    ((where, severity, message),) = found(QUEUE, Principal="*")
    assert (where, severity, "everyone" in message) == ("Principal", "warning", True)
    assert found(QUEUE, Principal="*", Condition={"StringEquals": {"aws:SourceAccount": "111111111111"}}) == []
    for condition in ({"StringNotEquals": {"aws:SourceAccount": "1"}}, {"Bool": {"aws:SecureTransport": "true"}}):
        assert [place for place, _, _ in found(QUEUE, Principal="*", Condition=condition)] == ["Principal"]
    logs = {"Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:g:*"}
    ((where, severity, message),) = found(LOGS, **logs, Principal={"AWS": "111111111111"})
    assert (where, severity) == ("Principal", "error")
    assert "to AWS services only" in message


def test_the_data_hold_together() -> None:
    assert service("services") is None
    assert service("../iam/events") is None
    detailed = [path.stem for path in DATA.glob("*.json") if path.stem not in ("services", "managed-policies")]
    assert "events" in detailed
    for prefix in detailed:
        known = service(prefix)
        assert known is not None
        assert prefix in services()
        assert all(action.name.startswith(f"{prefix}:") for action in known.matching("*"))
    (put_events,) = service("events").matching("PUTevents")  # type: ignore[union-attr]
    assert put_events.applies_to(BUS_ARN)
    assert not put_events.applies_to(QUEUE_ARN)
    assert put_events.key_type("Events:Source") == "ArrayOfString"


MANAGED_ARNS = list(json.loads((DATA / "managed-policies.json").read_text())["policies"])


@pytest.mark.parametrize("arn", MANAGED_ARNS)
def test_managed_policies_are_those_of_aws(arn: str) -> None:
    """AWS changes them: when this fails, run scripts/iam_definition.py."""
    policy = managed_policy(arn)
    assert policy is not None
    assert not policy.refused
    theirs = json.loads(aws_managed_policies_data)[arn.rpartition("/")[2]]
    assert arn == f"arn:aws:iam::aws:policy{theirs['Path']}{arn.rpartition('/')[2]}"
    assert policy == read_policy(arn, theirs["Document"], policy.kind)


def test_what_managed_policies_allow() -> None:
    basic = managed_policy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    assert basic is not None
    role = Identity("arn:aws:iam::111111111111:role/r", "111111111111", (basic,))
    group = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/lambda/f:log-stream:s"
    assert authorize(role, "logs:PutLogEvents", group, owner="111111111111", context={})
    assert not authorize(role, "sqs:SendMessage", QUEUE_ARN, owner="111111111111", context={})
    assert managed_policy("arn:aws-cn:iam::aws:policy/AdministratorAccess") is not None
    assert managed_policy("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole") is None
