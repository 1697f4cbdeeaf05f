"""Resources that exist already at AWS, as import blocks: a backbone that was made by hand comes in without a gap."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from backbone.aws.arn import Arn
from backbone.errors import MachineError
from backbone.system.terraform import Block, Configuration, Provider, load

__all__ = ["FILE_NAME", "Adoption", "AwsError", "Found", "adopt", "session_of", "write"]

FILE_NAME = "adopt.tf.json"
"""The file beside a stack's JSON that has its import blocks."""

ABSENT = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchEntity",
    "NoSuchEntityException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}
"""The error codes by which AWS says that something is not there."""


class AwsError(MachineError):
    """AWS cannot be asked: credentials, permissions or the network."""


@dataclass(frozen=True)
class Found:
    """A resource of a stack that exists at AWS, and the id by which Terraform imports it."""

    stack: str
    address: str
    id: str


@dataclass(frozen=True)
class Adoption:
    """What exists, and what is beside it that no stack makes."""

    found: tuple[Found, ...]
    warnings: tuple[str, ...]


DENIED = {"AccessDenied", "AccessDeniedException"}

Values = Mapping[str, Any]
Ask = Callable[[boto3.Session, Callable[[str], Any]], str | None]


def adopt(folder: Path, session: Callable[[Provider], boto3.Session] | None = None) -> Adoption:
    """Ask AWS which resources of the stacks in a folder exist, by their names; nothing is changed.

    AwsError when an account cannot be asked. `session` gives the credentials of a provider's account.
    """
    configuration = load(folder)
    open_session = session or session_of
    sessions = {(provider.stack, provider.alias): open_session(provider) for provider in configuration.providers}
    found, warnings = [], []
    for block in configuration:
        if block.type not in ASKS:
            continue
        here = sessions[block.stack, block.account]
        try:
            known = _ask(configuration, block, here)
        except _HiddenError as error:
            warnings.append(f"{block.id}: {error}")
            continue
        if known is None:
            continue
        found.append(Found(block.stack, block.address, known))
        warnings += [f"{block.id}: {words}" for words in _beside(configuration, block, here)]
    return Adoption(tuple(found), tuple(warnings))


def write(adoption: Adoption, folder: Path) -> list[Path]:
    """Write the import blocks beside the stacks; those of an earlier run are replaced. Returns the files."""
    for old in folder.glob(f"stacks/*/{FILE_NAME}"):
        old.unlink()
    by_stack: dict[str, list[dict[str, str]]] = defaultdict(list)
    for one in adoption.found:
        by_stack[one.stack].append({"to": one.address, "id": one.id})
    files = []
    for stack, imports in by_stack.items():
        files.append(folder / "stacks" / stack / FILE_NAME)
        files[-1].write_text(json.dumps({"import": imports}, indent=2) + "\n", encoding="utf-8")
    return files


def session_of(provider: Provider) -> boto3.Session:
    """Credentials as the provider would take them: its role, its profile, or those of the environment.

    AwsError when they are not those of the provider's account.
    """
    region, account_id = provider.place.region, provider.place.account_id
    roles = provider.body.get("assume_role") or []
    try:
        session = boto3.Session(profile_name=provider.body.get("profile"), region_name=region)
        for role in roles:
            name = role.get("session_name", "backbone")
            given = session.client("sts").assume_role(RoleArn=role["role_arn"], RoleSessionName=name)["Credentials"]
            session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region)
        there = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise AwsError(f"{provider.id}: account {account_id} cannot be asked: {error}") from None
    if there != account_id:
        raise AwsError(f"{provider.id}: the credentials are of the account {there}; allowed: those of {account_id}")
    return session


class _HiddenError(Exception):
    """A bus of another account does not let it be asked for what is on it."""


def _ask(configuration: Configuration, block: Block, session: boto3.Session) -> str | None:
    try:
        return ASKS[block.type](session, lambda name: configuration.value(block, name))
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        bus = _bus_arn(configuration, block)
        if error.response["Error"]["Code"] in DENIED and bus and Arn.parse(bus).account_id != block.place.account_id:
            words = f"{bus} does not let it be asked for, so that it is taken not to exist; let the owner add what"
            raise _HiddenError(f"{words} `backbone bus-policy` prints, if it does") from None
        raise AwsError(f"{block.id}: AWS was asked for it and said: {error}") from None
    except BotoCoreError as error:
        raise AwsError(f"{block.id}: AWS cannot be asked for it: {error}") from None


def _bus(session: boto3.Session, value: Callable[[str], Any]) -> str:
    return str(session.client("events").describe_event_bus(Name=value("name"))["Name"])


