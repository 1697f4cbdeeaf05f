"""The permissions boundary: the most that a role which a deployment makes can ever do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.facts import Facts
from backbone.system.iam import MANAGED, Identity, Policy, authorize, read_policy
from backbone.system.iam.catalogue import service
from backbone.system.terraform import Block

__all__ = ["beyond", "boundary", "granted"]

NEVER = ("account", "iam", "organizations", "sso", "sts")
"""Services that no function needs and that would let it out of its boundary."""

DATA: dict[str, tuple[str, str, str]] = {
    "Functions": ("lambda", "InvokeFunction", "function:{}"),
    "Logs": ("logs", "CreateLogStream PutLogEvents", "log-group:/aws/lambda/{}:*"),
    "Partners": ("events", "InvokeApiDestination", "api-destination/{}"),
    "Queues": (
        "sqs",
        "ChangeMessageVisibility DeleteMessage GetQueueAttributes GetQueueUrl ReceiveMessage SendMessage",
        "{}",
    ),
    "Streams": (
        "kinesis",
        "DescribeStream DescribeStreamSummary GetRecords GetShardIterator ListShards PutRecord PutRecords",
        "stream/{}",
    ),
    "Tables": (
        "dynamodb",
        "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem DescribeStream GetItem GetRecords GetShardIterator "
        "PutItem Query Scan UpdateItem",
        "table/{}",
    ),
}
"""What functions and rules do with what is theirs, by service: actions, and the resource by the backbone's prefix."""


def boundary(facts: Facts, account: str) -> list[Document]:
    """The statements of an account's boundary: work with what has the backbone's prefix, and what the stacks grant.

    What the roles of the stacks may do beyond that is added statement by statement, so that it is reviewed where it is
    written. Nothing of `NEVER` is: a role that is granted it is stopped by the boundary, and `backbone check` says so.
    """
    statements = list(_base(facts, account))
    given = {to_json(statement): statement for _, statement in granted(facts, account)}
    for text in sorted(given):
        inside = read_policy("boundary", {"Statement": statements, "Version": "2012-10-17"}, MANAGED)
        if actions := [action for action in beyond(inside, given[text]) if not _never(action, given[text])]:
            kept = {key: value for key, value in given[text].items() if key != "Action"}
            sid = f"Granted{len(statements)}"
            statements.append({**kept, "Action": actions, "Sid": sid})
    return statements


def granted(facts: Facts, account: str) -> Iterator[tuple[Block, Document]]:
    """The statements that allow something to roles of the stacks in an account, without their ids, and their blocks."""
    for block in facts.configuration.of("aws_iam_role_policy"):
        if block.account != account:
            continue
        for statement in _list(json.loads(facts.configuration.value(block, "policy")).get("Statement")):
            if statement.get("Effect") == "Allow" and "Action" in statement and "Resource" in statement:
                yield block, {key: value for key, value in statement.items() if key != "Sid"}


def beyond(limit: Policy, statement: Document) -> list[str]:
    """The actions of a statement that a boundary does not allow on all of the statement's resources."""
    return [
        action
        for action in _list(statement["Action"])
        if not all(
            _inside(limit, each, resource) for each in _actions(action) for resource in _list(statement["Resource"])
        )
    ]


def _inside(limit: Policy, action: str, resource: str) -> bool:
    """Whether a boundary alone does not stop an action on a resource, whatever else the request is like."""
    owner = "".join(resource.split(":")[4:5]) or "000000000000"
    anyone = Identity(f"arn:aws:iam::{owner}:role/any", owner, policies=(limit,))
    return bool(authorize(anyone, action, resource, owner=owner, context={}, ahead=True))


def _never(action: str, statement: Document) -> bool:
    """Whether the boundary leaves an action out. Named roles may be given to tasks of ECS, which rules start."""
    tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    named = not any("*" in resource for resource in _list(statement["Resource"]))
    if action == "iam:PassRole" and statement.get("Condition") == tasks and named:
        return False
    return action.partition(":")[0] in ("*", *NEVER)


def _base(facts: Facts, account: str) -> Iterator[Document]:
    place, names = facts.place(account), f"{facts.declared.backbone}-*"
    for sid, (prefix, actions, resource) in DATA.items():
        yield {
            "Action": [f"{prefix}:{action}" for action in actions.split()],
            "Effect": "Allow",
            "Resource": place.arn(prefix, resource.replace("{}", names)),
            "Sid": sid,
        }
    yield {
        "Action": "events:PutEvents",
        "Effect": "Allow",
        "Resource": [place.bus(names), *(bus.arn for bus in facts.declared.buses)],
        "Sid": "Publish",
    }
    # No resource can be named for these.
    yield {
        "Action": ["dynamodb:ListStreams", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        "Effect": "Allow",
        "Resource": "*",
        "Sid": "WithoutResource",
    }
    if any(account == bus.account for bus in facts.declared.buses):
        yield _forwarding(facts)
    # Keys that the backbone makes have ids of AWS; the roles' own policies name those that they may use.
    keys = facts.keys(account) or (place.arn("kms", "key/*"),)
    if account in facts.declared.keys:
        yield {
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Condition": {"StringLike": {"kms:ViaService": f"*.{place.region}.{place.dns_suffix}"}},
            "Effect": "Allow",
            "Resource": list(keys),
            "Sid": "Keys",
        }


def _forwarding(facts: Facts) -> Document:
    """The local buses in all accounts: those of an organization, or of the accounts that are declared."""
    declared, organization = facts.declared, facts.deployment.organization_id
    named = f"arn:{declared.partition}:events:{declared.region}:*:event-bus/{declared.backbone}-*"
    whose = (
        {"aws:ResourceOrgID": organization}
        if organization
        else {"aws:ResourceAccount": sorted(declared.accounts.values())}
    )
    return {
        "Action": "events:PutEvents",
        "Condition": {"StringEquals": whose},
        "Effect": "Allow",
        "Resource": named,
        "Sid": "Forward",
    }


def _actions(action: str) -> list[str]:
    """The actions that a name with wildcards stands for."""
    prefix, _, name = action.partition(":")
    known = service(prefix)
    return [each.name for each in known.matching(name)] if known else [action]


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]
