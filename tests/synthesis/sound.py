"""What holds for the Terraform of any backbone, by what its file declares."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from backbone.aws.policies import to_json
from tests.documents import Declared, DeclaredBus
from tests.synthesis import DOCUMENTS, REFERENCE, Json, Resource, Stacks, resources, strings

__all__ = ["check_all", "forwarding_path", "hub_path"]

LONGEST = {"aws_cloudwatch_log_resource_policy": 5_120, "aws_kms_key": 32_768}


def hub_path(hub: str) -> str:
    """Where the resources of a global bus are."""
    return "global-bus" if hub == "global" else f"buses/{hub}"


def forwarding_path(hub: str, service: str) -> str:
    """Where the resources are by which a global bus forwards to a service."""
    return f"forwarding/{service}" if hub == "global" else f"forwarding-{hub}/{service}"


def expected_account(one: Resource, declared: Declared) -> str | None:
    """The account that a resource belongs to, by the words of its path."""
    match one.path.split("/"):
        case ["accounts", account, *_]:
            return account
        case ["services", service, *_]:
            return str(declared.services[service]["account"])
        case ["buses", hub, *_]:
            return declared.hubs[hub].account
        case ["forwarding", service, *_]:
            return declared.rule_account(service, "global")
        case [forwarding, service, *_] if forwarding.startswith("forwarding-"):
            return declared.rule_account(service, forwarding.removeprefix("forwarding-"))
        case _:
            return declared.hubs["global"].account


def expected_stacks(one: Resource, declared: Declared) -> set[str]:
    """The stacks that may have a resource, by the words of its path."""
    if declared.document.get("layout") != "per-account":
        return {"backbone"}
    account = str(expected_account(one, declared))
    match one.path.split("/"):
        case ["accounts", *_]:
            return {account, f"{account}_buses"}
        case ["buses", *_]:
            return {f"{account}_buses"}
        case [forwarding, *_] if forwarding.startswith("forwarding-"):
            is_owned = declared.owns_rules(forwarding.removeprefix("forwarding-"))
            return {account if is_owned else f"{account}_buses"}
        case _:
            return {account}


def check_all(document: Json, stacks: Stacks) -> None:
    """Every property of one backbone's stacks that needs no other to compare with."""
    declared, found = Declared(document), resources(stacks)
    # An account with two stacks has in each what belongs to the account; all else is there once.
    addresses = Counter((one.stack if one.path.startswith("accounts/") else "", one.address) for one in found)
    assert {*addresses.values()} <= {1}
    for one in found:
        assert one.stack in expected_stacks(one, declared), one.address
        assert one.account == expected_account(one, declared), one.address
        assert f"aws.{one.account}" == one.body["provider"]
        aliases = {each["alias"] for each in stacks[one.stack]["provider"]["aws"]}
        assert one.account in aliases
        check_references(one, stacks[one.stack])
        for key in DOCUMENTS:
            if key in one.body:
                check_document(one.document(key), one.body[key], one)
        if one.kind == "aws_cloudwatch_log_group":
            assert one.body["retention_in_days"] in (7, 30, 90)
        if one.kind == "aws_cloudwatch_event_target":
            check_target(one, found)
    check_names(found)
    check_forwarding(declared, stacks)


def check_references(one: Resource, document: Json) -> None:
    known = document["resource"]
    for text in strings({key: value for key, value in one.body.items() if key != "//"}):
        if "${" in text:
            for kind, name, _ in REFERENCE.findall(text):
                assert name in known[kind], text
            assert "${" not in REFERENCE.sub("", text), text
    for address in one.body.get("depends_on", []):
        kind, _, name = address.partition(".")
        assert name in known[kind]


def check_document(document: Json, text: str, one: Resource) -> None:
    assert text == to_json(document), "sorted and compact"
    if "Statement" not in document:
        assert len(text) <= 2_048
        return
    assert len(text) <= LONGEST.get(one.kind, 10_240)
    assert document["Statement"]
    for statement in document["Statement"]:
        equal = statement.get("Condition", {}).get("StringEquals", {})
        if "*" in strings_of(statement.get("Principal", {})):
            assert "aws:PrincipalOrgID" in equal
        assert "*" not in strings_of(statement["Action"])
        service = statement.get("Principal", {}).get("Service")
        if service == "lambda.amazonaws.com":
            assert statement["Action"] == "sts:AssumeRole"  # Lambda names no source when it assumes a role
        elif service and one.kind == "aws_kms_key":
            assert "Condition" in statement or statement["Action"] == "kms:DescribeKey"
        elif service and one.kind != "aws_cloudwatch_log_resource_policy":
            assert "aws:SourceArn" in json.dumps(statement["Condition"])


def strings_of(value: Any) -> list[str]:
    return list(strings(value))


def check_target(target: Resource, found: list[Resource]) -> None:
    """Its dead letters go to an encrypted queue that lets this rule send, before the target is made."""
    ((kind, name, _),) = REFERENCE.findall(target.body["dead_letter_config"]["arn"])
    assert kind == "aws_sqs_queue"
    (queue,) = [one for one in found if one.kind == kind and one.name == name and one.stack == target.stack]
    assert queue.body["message_retention_seconds"] == 1_209_600
    assert queue.body.get("sqs_managed_sse_enabled") or queue.body["kms_master_key_id"]
    policies = [
        one
        for one in found
        if one.kind == "aws_sqs_queue_policy" and REFERENCE.findall(one.body["queue_url"])[0][1] == name
    ]
    (statement,) = policies[0].document("policy")["Statement"]
    ((_, rule, _),) = REFERENCE.findall(target.body["rule"])
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == f"${{aws_cloudwatch_event_rule.{rule}.arn}}"
    assert policies[0].address in target.body["depends_on"]
    retry = target.body["retry_policy"]
    assert 60 <= retry["maximum_event_age_in_seconds"] <= 86_400
    assert 0 <= retry["maximum_retry_attempts"] <= 185


