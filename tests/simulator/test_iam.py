from __future__ import annotations

from typing import Any

import pytest

from backbone.system.iam import Identity, Policy, PolicyError, authorize, decide

ROLE = "arn:aws:iam::222222222222:role/r"
BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/b"
ALLOW = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy("p", {"Statement": list(statements)})


def role(*statements: dict[str, Any]) -> Identity:
    return Identity(ROLE, "222222222222", (policy(*statements),))


def may(who: Identity, resource: Policy | None, owner: str = "111111111111", **context: str) -> bool:
    return bool(authorize(who, "events:PutEvents", BUS, owner=owner, policy=resource, context=context))


ROOT = {"AWS": "arn:aws:iam::222222222222:root"}


def test_another_account_needs_both_policies() -> None:
    admits = policy(ALLOW | {"Principal": ROOT})
    assert may(role(ALLOW), admits)
    assert not may(role(), admits)
    assert not may(role(ALLOW), None)
    assert not may(role(ALLOW), policy(ALLOW | {"Principal": {"AWS": "arn:aws:iam::333333333333:root"}}))
    assert not may(role(ALLOW | {"Resource": "arn:aws:events:*:*:event-bus/other"}), admits)
    assert may(role(ALLOW | {"Resource": "arn:aws:events:*:*:event-bus/*"}), admits)
    assert may(role(ALLOW | {"Action": ["sqs:*", "events:Put*"]}), admits)
    assert may(role(ALLOW), policy(ALLOW | {"Principal": {"AWS": [ROLE]}}))
    assert may(role(ALLOW), policy(ALLOW | {"Principal": "*"}))


def test_the_same_account_needs_one() -> None:
    assert may(role(ALLOW), None, owner="222222222222")
    assert not may(role(), None, owner="222222222222")
    assert may(Identity(ROLE, "222222222222"), None, owner="222222222222")


def test_a_denial_beats_every_allow() -> None:
    deny = ALLOW | {"Effect": "Deny"}
    admits = policy(ALLOW | {"Principal": ROOT})
    assert not may(role(ALLOW, deny), admits)
    assert not may(role(ALLOW), policy(ALLOW | {"Principal": ROOT}, deny | {"Principal": "*"}))


def test_a_service_needs_the_resources_policy() -> None:
    service = Identity("events.amazonaws.com")
    statement = ALLOW | {"Principal": {"Service": "events.amazonaws.com"}}
    assert may(service, policy(statement))
    assert not may(service, policy(ALLOW | {"Principal": {"Service": "sns.amazonaws.com"}}))
    assert not may(service, None)


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"StringEquals": {"k": "x"}}, "x", True),
        ({"StringEquals": {"k": ["x", "y"]}}, "y", True),
        ({"StringEquals": {"K": "x"}}, "x", True),
        ({"StringEquals": {"k": "x"}}, "X", False),
        ({"StringEquals": {"k": "x*"}}, "xy", False),
        ({"StringEquals": {"k": "x"}}, None, False),
        ({"StringEqualsIfExists": {"k": "x"}}, None, True),
        ({"ForAllValues:StringEquals": {"k": "x"}}, None, True),
        ({"ForAllValues:StringEquals": {"k": "x"}}, "y", False),
        ({"ForAnyValue:StringEquals": {"k": "x"}}, None, False),
        ({"StringNotEquals": {"k": ["x", "y"]}}, "y", False),
        ({"StringNotEquals": {"k": "x"}}, None, True),
        ({"StringEqualsIgnoreCase": {"k": "x"}}, "X", True),
        ({"StringLike": {"k": "a*c?"}}, "abcd", True),
        ({"StringLike": {"k": "a[b]*"}}, "a[b]c", True),
        ({"StringLike": {"k": "a[b]*"}}, "abc", False),
        ({"StringNotLike": {"k": "a*"}}, "abc", False),
        ({"ArnLike": {"k": "arn:aws:s3:::b/*"}}, "arn:aws:s3:::b/x/y", True),
        ({"ArnEquals": {"k": "arn:aws:iam::1:role/*"}}, "arn:aws:iam::1:role/r", True),
        ({"ArnEquals": {"k": "arn:aws:*:role/r"}}, "arn:aws:iam::1:role/r", False),
        ({"ArnNotLike": {"k": "arn:aws:iam::1:role/*"}}, "arn:aws:iam::1:role/r", False),
        ({"Bool": {"k": "true"}}, "TRUE", True),
        ({"Bool": {"k": True}}, "true", True),
        ({"Null": {"k": "true"}}, None, True),
        ({"Null": {"k": "true"}}, "x", False),
        ({"StringEquals": {"k": "x"}, "Null": {"k": "true"}}, "x", False),
    ],
)
def test_conditions(condition: dict[str, Any], value: str | None, holds: bool) -> None:
    context = {} if value is None else {"k": value}
    found = decide([policy(ALLOW | {"Condition": condition})], None, "events:PutEvents", BUS, context)
    assert bool(found) is holds


@pytest.mark.parametrize(
    "statement",
    [
        {"Condition": {"NumericEquals": {"k": "1"}}},
        {"Condition": {"ForSome:StringEquals": {"k": "x"}}},
        {"NotAction": "s3:*"},
        {"NotPrincipal": "*"},
    ],
)
def test_what_is_not_known_is_an_error(statement: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=r"p: .* is not simulated"):
        decide([policy(ALLOW | statement)], None, "events:PutEvents", BUS, {"k": "x"})
