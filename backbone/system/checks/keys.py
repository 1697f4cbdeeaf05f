"""Keys of KMS: that they are where they can be used, and that what is declared to be under a key is.

Sources: the API references of the services for the arguments; EventBridge user guide, "Encrypting event buses with
customer managed keys"; SQS developer guide, "Configuring KMS permissions for AWS services".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backbone.aws.arn import Arn, ArnError
from backbone.errors import BackboneError
from backbone.manifest import Manifest
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.keys import Key
from backbone.system.model import Function, Queue, Role, System, Topic
from backbone.system.terraform import Block, Configuration
from backbone.system.values import Values

__all__ = ["KEYS", "check", "key_of"]

KEYS = {
    "aws_cloudwatch_event_archive": "kms_key_identifier",
    "aws_cloudwatch_event_bus": "kms_key_identifier",
    "aws_cloudwatch_log_group": "kms_key_id",
    "aws_dynamodb_table": "server_side_encryption.kms_key_arn",
    "aws_kinesis_firehose_delivery_stream": "extended_s3_configuration.kms_key_arn",
    "aws_kinesis_stream": "kms_key_id",
    "aws_lambda_function": "kms_key_arn",
    "aws_s3_bucket_server_side_encryption_configuration": (
        "rule.apply_server_side_encryption_by_default.kms_master_key_id"
    ),
    "aws_scheduler_schedule": "kms_key_arn",
    "aws_sns_topic": "kms_master_key_id",
    "aws_sqs_queue": "kms_master_key_id",
}
"""Where each type names its key."""

KEY_ID = re.compile(r"(mrk-)?[0-9a-f-]{32,36}|alias/[\w/-]{1,250}|\$\{.*\}", re.ASCII)
"""KMS API reference, DescribeKey, KeyId; a variable is not known yet."""

OF_SQS, OF_SNS = "alias/aws/sqs", "alias/aws/sns"

SENDING = ("kms:Decrypt", "kms:GenerateDataKey")
"""What a sender does with the key of a queue."""


def check(system: System, configuration: Configuration, manifest: Manifest | None) -> Iterator[Finding]:
    """Keys that AWS refuses or that cannot be used, and what is not under the key that is declared for its account."""
    for block in configuration.of(*KEYS):
        key = key_of(configuration, block)
        if key is not None and (words := _problem(block, key)):
            yield finding("BB108", block.id, f"{KEYS[block.type]}: {words}")
        declared = manifest.keys.get(block.account) if manifest else None
        made = system.get(Key, key)
        is_made_there = made is not None and made.place == block.place
        if declared is not None and not (is_made_there if declared == "create" else key == declared):
            allowed = "a key that the stack makes" if declared == "create" else declared
            words = f"{KEYS[block.type]}: got {key or 'none'}; declared for {block.account}: {allowed}"
            yield finding("BB711", block.id, words)
    for function in system.of(Function):
        yield from _sending(system, configuration, function)
    yield from _from_rules(system, configuration)


def _from_rules(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What rules send to under the key of SQS or SNS itself, whose policy lets no other service in."""
    for target in system.targets:
        for rule, arn in (("BB201", target.arn), ("BB203", target.dead_letters_arn)):
            to = system.get(Queue, arn) or system.get(Topic, arn)
            block = configuration.get(to.address) if to else None
            key = (key_of(configuration, block) or "") if block else ""
            if key.endswith((OF_SQS, OF_SNS)):
                words = f"{arn} has the key {key}, which events.amazonaws.com may not use; give it a key of your own"
                yield finding(rule, target.address, words)


def key_of(configuration: Configuration, block: Block) -> str | None:
    """The key that a block names, by ARN, id or alias; None where it names none."""
    *parts, name = KEYS[block.type].split(".")
    values = Values(configuration, block)
    try:
        for part in parts:
            values = values.part(part)
        return values.optional_text(name) or None
    except BackboneError:
        return None  # it has a finding of its own


def _problem(block: Block, key: str) -> str | None:
    """What is wrong with the ARN of a key; ids and aliases are of the resource's own account and region."""
    if not key.startswith("arn:"):
        return None if KEY_ID.fullmatch(key) else f"got {key!r}; allowed: a key by its ARN or id, or alias/NAME"
    try:
        arn = Arn.parse(key)
    except ArnError as error:
        return str(error)
    place = block.place
    if arn.service != "kms" or not re.fullmatch(r"(key/[\w-]+|alias/[\w/-]+)", arn.resource):
        return f"got {key}; allowed: the ARN of a key"
    if (arn.partition, arn.region) != (place.partition, place.region):
        return f"{key} is in {arn.region} ({arn.partition}); allowed: {place.region} ({place.partition})"
    return None


def _sending(system: System, configuration: Configuration, function: Function) -> Iterator[Finding]:
    """A function whose failures cannot be encrypted is one whose failures are lost."""
    role, queue = system.get(Role, function.role_arn), system.get(Queue, function.failures_arn)
    block = configuration.get(queue.address) if queue else None
    key = key_of(configuration, block) if block else None
    if role is None or key is None or not key.startswith("arn:"):
        return
    through = {"kms:ViaService": f"sqs.{function.place.region}.{function.place.dns_suffix}"}
    missing = [action for action in SENDING if not access.may(role, action, key, through)]
    if missing:
        words = f"{role.name} may not {' and '.join(missing)} with the key of its failure queue"
        yield finding("BB302", function.address, f"{words}: what the function fails at is lost")
