"""What an edit of a policy newly allows is said, and nothing is said of an edit that only takes away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.deployment.dangers import Danger
from backbone.deployment.holders import Holder, Request
from backbone.deployment.widening import compared
from backbone.system.iam import BUS, INLINE, QUEUE, TOPIC, TRUST, Identity, read_policy

Json = dict[str, Any]
OWNER = "111111111111"
ACCOUNTS = (OWNER, "222222222222", "333333333333")
ROLE = f"arn:aws:iam::{OWNER}:role/orders"
KINDS = {
    "bus": (BUS, f"arn:aws:events:eu-west-1:{OWNER}:event-bus/shop", "events:PutEvents"),
    "queue": (QUEUE, f"arn:aws:sqs:eu-west-1:{OWNER}:jobs", "sqs:SendMessage"),
    "topic": (TOPIC, f"arn:aws:sns:eu-west-1:{OWNER}:news", "sns:Publish"),
    "role": (INLINE, ROLE, ""),
    "trust": (TRUST, ROLE, ""),
}
CASES: list[Json] = yaml.safe_load(Path(__file__).with_name("widening.yaml").read_text(encoding="utf-8"))


def holder(name: str, statements: list[Json]) -> Holder:
    kind, arn, action = KINDS[name]
    usual = {"Effect": "Allow"} | ({"Resource": arn} if kind in (BUS, QUEUE, TOPIC) else {})
    listed = [
        usual | found if {"Action", "NotAction"} & found.keys() else usual | {"Action": action} | found
        for found in statements
    ]
    policy = read_policy("policy", json.dumps({"Version": "2012-10-17", "Statement": listed}), kind, resource=arn)
    assert not policy.refused, policy.problems
    identity = Identity(arn, OWNER, (policy,)) if kind is INLINE else None
    return Holder("stack/policy", name, arn, OWNER, (policy,), identity)


def said(policy: str, before: list[Json], after: list[Json]) -> list[Danger]:
    return list(compared(holder(policy, before), holder(policy, after), ACCOUNTS))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_an_edit_and_its_opposite(case: Json) -> None:
    for words, before, after in (
        (case.get("says"), case["before"], case["after"]),
        (case.get("back"), case["after"], case["before"]),
    ):
        found = said(case["policy"], before, after)
        assert bool(found) is (words is not None), found
        assert all(one.rule == "access-widened" for one in found)
        assert words is None or any(words in one.message for one in found), found


def test_a_policy_that_cannot_be_tried_in_full_is_said_to_be_so() -> None:
    keys = [f"aws:RequestTag/{number}" for number in range(10)]
    open_to_all: Json = {"Principal": {"AWS": "222222222222"}}
    pinned = [open_to_all | {"Condition": {"StringEquals": dict.fromkeys(keys, letter)}} for letter in "abcd"]
    found = said("topic", [open_to_all, *pinned], [open_to_all | {"Sid": "All"}, *pinned])
    assert found == []
    many = open_to_all | {"Condition": {"StringEquals": {key: [*"abcd"] for key in keys}}}
    found = said("topic", [open_to_all, *pinned], [open_to_all, *pinned, many])
    assert ["has more conditions than can be tried" in one.message for one in found] == [True]


SOURCES = ["orders", "ord*", "*s", "o?ders", "returns", "*"]
OPERATORS = [
    "StringEquals",
    "StringLike",
    "StringNotEquals",
    "StringNotLike",
    "StringLikeIfExists",
    "ForAnyValue:StringLike",
]
OPERATORS += ["ForAllValues:StringLike", "ForAllValues:StringNotEquals"]
PRINCIPALS: list[Any] = ["*", {"AWS": "222222222222"}, {"AWS": ["333333333333", "222222222222"]}]
PRINCIPALS += [{"AWS": "arn:aws:iam::222222222222:role/orders"}, {"Service": "events.amazonaws.com"}]
ACTIONS = ["sns:Publish", "sns:*", "sns:Get*", ["sns:Publish", "sns:DeleteTopic"]]
values = st.lists(st.sampled_from(SOURCES), min_size=1, max_size=2, unique=True)
conditions = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.dictionaries(st.sampled_from(["sns:tag", "aws:UserAgent"]), values, min_size=1),
    max_size=2,
)
statements = st.builds(
    lambda effect, principal, but, action, condition: {
        "Effect": effect,
        "NotPrincipal" if but and effect == "Deny" and principal != "*" else "Principal": principal,
        "Action": action,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(PRINCIPALS),
    st.booleans(),
    st.sampled_from(ACTIONS),
    conditions,
)
policies = st.lists(statements, min_size=1, max_size=3)
people = st.sampled_from(
    [
        Identity("arn:aws:iam::222222222222:root", "222222222222"),
        Identity("arn:aws:iam::222222222222:role/orders", "222222222222"),
        Identity("arn:aws:iam::333333333333:role/other", "333333333333"),
        Identity("arn:aws:iam::444444444444:root", "444444444444"),
        Identity("events.amazonaws.com"),
    ]
)
texts = st.sampled_from(["orders", "ord", "returns", "oxders", "x", "ordeal", "xs"])
asked = st.one_of(st.none(), texts, st.lists(texts, min_size=1, max_size=2, unique=True).map(tuple))
requests = st.builds(
    lambda who, action, tag, agent: Request(who, action, KINDS["topic"][1], {"sns:tag": tag, "aws:UserAgent": agent}),
    people,
    st.sampled_from(["sns:Publish", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:AddPermission"]),
    asked,
    asked,
)


@settings(max_examples=150, deadline=None)
@given(policies, policies, st.lists(requests, min_size=5, max_size=30))
def test_whatever_is_newly_allowed_is_said(before: list[Json], after: list[Json], tried: list[Request]) -> None:
    known, new = holder("topic", before), holder("topic", after)
    if any(new.allows(request) and not known.allows(request) for request in tried):
        assert list(compared(known, new, ACCOUNTS))


@settings(max_examples=100, deadline=None)
@given(policies, statements, st.data())
def test_nothing_is_said_of_what_only_takes_away(before: list[Json], more: Json, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(before) - 1))
    chosen = before[number]
    narrower = [
        [*before, more | {"Effect": "Deny"}],
        [*before, chosen],
    ]
    if chosen["Effect"] == "Allow":
        extra = {"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "orders"}}
        narrower.append([*before[:number], chosen | {"Condition": chosen["Condition"] | extra}, *before[number + 1 :]])
        narrower.append([*before[:number], chosen | {"Action": "sns:Publish"}, *before[number + 1 :]])
    for after in narrower:
        if not (after[number]["Action"] == "sns:Publish" and chosen["Action"] == "sns:Get*"):
            assert said("topic", before, after) == []
