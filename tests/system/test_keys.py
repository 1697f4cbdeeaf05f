"""Keys that the stacks make: their policies are enough, and nothing in them is too much."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from backbone.aws.arn import Place
from backbone.aws.key_policies import KeyUse, policy, statements
from backbone.system.iam import KEY, check_policy, read_policy
from backbone.topology import parse
from tests.conftest import EXAMPLES
from tests.synthesis import Json, Stacks, synthesize
from tests.system.edits import reading

HUB = Place("aws", "eu-central-1", "111111111111")
Edit = Callable[[Json], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def stacks(folder: Path) -> Stacks:
    """The example with every option, and a key made in each account."""
    document = yaml.safe_load(EXAMPLES["all-features"].read_text())
    document["kms_key"] = "create"
    del document["accounts"]["order"]["kms_key"]
    return synthesize(parse(yaml.safe_dump(document)), folder)


def key_of(stacks: Stacks, account: str) -> Json:
    keys: list[Json] = [*stacks[account]["resource"]["aws_kms_key"].values()]
    assert len(keys) == 1
    return keys[0]


def found(stacks: Stacks, folder: Path) -> dict[str, list[str]]:
    """What is found, by rule."""
    messages: dict[str, list[str]] = {}
    for finding in reading(stacks, folder).findings:
        messages.setdefault(finding.rule, []).append(finding.message)
    return messages


def edited(stacks: Stacks, account: str, edit: Edit) -> Stacks:
    """The stacks after an edit of the policy of an account's key."""
    changed = copy.deepcopy(stacks)
    key = key_of(changed, account)
    document = json.loads(key["policy"])
    edit(document)
    key["policy"] = json.dumps(document)
    return changed


def without(sid: str) -> Edit:
    def edit(document: Json) -> None:
        kept = [one for one in document["Statement"] if not one["Sid"].startswith(sid)]
        assert len(kept) == len(document["Statement"]) - 1
        document["Statement"] = kept

    return edit


def test_the_keys_that_are_made_are_found_to_be_right(stacks: Stacks, folder: Path) -> None:
    assert found(stacks, folder) == {}
    assert {one["enable_key_rotation"] for one in (key_of(stacks, account) for account in stacks)} == {True}


@pytest.mark.parametrize(
    ("account", "sid", "who", "what"),
    [
        ("bus", "DescribeForBuses", "events.amazonaws.com", "to make the bus"),
        ("bus", "DescribeForBuses", "events.amazonaws.com", "to make the archive"),
        ("bus", "Buses", "events.amazonaws.com", "for events in the archive"),
        ("bus", "Queues", "events.amazonaws.com", "rule/shop.events/shop-forward-order-service sends to the queue"),
        ("bus", "Queues", "events.amazonaws.com", "event-bus/shop.events sends to the queue"),
        ("bus", "Logs", "logs.eu-central-1.amazonaws.com", "for the log group"),
        ("bus", "EncryptReports", "events.amazonaws.com", "for the reports of the bus"),
        ("bus", "DeliverReports", "delivery.logs.amazonaws.com", "for the reports of the bus"),
        ("shared", "Account", "shop-delivery-service-on-event-eu-central-1", "though it may use items of the table"),
    ],
)
def test_what_stops_without_a_statement_is_said(
    stacks: Stacks, folder: Path, account: str, sid: str, who: str, what: str
) -> None:
    messages = found(edited(stacks, account, without(sid)), folder)["BB504"]
    assert any(one.startswith(f"{who} may not kms:") and what in one for one in messages), messages


def test_buses_are_encrypted_by_their_context_or_as_the_source(stacks: Stacks, folder: Path) -> None:
    """The statement for queues has the buses too, whose failures go to one."""
    both = edited(edited(stacks, "shared", without("Buses")), "shared", without("Queues"))
    messages = found(both, folder)["BB504"]
    assert sum("events.amazonaws.com may not" in one and "for events on the bus" in one for one in messages) == 2
    assert found(edited(stacks, "shared", without("Buses")), folder) == {}


def parts(document: Json) -> Iterator[tuple[str, Edit]]:
    """Each action and each value of a condition that nothing else gives, with the edit that takes it away."""
    for index, statement in enumerate(document["Statement"]):
        if statement["Sid"].startswith("Account"):
            continue
        of_buses = statement["Sid"].startswith("Buses")
        for action in ["kms:ReEncrypt*"] if of_buses else listed(statement["Action"]):
            if action in statement["Action"]:
                yield f"{statement['Sid']}: {action}", _without_action(index, action)
        for operator, keys in ({} if of_buses else statement.get("Condition", {})).items():
            for key, values in keys.items():
                for value in listed(values):
                    yield f"{statement['Sid']}: {key}: {value}", _without_value(index, operator, key, value)


def listed(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values


def _without_action(index: int, action: str) -> Edit:
    def edit(document: Json) -> None:
        rest = [one for one in listed(document["Statement"][index]["Action"]) if one != action]
        document["Statement"][index]["Action"] = rest or "kms:Verify"

    return edit


def _without_value(index: int, operator: str, key: str, value: str) -> Edit:
    def edit(document: Json) -> None:
        keys = document["Statement"][index]["Condition"][operator]
        rest = [one for one in listed(keys[key]) if one != value]
        keys[key] = rest or f"{value}-other"

    return edit


def test_every_part_of_a_keys_policy_is_needed(stacks: Stacks, folder: Path) -> None:
    tried = 0
    for account in stacks:
        for name, edit in parts(json.loads(key_of(stacks, account)["policy"])):
            assert "BB504" in found(edited(stacks, account, edit), folder), f"{account}: {name}"
            tried += 1
    assert tried > 50


def test_a_role_that_may_not_use_the_key_is_said(stacks: Stacks, folder: Path) -> None:
    changed = copy.deepcopy(stacks)
    for name, role_policy in changed["shared"]["resource"]["aws_iam_role_policy"].items():
        if "delivery-service_on-event_role-policy" in name:
            document = json.loads(role_policy["policy"])
            document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != "Key"]
            role_policy["policy"] = json.dumps(document)
    messages = found(changed, folder)["BB504"]
    words = "shop-delivery-service-on-event-eu-central-1 may not kms:Decrypt with arn:aws:kms:"
    assert messages
    assert all(words in message for message in messages)


def test_a_key_of_another_account_is_a_note_with_what_to_do(folder: Path) -> None:
    document = yaml.safe_load(EXAMPLES["all-features"].read_text())
    del document["accounts"]["shared"]["kms_key"]
    messages = found(synthesize(parse(yaml.safe_dump(document)), folder / "other"), folder / "other")
    (message,) = messages["BB505"]
    assert "key/00000000-0000-0000-0000-000000000001, a key of another account" in message
    assert "`backbone key-policy shared`" in message


@pytest.mark.parametrize("key_account", ["111111111111", "333333333333"])
@pytest.mark.parametrize("reports", [False, True])
@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("partition", [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_aws_accepts_the_policy(partition: tuple[str, str], archive: bool, reports: bool, key_account: str) -> None:
    place = Place(*partition, "111111111111")
    use = KeyUse(place, ["shop-global", "shop-orders"], archive=archive, reports=reports)
    documents: list[Json] = [policy(use), {"Statement": statements(use, key_account=key_account)}]
    for document in documents:
        read = read_policy("key", document, KEY, resource=place.arn("kms", "key/1"))
        assert [*read.problems, *check_policy(read)] == []
        sids = [one["Sid"] for one in document["Statement"]]
        assert len(sids) == len({*sids})
        assert all(one.isalnum() for one in sids)
