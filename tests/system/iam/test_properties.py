"""What must hold for all policies: shrinking what is allowed never allows more."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from backbone.system.iam import INLINE, MANAGED, QUEUE, Identity, Kind, Policy, authorize, read_policy
from backbone.system.iam.text import like, overlap

OWNER, OTHER = "111111111111", "222222222222"
ARN = f"arn:aws:sqs:eu-west-1:{OWNER}:q"
Statement = dict[str, Any]

actions = st.sampled_from(["sqs:SendMessage", "sqs:Send*", "sqs:*", "*", "s3:*", "sqs:ReceiveMessage"])
resources = st.sampled_from([ARN, "*", "arn:aws:sqs:*:*:*", "arn:aws:sqs:*:*:other", "arn:aws:sqs:*:*:${aws:username}"])
conditions: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(
        [
            *("StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringEquals"),
            *("ForAnyValue:StringLike", "ForAllValues:StringNotLike"),
        ]
    ),
    st.dictionaries(
        st.sampled_from(["aws:PrincipalAccount", "aws:SourceIp", "aws:PrincipalOrgID", "aws:TagKeys", "aws:username"]),
        st.lists(st.sampled_from([OWNER, OTHER, "o-a1b2c3d4e5", "x", "${aws:username, 'x'}"]), min_size=1, max_size=2),
        min_size=1,
        max_size=2,
    ),
    max_size=2,
)
principals = st.sampled_from(
    [
        "*",
        *({"AWS": one} for one in (OWNER, OTHER, f"arn:aws:iam::{OWNER}:role/r", f"arn:aws:iam::{OTHER}:role/r")),
        *({"AWS": f"arn:aws:sts::{one}:assumed-role/r/s"} for one in (OWNER, OTHER)),
        *({"Service": f"{one}.amazonaws.com"} for one in ("events", "sns")),
    ]
)


@st.composite
def statements(draw: st.DrawFn, *, principal: bool, effects: tuple[str, ...] = ("Allow", "Deny")) -> Statement:
    found: Statement = {
        "Effect": draw(st.sampled_from(effects)),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(actions),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(resources),
    }
    if condition := draw(conditions):
        found["Condition"] = condition
    if principal:
        found["Principal"] = draw(principals)
    return found


def lists(*, principal: bool = False, most: int = 3) -> st.SearchStrategy[list[Statement]]:
    return st.lists(statements(principal=principal), max_size=most)


contexts = st.fixed_dictionaries(
    {},
    optional={
        "aws:SourceIp": st.sampled_from([None, "x"]),
        "aws:PrincipalOrgID": st.sampled_from([None, "o-a1b2c3d4e5"]),
        "aws:TagKeys": st.sampled_from([None, [], ["x"], ["x", "y"]]),
    },
)
WHO = ("role", "session", "stranger", "administrator", "service")


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "who": draw(st.sampled_from(WHO)),
        "identity": draw(lists()),
        "resource": draw(lists(principal=True)),
        "boundary": draw(st.none() | lists(most=2)),
        "session": draw(st.none() | lists(most=2)),
        "context": draw(contexts),
    }


def read(found: list[Statement] | None, kind: Kind) -> tuple[Policy, ...]:
    if not found:
        return ()
    policy = read_policy("p", {"Version": "2012-10-17", "Statement": found}, kind, resource=ARN)
    assume(not policy.refused)
    return (policy,)


NOTHING = [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]


def identity(world: dict[str, Any]) -> Identity:
    who = world["who"]
    if who == "service":
        return Identity("events.amazonaws.com")
    if who == "administrator":
        return Identity(f"arn:aws:iam::{OWNER}:root", OWNER)
    account = OTHER if who == "stranger" else OWNER
    boundary = world["boundary"]
    limits = [None if one is None else one or NOTHING for one in (boundary, world["session"])]
    return Identity(
        f"arn:aws:iam::{account}:role/r",
        account,
        read(world["identity"], INLINE),
        boundary=next(iter(read(limits[0], MANAGED)), None),
        session_policies=read(limits[1], INLINE),
        session="s" if who == "session" else "",
    )


def allowed(world: dict[str, Any], *, ahead: bool = False) -> bool:
    return bool(
        authorize(
            identity(world),
            "sqs:SendMessage",
            ARN,
            owner=OWNER,
            policies=read(world["resource"], QUEUE),
            context=world["context"],
            ahead=ahead,
        )
    )


PLACES = st.sampled_from(["identity", "resource", "boundary", "session"])


def with_statements(world: dict[str, Any], place: str, found: list[Statement]) -> dict[str, Any]:
    return {**world, place: found}


@given(worlds(), PLACES, st.data())
def test_a_deny_more_never_allows_more(world: dict[str, Any], place: str, data: st.DataObject) -> None:
    if world[place] is None:
        return
    deny = data.draw(statements(principal=place == "resource", effects=("Deny",)))
    at = data.draw(st.integers(0, len(world[place])))
    more = [*world[place][:at], deny, *world[place][at:]]
    assert allowed(with_statements(world, place, more)) <= allowed(world)


@given(worlds(), PLACES, st.data())
def test_a_condition_more_never_lets_an_allow_allow_more(
    world: dict[str, Any], place: str, data: st.DataObject
) -> None:
    found = world[place] or []
    allows = [number for number, one in enumerate(found) if one["Effect"] == "Allow" and "Condition" not in one]
    assume(allows)
    number = data.draw(st.sampled_from(allows))
    narrow = [*found[:number], {**found[number], "Condition": data.draw(conditions)}, *found[number + 1 :]]
    assert allowed(with_statements(world, place, narrow)) <= allowed(world)


@given(worlds(), PLACES, st.data())
def test_an_allow_less_never_allows_more(world: dict[str, Any], place: str, data: st.DataObject) -> None:
    found = world[place] or []
    allows = [number for number, one in enumerate(found) if one["Effect"] == "Allow"]
    assume(allows)
    number = data.draw(st.sampled_from(allows))
    assert allowed(with_statements(world, place, [*found[:number], *found[number + 1 :]])) <= allowed(world)


@given(worlds(), PLACES, st.randoms())
def test_the_order_of_statements_never_matters(world: dict[str, Any], place: str, random: Any) -> None:
    shuffled = list(world[place] or [])
    random.shuffle(shuffled)
    if world[place] is not None:
        assert allowed(with_statements(world, place, shuffled)) is allowed(world)


@given(worlds())
def test_nobody_outside_gets_in(world: dict[str, Any]) -> None:
    outside = [one for one in world["resource"] if one["Effect"] == "Deny" or OTHER not in json.dumps(one["Principal"])]
    outside = [one for one in outside if one["Effect"] == "Deny" or one["Principal"] != "*"]
    assert not allowed({**world, "who": "stranger", "resource": outside})


@given(worlds(), PLACES)
def test_a_document_with_a_mistake_grants_nothing(world: dict[str, Any], place: str) -> None:
    found = world[place]
    assume(found)
    broken = read_policy("p", {"Version": "2012-10-17", "Statement": [*found, {"Effect": "Allow"}]}, QUEUE)
    assert broken.refused
    assert broken.statements == ()


@given(worlds())
def test_a_boundary_never_allows_more(world: dict[str, Any]) -> None:
    assert allowed(world) <= allowed({**world, "boundary": None})
    assert allowed(world) <= allowed({**world, "session": None})


@given(worlds())
def test_what_is_allowed_could_be_allowed_ahead(world: dict[str, Any]) -> None:
    assert allowed(world) <= allowed(world, ahead=True)
    assert allowed(world) <= allowed({**world, "context": {}}, ahead=True)


@given(worlds(), st.sampled_from(["aws:SourceIp", "aws:PrincipalOrgID", "aws:TagKeys"]))
def test_knowing_less_never_allows_more(world: dict[str, Any], key: str) -> None:
    """What is allowed without knowing a key is allowed whatever the key holds."""
    less = {name: value for name, value in world["context"].items() if name != key}
    if allowed({**world, "context": less}):
        for value in (None, "x", "o-a1b2c3d4e5"):
            assert allowed({**world, "context": {**less, key: value}})


signs = st.text("ab*?:", max_size=7)


@given(signs, st.text("ab*?:", max_size=7))
def test_wildcards_match_as_in_a_shell(pattern: str, value: str) -> None:
    assert like(pattern, value) is fnmatchcase(value, pattern)


@given(signs, signs)
def test_patterns_overlap_when_a_text_matches_both(one: str, other: str) -> None:
    texts = ("".join(text) for length in range(7) for text in product("ab:", repeat=length))
    both = any(like(one, text) and like(other, text) for text in texts)
    if both:
        assert overlap(one, other)
    elif len(one.replace("*", "")) + len(other.replace("*", "")) < 7:
        assert not overlap(one, other)
