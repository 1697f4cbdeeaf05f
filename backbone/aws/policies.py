"""IAM documents as plain dicts, sorted, so that the order of what the user wrote never shows.

A principal is an account's root, never a role: AWS refuses a policy that names a role which does not exist
yet, and roles of other accounts are made later. `aws:PrincipalArn` narrows the root to the role instead.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backbone.aws.arn import Place
from backbone.aws.limits import BUS_POLICY_CHARACTERS

__all__ = [
    "BY_ACCOUNT",
    "EVENTS",
    "SNS",
    "Document",
    "Publisher",
    "admitting",
    "allow",
    "document",
    "event_logs",
    "forwarding_trust",
    "function",
    "global_bus",
    "global_bus_choices",
    "local_bus",
    "put_events",
    "put_records",
    "queue",
    "read_stream",
    "to_json",
    "trust",
    "values",
]

Document = dict[str, Any]
EVENTS, SNS = "events.amazonaws.com", "sns.amazonaws.com"


def to_json(document: Mapping[str, Any]) -> str:
    """The document as compact JSON with sorted keys: equal documents are equal texts."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def document(*statements: Mapping[str, Any]) -> Document:
    """The document of some statements."""
    return {"Statement": sorted(statements, key=to_json), "Version": "2012-10-17"}


def values(given: Iterable[str]) -> str | list[str]:
    """Sorted values without duplicates; a single value is not in a list, which is how AWS returns it."""
    distinct = sorted(set(given))
    return distinct[0] if len(distinct) == 1 else distinct


@dataclass(frozen=True)
class Publisher:
    """An account that may put events on the global bus: by source, the detail-types that it may put under it.

    Without any detail-types it may put events of every type.
    """

    place: Place
    events: Mapping[str, Sequence[str]]

    @property
    def sources(self) -> list[str]:
        """All sources."""
        return sorted(self.events)

    @property
    def detail_types(self) -> list[str]:
        """The detail-types of all sources."""
        return sorted({detail_type for detail_types in self.events.values() for detail_type in detail_types})

    @property
    def apart(self) -> list[Publisher]:
        """The same, divided so that each source has its own detail-types only."""
        alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for source, detail_types in sorted(self.events.items()):
            alike[tuple(sorted(set(detail_types)))].append(source)
        return [Publisher(self.place, dict.fromkeys(sources, types)) for types, sources in alike.items()]


BY_ACCOUNT = "each account to its own sources"
"""What a policy pins that has a statement for each account."""