def check_names(found: list[Resource]) -> None:
    """No two resources of a type have one name in an account."""
    named = Counter(
        (one.kind, one.account, one.body.get("name") or one.body.get("policy_name"))
        for one in found
        if one.kind != "aws_iam_role_policy" and ("name" in one.body or "policy_name" in one.body)
    )
    assert not [key for key, count in named.items() if count > 1]


def check_forwarding(declared: Declared, stacks: Stacks) -> None:
    """What two accounts say of each other agrees, though neither refers to the other's resources."""
    found = {one.path: one for one in resources(stacks)}
    ways = set()
    for service in declared.services:
        local, made = declared.local_bus(service), found.get(f"services/{service}/bus/Default")
        assert (made.body["name"] if made else None) == (local.name if local and local.is_made else None)
        forwarded = [hub for hub in declared.hubs_of(service) if f"{forwarding_path(hub, service)}/target" in found]
        for hub in declared.hubs_of(service) if local else ():
            assert declared.has_rule(service, hub) in (None, hub in forwarded)
        for hub in forwarded:
            assert local
            check_way(declared, service, hub, local, found)
        policy = found.get(f"services/{service}/bus/policy")
        forwarders = [hub for hub in declared.hubs_of(service) if not declared.owns_rules(hub)]
        assert (policy is not None) is (made is not None and forwarders != [])
        if policy and local:
            check_local_policy(declared, service, local, forwarders, policy)
        ways |= {f"{forwarding_path(hub, service)}/Default" for hub in forwarded}
    assert {path for path in found if re.fullmatch(r"forwarding(-[^/]*)?/[^/]*/Default", path)} == ways


def check_way(declared: Declared, service: str, hub: str, local: DeclaredBus, found: dict[str, Resource]) -> None:
    """A rule on a global bus hands events to a role that may put them on a service's local bus, and nothing else."""
    path, bus, account = forwarding_path(hub, service), declared.hubs[hub], declared.rule_account(service, hub)
    target, role, rule = found[f"{path}/target"], found[f"{path}/role"], found[f"{path}/Default"]
    assert target.body["arn"] == local.arn
    (allowed,) = found[f"{path}/role-policy"].document("policy")["Statement"]
    assert (allowed["Action"], allowed["Resource"]) == ("events:PutEvents", local.arn)
    (trust,) = role.document("assume_role_policy")["Statement"]
    is_elsewhere = account != bus.account
    whose = {} if is_elsewhere else {"aws:SourceAccount": bus.account_id}
    assert trust["Condition"].get("StringEquals", {}) == whose
    assert trust["Condition"]["ArnEquals"] == {"aws:SourceArn": f"${{{rule.address}.arn}}"}
    assert (rule.body["event_bus_name"] == bus.arn) is is_elsewhere
    if is_elsewhere and bus.is_made:
        check_owner(declared, account, bus, found[f"{hub_path(hub)}/policy"], rule)
    policy = found.get(f"services/{service}/bus/policy")
    if policy and policy.stack == target.stack:
        assert policy.address in target.body["depends_on"]


def check_local_policy(
    declared: Declared, service: str, local: DeclaredBus, forwarders: list[str], policy: Resource
) -> None:
    """A local bus admits the roles of the rules that other accounts have, and nobody else."""
    admitted = []
    for statement in policy.document("policy")["Statement"]:
        assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", local.arn)
        roles = strings_of(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"])
        assert {role.rpartition(":role/")[0] for role in roles} == {statement["Principal"]["AWS"].rpartition(":")[0]}
        admitted += [role.partition("::")[2] for role in roles]
    called = declared.called(service)
    names = {hub: called if hub == "global" else f"{hub}_{called}" for hub in forwarders}
    assert sorted(admitted) == sorted(
        f"{declared.hubs[hub].account_id}:role/{declared.document['name']}-forward-{name}-eu-west-1"
        for hub, name in names.items()
    )


def check_owner(declared: Declared, account: str, bus: DeclaredBus, policy: Resource, rule: Resource) -> None:
    """The global bus lets a service's account have this rule, and no rule that another account made."""
    account_id = declared.account_id(account)
    (statement,) = [one for one in policy.document("policy")["Statement"] if one["Sid"] == f"Rules{account_id}"]
    name = rule.body["name"]
    assert f"arn:aws:events:eu-west-1:{bus.account_id}:rule/{bus.name}/{name}" in strings_of(statement["Resource"])
    assert statement["Principal"]["AWS"] == f"arn:aws:iam::{account_id}:root"
    assert statement["Condition"] == {"StringEqualsIfExists": {"events:creatorAccount": account_id}}
    assert {"events:PutRule", "events:PutTargets", "events:RemoveTargets"} < set(statement["Action"])
    assert rule.stack != policy.stack or policy.address in rule.body["depends_on"]
