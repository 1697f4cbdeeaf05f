"""The gate's verdict: nothing is accepted unseen, and a tool that did not do its work is no pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from security import packages, terraform
from security.stacks import Synthesized
from security.terraform import GateError, checkov, parliament
from security.verdict import Accepted, Found, accepted, unaccepted

OPEN = Found("CKV_AWS_1", "shop", "aws_sqs_queue.a", "is open")
ACCEPTED = Accepted(check="CKV_AWS_1", resources="aws_sqs_queue.*", reason="it is meant to be open to everybody")


@pytest.fixture
def shop(tmp_path: Path) -> Synthesized:
    """A stack with a queue that everybody may send to."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = {
        "provider": {"aws": [{"alias": "a", "region": "eu-west-1", "allowed_account_ids": ["111111111111"]}]},
        "resource": {
            "aws_sqs_queue": {"a": {"provider": "aws.a", "name": "a"}},
            "aws_sqs_queue_policy": {
                "a": {
                    "provider": "aws.a",
                    "queue_url": "${aws_sqs_queue.a.url}",
                    "policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
                }
            },
        },
    }
    file = tmp_path / "shop" / "stacks" / "a" / "cdk.tf.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document))
    return Synthesized("shop", tmp_path / "shop")


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, status: int = 0) -> None:
    """Let a tool be a program that prints a text."""
    (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {status}\n")
    (folder / name).chmod(0o755)
    for module in (terraform, packages):
        monkeypatch.setattr(module, "environment", lambda _: folder)


def test_what_nobody_accepted_fails() -> None:
    assert unaccepted([OPEN], []) == ["CKV_AWS_1 shop: aws_sqs_queue.a: is open"]
    assert unaccepted([OPEN], [ACCEPTED]) == []


@pytest.mark.parametrize(
    "change", [{"check": "CKV_AWS_2"}, {"resources": "aws_sqs_queue.b"}, {"topologies": ("other", "shop-*")}]
)
def test_an_entry_covers_nothing_else_and_must_be_about_something(change: dict[str, Any]) -> None:
    lines = unaccepted([OPEN], [ACCEPTED.model_copy(update=change)])
    assert len(lines) == 2
    assert lines[0] == str(OPEN)
    assert lines[1].endswith("nothing is found that it accepts")


def test_every_entry_of_the_list_has_a_reason(tmp_path: Path) -> None:
    assert len(accepted()) > 5
    file = tmp_path / "accepted.yaml"
    file.write_text(yaml.safe_dump([{"check": "CKV_AWS_1", "reason": "because"}]))
    with pytest.raises(ValueError, match="at least 20 characters"):
        accepted(file)


def test_what_checkov_finds_has_topology_and_address(
    shop: Synthesized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = {
        "check_id": "CKV_AWS_27",
        "check_name": "is open",
        "resource": "resource.a",
        "file_path": "/shop/a/aws_sqs_queue.tf.json",
    }
    found = {"results": {"passed_checks": [], "failed_checks": [check]}, "summary": {"parsing_errors": 0}}
    program(tmp_path, monkeypatch, "checkov", json.dumps(found))
    assert checkov([shop], tmp_path / "given") == [Found("CKV_AWS_27", "shop", "aws_sqs_queue.a", "is open")]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            {"results": {"passed_checks": [], "failed_checks": []}, "summary": {"parsing_errors": 0}},
            "not read: /shop/a",
        ),
        ({"results": {"passed_checks": [], "failed_checks": []}, "summary": {"parsing_errors": 1}}, "1 files that it"),
        ({"passed": 0}, "checkov: "),
        ("no JSON", "checkov: "),
    ],
)
def test_checkov_that_does_not_read_is_no_pass(
    found: Any, words: str, shop: Synthesized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "checkov", json.dumps(found))
    with pytest.raises(GateError, match=words):
        checkov([shop], tmp_path / "given")


def test_parliament_is_given_every_document_and_must_answer_for_each(
    shop: Synthesized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "python", json.dumps([["RESOURCE_STAR", "sqs:SendMessage"]]))
    (found,) = parliament([shop])
    assert found == Found("parliament:RESOURCE_STAR", "shop", "aws_sqs_queue_policy.a", "sqs:SendMessage")
    program(tmp_path, monkeypatch, "python", "[]\n[]")
    with pytest.raises(GateError, match="parliament"):
        list(parliament([shop]))
    program(tmp_path, monkeypatch, "python", "[]", status=1)
    with pytest.raises(GateError, match="parliament"):
        list(parliament([shop]))


def test_an_audit_that_could_not_be_made_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "pip-audit", "Dependency not found", status=1)
    with pytest.raises(GateError, match="pip-audit: Dependency not found"):
        packages.audit()
    program(tmp_path, monkeypatch, "pip-audit", "No known vulnerabilities found")
    packages.audit()
