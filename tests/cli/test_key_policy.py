"""`backbone key-policy`: what a key of one's own must say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT

OWN = "arn:aws:kms:eu-west-1:222222222222:key/1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    for service in document["services"].values():
        del service["module"], service["settings"]
    document["accounts"]["order"]["kms_key"] = OWN
    document["accounts"]["bus"]["kms_key"] = "create"
    (tmp_path / "backbone.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def test_the_statements_for_a_key_of_the_account(file: Path) -> None:
    output, errors = run(BACKBONE, "key-policy", "order", folder=file)
    statements = {one["Sid"]: one for one in json.loads(output)}
    assert [*statements] == [f"{word}222222222222" for word in ("DescribeForBuses", "Buses", "Queues", "Logs")]
    bus = "arn:aws:events:eu-west-1:222222222222:event-bus/shop-order-service"
    assert statements["Buses222222222222"]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": bus}
    }
    assert errors == f"next: add these statements to the policy of {OWN}\n"


def test_a_key_of_another_account_lets_the_account_use_it(file: Path) -> None:
    document = yaml.safe_load((file / "backbone.yaml").read_text())
    document["accounts"]["delivery"]["kms_key"] = OWN
    (file / "backbone.yaml").write_text(yaml.safe_dump(document))
    statements = {one["Sid"]: one for one in json.loads(run(BACKBONE, "key-policy", "delivery", folder=file)[0])}
    assert statements["Use333333333333"]["Principal"] == {"AWS": "arn:aws:iam::333333333333:root"}
    assert statements["Grant333333333333"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("bus", "the key of bus is made with these statements: there is nothing to do"),
        ("delivery", "delivery has no kms_key: name one in the file, or let it be made by kms_key: create"),
    ],
)
def test_what_is_next(file: Path, account: str, words: str) -> None:
    assert run(BACKBONE, "key-policy", account, folder=file)[1] == f"{words}\n"


def test_an_account_that_is_none(file: Path) -> None:
    _, errors = run(BACKBONE, "key-policy", "ordr", folder=file, status=2)
    assert errors == "error: key-policy: got the account 'ordr'; allowed: delivery, order, bus\n"