def _bus_policy(session: boto3.Session, value: Callable[[str], Any]) -> str | None:
    bus = session.client("events").describe_event_bus(Name=value("event_bus_name"))
    return bus["Name"] if bus.get("Policy") else None


def _rule(session: boto3.Session, value: Callable[[str], Any]) -> str:
    bus, name = value("event_bus_name"), value("name")
    session.client("events").describe_rule(Name=name, EventBusName=bus)
    return f"{bus}/{name}"


def _target(session: boto3.Session, value: Callable[[str], Any]) -> str | None:
    bus, rule, name = value("event_bus_name"), value("rule"), value("target_id")
    return f"{bus}/{rule}/{name}" if name in _target_ids(session, bus, rule) else None


def _target_ids(session: boto3.Session, bus: str, rule: str) -> list[str]:
    pages = session.client("events").get_paginator("list_targets_by_rule").paginate(Rule=rule, EventBusName=bus)
    return [target["Id"] for page in pages for target in page["Targets"]]


def _archive(session: boto3.Session, value: Callable[[str], Any]) -> str:
    return str(session.client("events").describe_archive(ArchiveName=value("name"))["ArchiveName"])


def _log_group(session: boto3.Session, value: Callable[[str], Any]) -> str | None:
    name = value("name")
    pages = session.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return next((name for page in pages for group in page["logGroups"] if group["logGroupName"] == name), None)


def _logs_policy(session: boto3.Session, value: Callable[[str], Any]) -> str | None:
    pages = session.client("logs").get_paginator("describe_resource_policies").paginate()
    name = value("policy_name")
    return next((name for page in pages for policy in page["resourcePolicies"] if policy["policyName"] == name), None)


def _queue(session: boto3.Session, value: Callable[[str], Any]) -> str:
    return session.client("sqs").get_queue_url(QueueName=value("name"))["QueueUrl"]


def _queue_policy(session: boto3.Session, value: Callable[[str], Any]) -> str | None:
    client = session.client("sqs")
    url = client.get_queue_url(QueueName=str(value("queue_url")).rpartition("/")[2])["QueueUrl"]
    return url if client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes") else None


def _role(session: boto3.Session, value: Callable[[str], Any]) -> str:
    return session.client("iam").get_role(RoleName=value("name"))["Role"]["RoleName"]


def _role_policy(session: boto3.Session, value: Callable[[str], Any]) -> str:
    role, name = value("role"), value("name")
    session.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return f"{role}:{name}"


ASKS: dict[str, Ask] = {
    "aws_cloudwatch_event_archive": _archive,
    "aws_cloudwatch_event_bus": _bus,
    "aws_cloudwatch_event_bus_policy": _bus_policy,
    "aws_cloudwatch_event_rule": _rule,
    "aws_cloudwatch_event_target": _target,
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_log_resource_policy": _logs_policy,
    "aws_iam_role": _role,
    "aws_iam_role_policy": _role_policy,
    "aws_sqs_queue": _queue,
    "aws_sqs_queue_policy": _queue_policy,
}
"""How AWS is asked for a resource of each type; the answer is the id by which it is imported."""


def _beside(configuration: Configuration, block: Block, session: boto3.Session) -> Iterator[str]:
    """What an adopted bus or rule has that no stack makes: it stays, and works on."""
    if block.type == "aws_cloudwatch_event_bus":
        name = configuration.value(block, "name")
        made = {  # by whichever account and stack
            configuration.value(rule, "name")
            for rule in configuration.of("aws_cloudwatch_event_rule")
            if _bus_arn(configuration, rule) == block.place.bus(name)
        }
        pages = session.client("events").get_paginator("list_rules").paginate(EventBusName=name)
        for rule in sorted({rule["Name"] for page in pages for rule in page["Rules"]} - made):
            yield f"the bus has a rule {rule} that no stack makes: it stays, and delivers beside the others"
    if block.type == "aws_cloudwatch_event_rule":
        name, bus = configuration.value(block, "name"), configuration.value(block, "event_bus_name")
        ids = {
            configuration.value(other, "target_id")
            for other in configuration.of("aws_cloudwatch_event_target")
            if (configuration.value(other, "rule"), _bus_arn(configuration, other))
            == (name, _bus_arn(configuration, block))
        }
        for other in sorted({*_target_ids(session, bus, name)} - ids):
            yield f"the rule has a target {other} that no stack makes: it stays, and gets every event beside the others"


def _bus_arn(configuration: Configuration, block: Block) -> str | None:
    """The ARN of the bus that a block is on; None for a block that is on none."""
    bus = configuration.value(block, "event_bus_name")
    return None if bus is None else bus if bus.startswith("arn:") else block.place.bus(bus)
