"""Policy documents: what AWS refuses is refused, with the place and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

from backbone.system import iam
from backbone.system.iam import BUS, INLINE, LOGS, MANAGED, QUEUE, TRUST, Kind, Policy, inline_problems, read_policy

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "documents.yaml").read_text())
ATTACHED = {
    "BUS": ("events:PutEvents", "arn:aws:events:eu-west-1:111111111111:event-bus/b"),
    "FUNCTION": ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111111111111:function:f"),
    "LOGS": ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:111111111111:log-group:g:*"),
    "QUEUE": ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q"),
    "RESOURCE": ("s3:GetObject", "arn:aws:s3:::b/*"),
    "TRUST": ("sts:AssumeRole", None),
}


def document(row: dict[str, Any]) -> str | dict[str, Any]:
    if "text" in row:
        return str(row["text"])
    action, resource = ATTACHED.get(row["kind"], ("sqs:SendMessage", "*"))
    principal = {"AWS": "222222222222"} if row["kind"] in ATTACHED else None
    full = {"Effect": "Allow", "Action": action, "Resource": resource, "Principal": principal}
    statement = {name: value for name, value in (full | row.get("statement", {})).items() if value is not None}
    count = row.get("copies", 2 if row.get("twice") else 1)
    whole = {"Version": "2012-10-17", "Statement": [statement] * count} | row.get("document", {})
    return {name: value for name, value in whole.items() if value is not None}


def read(row: dict[str, Any]) -> Policy:
    kind: Kind = getattr(iam, row["kind"])
    return read_policy("p", document(row), kind, resource=ATTACHED.get(row["kind"], ("", ""))[1] or "")


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['kind']} {json.dumps(document(row))[:150]}" for row in ROWS])
def test_documents(row: dict[str, Any]) -> None:
    found = read(row)
    assert [one.where for one in found.problems] == [where for where, _ in row["problems"]], found.problems
    for problem, (_, words) in zip(found.problems, row["problems"], strict=True):
        assert words in problem.message
    assert found.refused is row.get("refused", bool(row["problems"]))
    assert bool(found.statements) is not found.refused


def test_a_text_and_an_object_read_the_same() -> None:
    for row in ROWS:
        if "text" not in row:
            given = document(row)
            kind: Kind = getattr(iam, row["kind"])
            assert read_policy("p", json.dumps(given), kind).problems == read_policy("p", given, kind).problems


MOTO = {"INLINE": IAMPolicyDocumentValidator, "TRUST": IAMTrustPolicyDocumentValidator}
OLD = "must be version 2012-10-17 or greater"
"""What AWS asks of managed policies only; moto of all."""


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] in MOTO], ids=lambda row: json.dumps(document(row)))
def test_what_moto_refuses_is_refused(row: dict[str, Any]) -> None:
    given = document(row)
    objection = ""
    try:
        MOTO[row["kind"]](given if isinstance(given, str) else json.dumps(given)).validate()
    except (MalformedPolicyDocument, AttributeError) as error:  # an AttributeError where moto does not get along
        objection = str(error)
    assert read(row).refused or not objection or OLD in objection


def sized(kind: Kind, size: int) -> Policy:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    action = {TRUST: "sts:AssumeRole", BUS: "events:PutEvents", LOGS: "logs:PutLogEvents"}.get(kind, "sqs:SendMessage")
    if kind.principal:
        statement |= {"Principal": "*"}
    if not kind.resource:
        del statement["Resource"]
    whole: dict[str, Any] = {"Version": "2012-10-17", "Statement": [statement | {"Action": action, "Sid": ""}]}
    whole["Statement"][0]["Sid"] = "x" * (size - len(json.dumps(whole, separators=(",", ":"))))
    return read_policy("p", json.dumps(whole, indent=2), kind)


@pytest.mark.parametrize(("kind", "limit"), [(INLINE, 10_240), (MANAGED, 6_144), (BUS, 10_240), (LOGS, 5_120)])
def test_sizes_count_without_white_space(kind: Kind, limit: int) -> None:
    fits, over = sized(kind, limit), sized(kind, limit + 1)
    assert (fits.size, fits.problems) == (limit, ())
    assert over.refused
    assert f"has {limit + 1:,} characters; AWS allows {limit:,}" in over.problems[0].message


def test_sizes_of_queues_count_bytes() -> None:
    assert not sized(QUEUE, 8_192).refused
    assert sized(QUEUE, 8_193).refused
    umlaut = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Principal": "*", "Sid": "ü" * 4_060}
    assert read_policy("p", {"Version": "2012-10-17", "Statement": umlaut}, QUEUE).refused


def test_sizes_of_policies_of_iam_count_characters() -> None:
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:*:{'ü' * 6_000}"}
    assert not read_policy("p", {"Version": "2012-10-17", "Statement": statement}, MANAGED).refused


def test_a_long_trust_policy_needs_a_raised_quota() -> None:
    assert not sized(TRUST, 2_048).problems
    (warning,) = sized(TRUST, 2_049).problems
    assert (warning.severity, "unless the quota" in warning.message) == ("warning", True)
    assert sized(TRUST, 4_097).refused


def test_inline_policies_of_a_role_count_together() -> None:
    assert inline_problems([sized(INLINE, 5_000), sized(INLINE, 5_240)]) == ()
    (problem,) = inline_problems([sized(INLINE, 5_000), sized(INLINE, 5_241)])
    assert "have 10,241 characters together; AWS allows 10,240" in problem.message


def test_what_no_reader_should_break_on() -> None:
    deep = "[" * 100_000
    for text in (deep, '{"Version":"2012-10-17","Statement":' + deep, "\ud800", '"\\ud800"'):
        assert read_policy("p", text, INLINE).refused
    assert read_policy("p", {"Version": object()}, INLINE).refused
