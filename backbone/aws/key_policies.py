"""The policy of a KMS key that encrypts what a backbone has in an account: who needs the key for what, and no more.

Lambda, DynamoDB, Kinesis and EventBridge Pipes use a key on behalf of whoever calls them, with that identity's own
permissions. The key lets its account decide about these, so they need no statement; roles of functions and of targets
have the permission in their own policies.

Sources: EventBridge user guide, "Encrypting event buses", "Encrypting archives", "Encrypting event bus logs" and "Using
dead-letter queues"; SQS developer guide, "Configuring KMS permissions for AWS services"; CloudWatch Logs user guide,
"Encrypt log data"; KMS developer guide, "Default key policy".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backbone.aws.arn import Place
from backbone.aws.policies import Document, values

__all__ = ["KeyUse", "policy", "statements"]

EVENTS = "events.amazonaws.com"
LOG_DELIVERY = "delivery.logs.amazonaws.com"
WRITING = ["kms:Decrypt", "kms:GenerateDataKey"]


@dataclass(frozen=True)
class KeyUse:
    """What a key encrypts in an account: buses by name, an archive, and what the buses report of themselves.

    `default_rules` are the names of rules of the default bus whose queues are under the key, `rules_elsewhere` the ARNs
    of rules that the account has on the buses of others.
    """

    place: Place
    buses: Sequence[str]
    default_rules: Sequence[str] = ()
    rules_elsewhere: Sequence[str] = ()
    archive: bool = False
    reports: bool = False


def policy(use: KeyUse) -> Document:
    """The whole policy of a key in the account itself: its own identities by their policies, and AWS's services."""
    place = use.place
    own: Document = {
        "Action": "kms:*",
        "Effect": "Allow",
        "Principal": {"AWS": place.root},
        "Resource": "*",
        "Sid": f"Account{place.account_id}",
    }
    return {"Statement": [own, *statements(use, key_account=place.account_id)], "Version": "2012-10-17"}


def statements(use: KeyUse, *, key_account: str) -> list[Document]:
    """The statements that a key of an account must have beside those that let the account itself use it."""
    found = [*_of_event_bridge(use), _of_logs(use)]
    if use.reports:
        found += _of_reports(use)
    return [*found, *_of_another_account(use)] if key_account != use.place.account_id else found


def _of_event_bridge(use: KeyUse) -> list[Document]:
    place = use.place
    buses = [place.bus(name) for name in use.buses]
    on_default = [place.arn("events", f"rule/{name}") for name in use.default_rules]
    senders = values([*buses, *(place.rule(name, "*") for name in use.buses), *on_default])
    on_a_bus = {"kms:EncryptionContext:aws:events:event-bus:arn": values(buses)}
    of_buses = [
        # It is asked about the key when a bus is made, which has no encryption context.
        _statement("DescribeForBuses", use, EVENTS, ["kms:DescribeKey"]),
        # The context names the bus. There is no aws:SourceArn beside it when EventBridge writes to an archive.
        _statement(
            "Buses",
            use,
            EVENTS,
            [*WRITING, *(["kms:ReEncrypt*"] if use.archive else [])],
            {"StringEquals": on_a_bus},
        ),
    ]
    own = {"StringEquals": {"aws:SourceAccount": place.account_id}}
    found = of_buses if buses else []
    if senders:
        found.append(_statement("Queues", use, EVENTS, WRITING, {"ArnLike": {"aws:SourceArn": senders}, **own}))
    if use.rules_elsewhere:
        elsewhere = {"ArnLike": {"aws:SourceArn": values(use.rules_elsewhere)}}
        found.append(_statement("QueuesOfRulesElsewhere", use, EVENTS, WRITING, elsewhere))
    return found


def _of_logs(use: KeyUse) -> Document:
    place = use.place
    return _statement(
        "Logs",
        use,
        f"logs.{place.region}.{place.dns_suffix}",
        ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": place.arn("logs", "log-group:*")}},
    )


def _of_reports(use: KeyUse) -> list[Document]:
    """EventBridge encrypts the reports of a bus on their way, and log delivery decrypts them."""
    on_the_way = {"StringLike": {"kms:EncryptionContext:SourceArn": use.place.arn("logs", "*")}}
    return [
        _statement("EncryptReports", use, EVENTS, ["kms:GenerateDataKey"], on_the_way),
        _statement("DeliverReports", use, LOG_DELIVERY, WRITING, on_the_way),
    ]


def _of_another_account(use: KeyUse) -> list[Document]:
    """The account may let its identities use the key, and AWS's services keep using it for what is encrypted."""
    users = {"AWS": use.place.root}
    actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    common: Document = {"Effect": "Allow", "Principal": users, "Resource": "*"}
    grant = {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
    return [
        {"Action": actions, "Sid": _sid("Use", use)} | common,
        {"Action": "kms:CreateGrant", "Sid": _sid("Grant", use)} | common | grant,
    ]


def _statement(
    word: str, use: KeyUse, service: str, actions: Sequence[str], condition: Document | None = None
) -> Document:
    statement: Document = {
        "Action": values(actions),
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Resource": "*",
        "Sid": _sid(word, use),
    }
    return statement | ({"Condition": condition} if condition else {})


def _sid(word: str, use: KeyUse) -> str:
    """Several accounts may share a key, and no two statements an id."""
    return f"{word}{use.place.account_id}"
