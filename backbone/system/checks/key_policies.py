"""Whether those who need a key may use it: AWS's services by the key's policy, roles by that and their own.

A key that the stacks make is judged by its policy; of any other key only what roles may do is known.
Sources: those of `backbone.aws.key_policies`; Kinesis developer guide, "Permissions to use user-generated KMS keys";
DynamoDB developer guide, "DynamoDB encryption at rest", by which the caller's own permission for the key counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from backbone.aws.arn import Arn, ArnError, Place
from backbone.system import access
from backbone.system.checks.keys import KEYS, key_of
from backbone.system.findings import Finding, finding
from backbone.system.iam import Context, Identity, authorize, event_source
from backbone.system.keys import Key
from backbone.system.model import Function, Role, System, Topic
from backbone.system.terraform import Block, Configuration, TerraformError
from backbone.system.values import Values

__all__ = ["check"]

WRITING = ("kms:Decrypt", "kms:GenerateDataKey")
REENCRYPTING = ("kms:ReEncryptFrom", "kms:ReEncryptTo")
ON_A_BUS = "kms:EncryptionContext:aws:events:event-bus:arn"
ON_ITEMS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")


@dataclass(frozen=True)
class _Need:
    """Who must be allowed what with a key, and what for."""

    who: Identity
    name: str
    actions: tuple[str, ...]
    context: Context
    purpose: str


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Keys that a service or a role may not use, and those of other accounts, which cannot be judged here."""
    elsewhere: dict[tuple[str, str], Block] = {}
    for block in configuration.of(*KEYS):
        arn = _arn(key_of(configuration, block))
        if arn is None:
            continue
        key = system.get(Key, str(arn))
        needs = _NEEDS.get(block.type) if arn.resource.startswith("key/") else None  # of an alias' key nothing is known
        with suppress(TerraformError):  # it has a finding of its own
            for need in needs(system, configuration, block) if needs else ():
                if words := _refusal(need, str(arn), key):
                    yield finding("BB504", block.id, words)
        if key is None and arn.account_id != block.place.account_id:
            elsewhere.setdefault((block.account, str(arn)), block)
    for (account, key_arn), block in elsewhere.items():
        words = (
            f"is under {key_arn}, a key of another account, which is not seen here: its policy must let "
            f"events.amazonaws.com and logs.{block.place.region}.{block.place.dns_suffix} use it, and the account "
            f"{block.place.account_id}; `backbone key-policy {account}` prints what it must say"
        )
        yield finding("BB505", block.id, words)


def _arn(key: str | None) -> Arn | None:
    try:
        arn = Arn.parse(key or "")
    except ArnError:
        return None
    return arn if arn.service == "kms" and arn.resource.startswith(("alias/", "key/")) else None


def _refusal(need: _Need, key_arn: str, key: Key | None) -> str | None:
    """What a need lacks; None when nothing is known to be missing."""
    if key is None and need.who.is_service:
        return None
    missing = [action for action in need.actions if not _may(need, action, key_arn, key)]
    return f"{need.name} may not {' and '.join(missing)} with {key_arn}, {need.purpose}" if missing else None


def _may(need: _Need, action: str, key_arn: str, key: Key | None) -> bool:
    """Whether a need is met; the policy of a key that is not seen here counts as leaving it to the role's account."""
    policies = [key.policy] if key and key.policy else []
    owner = key.account_id if key else need.who.account_id
    return bool(authorize(need.who, action, key_arn, owner=owner, policies=policies, context=need.context))


def _of_service(service: str, actions: tuple[str, ...], context: Context, purpose: str) -> _Need:
    return _Need(Identity(service), service, actions, context, purpose)


def _of_role(role: Role, service: str, place: Place, actions: tuple[str, ...], purpose: str) -> _Need:
    """A role needs a key when it calls a service, which uses the key on its behalf."""
    via = {"kms:ViaService": f"{service}.{place.region}.{place.dns_suffix}", "aws:ViaAWSService": "true"}
    return _Need(role.identity, role.name, actions, via | {"kms:CallerAccount": role.account_id}, purpose)


def _account(place: Place) -> dict[str, str]:
    return {"aws:SourceAccount": place.account_id}