OWN_RULES = (
    *("DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "ListTagsForResource", "ListTargetsByRule"),
    *("PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource"),
)
"""What it takes to have a rule on another account's bus (EventBridge user guide, "Permissions for event buses")."""


def own_rules(owner: Place, rule_arns: Iterable[str]) -> Document:
    """A statement of a bus's policy that lets another account make and change some rules, which nobody else made.

    A rule that is not there yet has no creator, so the condition must hold only if it has.
    """
    return {
        "Action": [f"events:{operation}" for operation in OWN_RULES],
        "Condition": {"StringEqualsIfExists": {"events:creatorAccount": owner.account_id}},
        "Effect": "Allow",
        "Principal": {"AWS": owner.root},
        "Resource": values(rule_arns),
        "Sid": f"Rules{owner.account_id}",
    }


def global_bus_choices(
    bus_arn: str,
    publishers: Sequence[Publisher],
    *,
    organization_id: str | None,
    others: Sequence[Document] = (),
) -> list[tuple[str, Document]]:
    """The possible policies of the global bus, each with what it pins in words, from the strictest to the shortest.

    The first has a statement for each account and those of its sources that have the same detail-types, the next a
    statement for each account. With an organization others follow that admit it as a whole: there an account can
    publish under the source of another account's service. Each has the statements `others` as well.
    """
    if not publishers:
        return [(BY_ACCOUNT, document(*others))]
    organization = {"aws:PrincipalOrgID": organization_id} if organization_id else {}

    def statement(sid: str, principal: str, sources: Iterable[str], detail_types: Iterable[str]) -> Document:
        equal: dict[str, Any] = dict(organization)
        if sources := list(sources):
            equal["events:source"] = values(sources)
        if detail_types := list(detail_types):
            equal["events:detail-type"] = values(detail_types)
        return {
            "Action": "events:PutEvents",
            "Condition": {"StringEquals": equal},
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Resource": bus_arn,
            "Sid": sid,
        }

    def of(one: Publisher, more: str = "") -> Document:
        return statement(f"Account{one.place.account_id}{more}", one.place.root, one.sources, one.detail_types)

    each = [of(publisher) for publisher in publishers]
    apart = [
        of(part, f"Source{number + 1}" if number else "")
        for publisher in publishers
        for number, part in enumerate(publisher.apart)
    ]
    choices = [("each source to its own detail-types", document(*others, *apart))] if len(apart) > len(each) else []
    choices.append((BY_ACCOUNT, document(*others, *each)))
    if organization_id:
        sources = [source for publisher in publishers for source in publisher.sources]
        detail_types = [detail_type for publisher in publishers for detail_type in publisher.detail_types]
        if all(publisher.detail_types for publisher in publishers):
            both = statement("Organization", "*", sources, detail_types)
            choices.append(("the organization to all sources and detail-types", document(*others, both)))
        choices.append(
            ("the organization to all sources", document(*others, statement("Organization", "*", sources, ())))
        )
        choices.append(("the organization alone", document(*others, statement("Organization", "*", (), ()))))
    return choices


def global_bus(
    bus_arn: str,
    publishers: Sequence[Publisher],
    *,
    organization_id: str | None,
    others: Sequence[Document] = (),
) -> Document | None:
    """The strictest policy of the global bus that is not too long for AWS; None when nobody publishes.

    Sources are pinned with `StringEquals`: `ForAllValues:` would be true for a request without the key.
    """
    if not publishers and not others:
        return None
    choices = global_bus_choices(bus_arn, publishers, organization_id=organization_id, others=others)
    fitting = (document for _, document in choices if len(to_json(document)) <= BUS_POLICY_CHARACTERS)
    return next(fitting, choices[-1][1])


def local_bus(bus_arn: str, roles: Mapping[str, Place]) -> Document:
    """Lets roles put events on a local bus, and nobody else; they are of the accounts of global buses."""
    return document(
        *(
            {
                "Action": "events:PutEvents",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": role_arn}},
                "Effect": "Allow",
                "Principal": {"AWS": forwarder.root},
                "Resource": bus_arn,
                "Sid": f"Forwarding{number or ''}",
            }
            for number, (role_arn, forwarder) in enumerate(roles.items())
        )
    )


def put_events(bus_arn: str, *, source: str | None = None, detail_types: Iterable[str] = ()) -> Document:
    """Lets an identity put events on a bus: all events, or those with a source and with some detail-types."""
    statement: Document = {"Action": "events:PutEvents", "Effect": "Allow", "Resource": bus_arn}
    if source is not None:
        equal = {"events:detail-type": values(detail_types), "events:source": source}
        statement["Condition"] = {"StringEquals": equal}
    return document(statement)


def allow(actions: Iterable[str], *resources: str) -> Document:
    """Lets an identity perform actions on resources."""
    return document({"Action": values(actions), "Effect": "Allow", "Resource": values(resources)})


def put_records(stream_arn: str, *, kms_key: str | None, place: Place) -> Document:
    """Lets an identity put records on a Kinesis stream of its place, which a key may encrypt."""
    actions = ["kinesis:PutRecord", "kinesis:PutRecords"]
    if kms_key is None:
        return allow(actions, stream_arn)
    # A producer needs the key itself (Kinesis developer guide, "Permissions to use user-generated KMS keys").
    return document(
        {"Action": actions, "Effect": "Allow", "Resource": stream_arn, "Sid": "Put"},
        {
            "Action": "kms:GenerateDataKey",
            "Condition": {"StringEquals": {"kms:ViaService": f"kinesis.{place.region}.{place.dns_suffix}"}},
            "Effect": "Allow",
            "Resource": kms_key,
            "Sid": "Key",
        },
    )


READ_STREAM = {
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator"),
    "kinesis": ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"),
}
"""What Lambda calls with a function's role (Lambda developer guide, "Using Lambda with DynamoDB", "… with Kinesis")."""


def read_stream(arn: str, *, service: Literal["dynamodb", "kinesis"]) -> Document:
    """Lets the role of a function be used by Lambda to read a stream for it."""
    read = {
        "Action": [f"{service}:{operation}" for operation in READ_STREAM[service]],
        "Effect": "Allow",
        "Resource": arn,
        "Sid": "Read",
    }
    # No resource can be named for this (service authorization reference, Amazon DynamoDB).
    find = {"Action": "dynamodb:ListStreams", "Effect": "Allow", "Resource": "*", "Sid": "Find"}
    return document(read, find) if service == "dynamodb" else document(read)


def trust(service: str) -> Document:
    """Lets an AWS service assume a role. `service` is its principal, such as `lambda.amazonaws.com`."""
    return document({"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": service}})


