from __future__ import annotations

from typing import Any

import pytest

from backbone.system.iam import BUS, INLINE, Identity, Kind, Policy, authorize, decide, read_policy

ROLE = "arn:aws:iam::222222222222:role/r"
BUS_ARN = "arn:aws:events:eu-west-1:111111111111:event-bus/b"
ALLOW = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS_ARN}


def policy(*statements: dict[str, Any], kind: Kind = INLINE) -> Policy:
    found = read_policy("p", {"Version": "2012-10-17", "Statement": list(statements)}, kind, resource=BUS_ARN)
    assert not found.refused, found.problems
    return found


def bus(*statements: dict[str, Any]) -> Policy:
    return policy(*statements, kind=BUS)


def role(*statements: dict[str, Any]) -> Identity:
    return Identity(ROLE, "222222222222", (policy(*statements),) if statements else ())


def may(who: Identity, resource: Policy | None, owner: str = "111111111111", **context: str) -> bool:
    return bool(
        authorize(
            who, "events:PutEvents", BUS_ARN, owner=owner, policies=[resource] if resource else [], context=context
        )
    )


ROOT = {"AWS": "arn:aws:iam::222222222222:root"}


def test_another_account_needs_both_policies() -> None:
    admits = bus(ALLOW | {"Principal": ROOT})
    assert may(role(ALLOW), admits)
    assert not may(role(), admits)
    assert not may(role(ALLOW), None)
    assert not may(role(ALLOW), bus(ALLOW | {"Principal": {"AWS": "arn:aws:iam::333333333333:root"}}))
    assert not may(role(ALLOW | {"Resource": "arn:aws:events:*:*:event-bus/other"}), admits)
    assert may(role(ALLOW | {"Resource": "arn:aws:events:*:*:event-bus/*"}), admits)
    assert may(role(ALLOW | {"Action": ["sqs:*", "events:Put*"]}), admits)
    assert may(role(ALLOW), bus(ALLOW | {"Principal": {"AWS": [ROLE]}}))
    assert may(role(ALLOW), bus(ALLOW | {"Principal": "*"}))


def test_the_same_account_needs_one() -> None:
    assert may(role(ALLOW), None, owner="222222222222")
    assert not may(role(), None, owner="222222222222")
    assert may(Identity(ROLE, "222222222222"), None, owner="222222222222")


def test_a_denial_beats_every_allow() -> None:
    deny = ALLOW | {"Effect": "Deny"}
    admits = bus(ALLOW | {"Principal": ROOT})
    assert not may(role(ALLOW, deny), admits)
    assert not may(role(ALLOW), bus(ALLOW | {"Principal": ROOT}, deny | {"Principal": "*"}))


def test_a_service_needs_the_resources_policy() -> None:
    service = Identity("events.amazonaws.com")
    statement = ALLOW | {"Principal": {"Service": "events.amazonaws.com"}}
    assert may(service, bus(statement))
    assert not may(service, bus(ALLOW | {"Principal": {"Service": "sns.amazonaws.com"}}))
    assert not may(service, None)


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"StringEquals": {"events:source": "x"}}, "x", True),
        ({"StringEquals": {"events:source": ["x", "y"]}}, "y", True),
        ({"StringEquals": {"Events:Source": "x"}}, "x", True),
        ({"StringEquals": {"events:source": "x"}}, "X", False),
        ({"StringEquals": {"events:source": "x*"}}, "xy", False),
        ({"StringEquals": {"events:source": "x"}}, None, False),
        ({"StringEqualsIfExists": {"events:source": "x"}}, None, True),
        ({"ForAllValues:StringEquals": {"events:source": "x"}}, None, True),
        ({"ForAllValues:StringEquals": {"events:source": "x"}}, "y", False),
        ({"ForAnyValue:StringEquals": {"events:source": "x"}}, None, False),
        ({"StringNotEquals": {"events:source": ["x", "y"]}}, "y", False),
        ({"StringNotEquals": {"events:source": "x"}}, None, True),
        ({"StringEqualsIgnoreCase": {"events:source": "x"}}, "X", True),
        ({"StringLike": {"events:source": "a*c?"}}, "abcd", True),
        ({"StringLike": {"events:source": "a[b]*"}}, "a[b]c", True),
        ({"StringLike": {"events:source": "a[b]*"}}, "abc", False),
        ({"StringNotLike": {"events:source": "a*"}}, "abc", False),
        ({"ArnLike": {"events:source": "arn:aws:s3:::b/*"}}, "arn:aws:s3:::b/x/y", True),
        (
            {"ArnEquals": {"events:source": "arn:aws:iam::111111111111:role/*"}},
            "arn:aws:iam::111111111111:role/r",
            True,
        ),
        ({"ArnEquals": {"events:source": "arn:aws:*:role/r"}}, "arn:aws:iam::111111111111:role/r", False),
        (
            {"ArnNotLike": {"events:source": "arn:aws:iam::111111111111:role/*"}},
            "arn:aws:iam::111111111111:role/r",
            False,
        ),
        ({"Bool": {"events:source": "true"}}, "TRUE", True),
        ({"Bool": {"events:source": True}}, "true", True),
        ({"Null": {"events:source": "true"}}, None, True),
        ({"Null": {"events:source": "true"}}, "x", False),
        ({"StringEquals": {"events:source": "x"}, "Null": {"events:source": "true"}}, "x", False),
    ],
)
def test_conditions(condition: dict[str, Any], value: str | None, holds: bool) -> None:
    context = {"events:source": value}
    found = decide([policy(ALLOW | {"Condition": condition})], None, "events:PutEvents", BUS_ARN, context)
    assert bool(found) is holds