def _bus(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    values = Values(configuration, block)
    arn, place = values.text("arn"), block.place
    context = event_source(arn, place.account_id) | {ON_A_BUS: arn}
    yield _of_service(access.EVENTS, ("kms:DescribeKey",), _account(place), "to make the bus")
    yield _of_service(access.EVENTS, WRITING, context, "for events on the bus")
    if values.part("log_config").text("level", "OFF") != "OFF":
        on_the_way = {"kms:EncryptionContext:SourceArn": place.arn("logs", "*")}
        yield _of_service(access.EVENTS, ("kms:GenerateDataKey",), on_the_way, "for the reports of the bus")
        yield _of_service(access.LOG_DELIVERY, WRITING, on_the_way, "for the reports of the bus")


def _archive(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    context = _account(block.place) | {ON_A_BUS: Values(configuration, block).text("event_source_arn")}
    yield _of_service(access.EVENTS, ("kms:DescribeKey",), _account(block.place), "to make the archive")
    yield _of_service(access.EVENTS, (*WRITING, *REENCRYPTING), context, "for events in the archive")


def _log_group(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    context = {"kms:EncryptionContext:aws:logs:arn": Values(configuration, block).text("arn")}
    service = f"logs.{block.place.region}.{block.place.dns_suffix}"
    yield _of_service(service, ("kms:Encrypt", *WRITING, *REENCRYPTING), context, "for the log group")


def _queue(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    """Rules and buses send by themselves; functions send and receive with their roles."""
    arn = Values(configuration, block).text("arn")
    for sender, account_id in _senders(system, configuration, arn):
        context = event_source(sender, account_id) | {"kms:EncryptionContext:aws:sqs:arn": arn}
        yield _of_service(access.EVENTS, WRITING, context, f"for what {sender} sends to the queue")
    for topic in system.of(Topic):
        if any(arn in (each.endpoint, each.dead_letters_arn) for each in topic.subscriptions):
            context = event_source(topic.arn, topic.account_id) | {"kms:EncryptionContext:aws:sqs:arn": arn}
            yield _of_service(access.SNS, WRITING, context, f"for what the topic {topic.name} sends to the queue")
    for function in system.of(Function):
        role = system.get(Role, function.role_arn)
        if role and arn in (mapping.source_arn for mapping in function.mappings):
            yield _of_role(role, "sqs", block.place, ("kms:Decrypt",), f"so {function.name} gets nothing of the queue")


def _topic(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    arn = Values(configuration, block).text("arn")
    for target in system.targets:
        if target.arn == arn:
            context = event_source(target.rule_arn, target.account_id) | {"kms:EncryptionContext:aws:sns:topicArn": arn}
            yield _of_service(access.EVENTS, WRITING, context, f"for what {target.rule_name} sends to the topic")


def _senders(system: System, configuration: Configuration, queue_arn: str) -> Iterator[tuple[str, str]]:
    for target in system.targets:
        if queue_arn in (target.arn, target.dead_letters_arn):
            yield target.rule_arn, target.account_id
    for block in configuration.of("aws_cloudwatch_event_bus"):
        values = Values(configuration, block)
        if values.part("dead_letter_config").optional_text("arn") == queue_arn:
            yield values.text("arn"), block.place.account_id


def _stream(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    arn = Values(configuration, block).text("arn")
    for target in system.targets:
        role = system.get(Role, target.role_arn)
        if role and target.arn == arn:
            words = f"so nothing that {target.rule_name} matches is delivered"
            yield _of_role(role, "kinesis", block.place, ("kms:GenerateDataKey",), words)


def _delivery_stream(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    files = Values(configuration, block).part("extended_s3_configuration")
    yield from _writing(system, files, block.place)


def _bucket(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    """Delivery streams that write into a bucket without a key of their own use the bucket's."""
    name = Values(configuration, block).text("bucket")
    for stream in configuration.of("aws_kinesis_firehose_delivery_stream"):
        files = Values(configuration, stream).part("extended_s3_configuration")
        if files.optional_text("kms_key_arn") is None and files.text("bucket_arn", "").endswith(f":::{name}"):
            yield from _writing(system, files, stream.place)


def _writing(system: System, files: Values, place: Place) -> Iterator[_Need]:
    role, bucket = system.get(Role, files.optional_text("role_arn")), files.text("bucket_arn", "")
    if role is not None:
        need = _of_role(role, "s3", place, WRITING, f"so nothing is written into {bucket}")
        yield replace(need, context={**need.context, "kms:EncryptionContext:aws:s3:arn": bucket})


def _table(system: System, configuration: Configuration, block: Block) -> Iterator[_Need]:
    arn = Values(configuration, block).text("arn")
    for role in system.of(Role):
        if role.account_id == block.place.account_id and any(access.may(role, action, arn) for action in ON_ITEMS):
            yield _of_role(role, "dynamodb", block.place, ("kms:Decrypt",), "though it may use items of the table")


_NEEDS: dict[str, Callable[[System, Configuration, Block], Iterator[_Need]]] = {
    "aws_cloudwatch_event_archive": _archive,
    "aws_cloudwatch_event_bus": _bus,
    "aws_cloudwatch_log_group": _log_group,
    "aws_dynamodb_table": _table,
    "aws_kinesis_firehose_delivery_stream": _delivery_stream,
    "aws_kinesis_stream": _stream,
    "aws_s3_bucket_server_side_encryption_configuration": _bucket,
    "aws_sns_topic": _topic,
    "aws_sqs_queue": _queue,
}
"""Who needs the key of a block of each type. Lambda has a grant for a function's, from whoever makes the function."""
