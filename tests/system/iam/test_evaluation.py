"""Who may do what: AWS's documented evaluation logic as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.system.iam import (
    INLINE,
    MANAGED,
    QUEUE,
    SESSION,
    TRUST,
    Decision,
    Identity,
    Kind,
    Policy,
    authorize,
    event_source,
    read_policy,
    time_keys,
)

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "evaluation.yaml").read_text())
QUEUE_ARN = "arn:aws:sqs:eu-west-1:111111111111:q"
OWNER, OTHER = "111111111111", "222222222222"
ADMINISTRATORS = {"administrator": OWNER, "outsider": OTHER}
PRINCIPALS = {
    "role": (f"arn:aws:iam::{OWNER}:role/r", OWNER),
    "user": (f"arn:aws:iam::{OWNER}:user/u", OWNER),
    "stranger": (f"arn:aws:iam::{OTHER}:role/r", OTHER),
}


def statement(given: dict[str, Any]) -> dict[str, Any]:
    full = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE_ARN} | given
    return {name: value for name, value in full.items() if value is not None}


def policy(row: dict[str, Any], name: str, kind: Kind) -> tuple[Policy, ...]:
    if not row.get(name):
        return ()
    version = "2012-10-17" if kind is MANAGED else row.get("version", "2012-10-17")
    document = {"Version": version, "Statement": [statement(one) for one in row[name]]}
    found = read_policy(name, document, kind, resource=QUEUE_ARN)
    assert not found.refused or row.get("refused"), found.problems
    return (found,)


def identity(row: dict[str, Any]) -> Identity:
    who = row.get("who", "role")
    if who == "service":
        return Identity("events.amazonaws.com")
    if who in ADMINISTRATORS:
        return Identity(f"arn:aws:iam::{ADMINISTRATORS[who]}:root", ADMINISTRATORS[who])
    return Identity(
        *PRINCIPALS[who],
        policies=policy(row, "identity", INLINE),
        boundary=next(iter(policy(row, "boundary", MANAGED)), None),
        session_policies=policy(row, "session_policy", SESSION),
        session=row.get("session", ""),
    )


def decided(row: dict[str, Any]) -> Decision:
    return authorize(
        identity(row),
        "sqs:SendMessage",
        QUEUE_ARN,
        owner=OWNER,
        policies=policy(row, "resource", QUEUE),
        context=row.get("context", {}),
        ahead=row.get("ahead", False),
    )


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_evaluation(row: dict[str, Any]) -> None:
    found = decided(row)
    assert found.allowed is row["allowed"], found.why
    assert row.get("why", "") in found.why


def test_the_rows_have_names_of_their_own() -> None:
    names = [row["name"] for row in ROWS]
    assert len(set(names)) == len(names)


def trust(*principals: dict[str, Any], condition: dict[str, Any] | None = None) -> Policy:
    statements = [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": one, "Condition": condition or {}}
        for one in principals
    ]
    found = read_policy("trust", {"Version": "2012-10-17", "Statement": statements}, TRUST)
    assert not found.problems
    return found


ASSUMED = "arn:aws:iam::111111111111:role/assumed"
MAY_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ASSUMED}


def may_assume(who: Identity, policy: Policy, **context: str) -> bool:
    return bool(authorize(who, "sts:AssumeRole", ASSUMED, owner=OWNER, policies=[policy], context=context))


def test_a_trust_policy_must_allow_even_within_the_account() -> None:
    allowed = read_policy("p", {"Version": "2012-10-17", "Statement": MAY_ASSUME}, INLINE)
    role = Identity(*PRINCIPALS["role"], policies=(allowed,))
    without = Identity(*PRINCIPALS["role"], policies=())
    assert not may_assume(role, trust({"Service": "events.amazonaws.com"}))
    assert may_assume(role, trust({"AWS": OWNER}))
    assert not may_assume(without, trust({"AWS": OWNER}))
    assert may_assume(without, trust({"AWS": PRINCIPALS["role"][0]}))


def test_a_service_assumes_a_role_that_trusts_it() -> None:
    events = Identity("events.amazonaws.com")
    rule = "arn:aws:events:eu-west-1:111111111111:rule/bus/rule"
    assert may_assume(events, trust({"Service": "events.amazonaws.com"}))
    assert not may_assume(events, trust({"Service": "lambda.amazonaws.com"}))
    narrow = trust({"Service": "events.amazonaws.com"}, condition={"ArnEquals": {"aws:SourceArn": rule}})
    assert may_assume(events, narrow, **{"aws:SourceArn": rule})
    assert not may_assume(events, narrow, **{"aws:SourceArn": f"{rule}2"})
    assert not may_assume(events, narrow)


EVERY: dict[str, dict[str, str | None]] = {
    "role": {
        "aws:PrincipalAccount": OWNER,
        "aws:PrincipalArn": PRINCIPALS["role"][0],
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
        "aws:MultiFactorAuthPresent": "false",
        "aws:username": None,
        "aws:PrincipalServiceName": None,
        "aws:PrincipalServiceNamesList": None,
        "aws:SourceAccount": None,
        "aws:SourceArn": None,
        "aws:SourceOrgID": None,
        "aws:SourceOrgPaths": None,
    },
    "user": {
        "aws:PrincipalArn": PRINCIPALS["user"][0],
        "aws:PrincipalType": "User",
        "aws:username": "u",
    },
    "service": {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": "events.amazonaws.com",
        "aws:PrincipalServiceNamesList": "events.amazonaws.com",
        "aws:PrincipalArn": None,
        "aws:PrincipalOrgID": None,
        "aws:PrincipalOrgPaths": None,
        "aws:TokenIssueTime": None,
        "aws:username": None,
    },
    "administrator": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:root", "aws:PrincipalAccount": OWNER},
}
OF_ALL: dict[str, str | None] = {
    "aws:CalledVia": None,
    "aws:CalledViaFirst": None,
    "aws:CalledViaLast": None,
    "aws:FederatedProvider": None,
    "aws:MultiFactorAuthAge": None,
    "aws:RequestedRegion": "eu-west-1",
    "aws:ResourceAccount": OWNER,
    "aws:SecureTransport": "true",
    "aws:SourceIdentity": None,
    "aws:ViaAWSService": "false",
    "aws:referer": None,
}


@pytest.mark.parametrize(
    ("who", "key", "value"),
    [(who, key, value) for who, keys in EVERY.items() for key, value in (keys | OF_ALL).items()],
)
def test_the_keys_of_every_request(who: str, key: str, value: str | None) -> None:
    """Sources: "AWS global condition context keys", the availability of each."""
    condition = {"Null": {key: "true"}} if value is None else {"ForAnyValue:StringEquals": {key: value}}
    row = {"who": who, "resource": [{"Principal": "*"}, {"Effect": "Deny", "Principal": "*", "Condition": condition}]}
    assert decided(row).why == "denied by resource, statement 1"
    assert decided({**row, "context": {key: "other"}}).allowed


def test_the_keys_of_a_time_and_of_a_source() -> None:
    assert time_keys(1706702400.9) == {"aws:CurrentTime": "2024-01-31T12:00:00Z", "aws:EpochTime": "1706702400"}
    assert event_source("arn", OWNER) == {"aws:SourceArn": "arn", "aws:SourceAccount": OWNER}