def function(*, log_group_arn: str, failures_arn: str, kms_key: str | None) -> Document:
    """What the role of every function may do: log, trace, and send failed events to the failure queue."""
    statements: list[Document] = [
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": f"{log_group_arn}:*",
            "Sid": "Log",
        },
        # X-Ray has no resources that these actions could name (service authorization reference, AWS X-Ray).
        {
            "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
            "Effect": "Allow",
            "Resource": "*",
            "Sid": "Trace",
        },
        {"Action": "sqs:SendMessage", "Effect": "Allow", "Resource": failures_arn, "Sid": "Fail"},
    ]
    if kms_key:
        keys = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append({"Action": keys, "Effect": "Allow", "Resource": kms_key, "Sid": "Key"})
    return document(*statements)


def forwarding_trust(*, account_id: str | None, rule_arn: str) -> Document:
    """Lets EventBridge assume a role for a rule, and for no other rule; `account_id` is that of the rule, if known."""
    account = {"StringEquals": {"aws:SourceAccount": account_id}} if account_id else {}
    return document(
        {
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}, **account},
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
        }
    )


def queue(queue_arn: str, *, source_arn: str) -> Document:
    """Lets EventBridge send to a queue for a rule or a bus, and for no other."""
    return admitting("sqs:SendMessage", queue_arn, {EVENTS: [source_arn]})


def admitting(action: str, arn: str, sources: Mapping[str, Iterable[str]]) -> Document:
    """Lets services do something to a resource, each for what some ARNs name: a rule, a bus or a topic."""
    statements = [
        {
            "Action": action,
            "Condition": {"ArnEquals": {"aws:SourceArn": values(source_arns)}},
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Resource": arn,
        }
        for service, source_arns in sources.items()
    ]
    return document(*statements)


def event_logs(place: Place, *, vended: bool) -> Document:
    """Lets EventBridge write to every log group of an account below /aws/events/.

    It serves all rules, since an account has at most 10 such policies in a region (CloudWatch Logs quotas). With
    `vended`, the reports of buses may be written as well.
    """
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    statements: list[Document] = [
        {
            "Action": actions,
            "Effect": "Allow",
            "Principal": {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]},
            "Resource": place.arn("logs", "log-group:/aws/events/*:*"),
            "Sid": "Events",
        }
    ]
    if vended:
        statements.append(
            {
                "Action": actions,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": place.arn("logs", "*")},
                    "StringEquals": {"aws:SourceAccount": place.account_id},
                },
                "Effect": "Allow",
                "Principal": {"Service": "delivery.logs.amazonaws.com"},
                "Resource": place.arn("logs", "log-group:/aws/vendedlogs/events/event-bus/*:log-stream:*"),
                "Sid": "BusReports",
            }
        )
    return document(*statements)
