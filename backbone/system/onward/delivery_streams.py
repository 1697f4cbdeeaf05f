"""Delivery streams of Firehose: whether they may write what they are sent into their bucket.

Sources: Firehose developer guide, "Grant Firehose access to an Amazon S3 destination", "Grant Firehose access to a
Kinesis data stream" and "Monitor Amazon Data Firehose using CloudWatch Logs".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from backbone.system.access import READING, may_assume, policies_of
from backbone.system.iam import event_source
from backbone.system.model import Resource, Role
from backbone.system.obstacle import Obstacle
from backbone.system.onward.buckets import Bucket
from backbone.system.onward.requests import denied
from backbone.system.values import Values

__all__ = ["FIREHOSE", "read"]

FIREHOSE = "firehose.amazonaws.com"
FINDING = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
WRITING = ("s3:AbortMultipartUpload", "s3:PutObject")
EXPRESSION = re.compile(r"!\{[^}]*\}")


def read(resources: Mapping[str, Resource], values: Values) -> Iterator[Obstacle]:
    """What is in the way of a block `aws_kinesis_firehose_delivery_stream`."""
    files = values.part("extended_s3_configuration")
    role_arn = files.optional_text("role_arn")
    if role_arn is None:
        return  # it writes elsewhere, or is refused by its arguments
    address, arn = values.block.id, values.text("arn")
    role = resources.get(role_arn)
    if not isinstance(role, Role):
        words = f"role_arn: {role_arn} is not in any stack: what it may do is not known here"
        yield Obstacle(rule="BB190", address=address, words=words)
        return
    for words in (*_trust(role, arn, values), *_bucket(resources, role, files), *_function(resources, role, files)):
        yield Obstacle(rule="BB211", address=address, words=f"{words}; all that it is sent is lost", behind=(arn,))
    for words in _source(resources, values):
        yield Obstacle(rule="BB211", address=address, words=f"{words}; it gets nothing")
    yield from _log(role, files)


def _trust(role: Role, arn: str, values: Values) -> Iterator[str]:
    account = values.block.place.account_id
    if not may_assume(FIREHOSE, role, event_source(arn, account) | {"sts:ExternalId": account}):
        yield f"{role.name} does not trust {FIREHOSE} for it"


def _bucket(resources: Mapping[str, Resource], role: Role, files: Values) -> Iterator[str]:
    """What the role may not do with the bucket, events and failures alike."""
    arn = files.text("bucket_arn")
    bucket, key = resources.get(arn), files.optional_text("kms_key_arn")
    policies = [bucket.policy] if isinstance(bucket, Bucket) and bucket.policy else []
    owner = bucket.account_id if bucket else role.account_id
    encrypted = {
        "s3:x-amz-server-side-encryption": "aws:kms" if key else None,
        "s3:x-amz-server-side-encryption-aws-kms-key-id": key,
    }
    missing = denied(role, FINDING, arn, policies=policies, owner=owner, context={"s3:prefix": None})
    for name in ("prefix", "error_output_prefix"):
        written = f"{arn}/{EXPRESSION.sub('1', files.text(name, ''))}1"
        missing += denied(role, WRITING, written, policies=policies, owner=owner, context=encrypted)
    if missing:
        yield f"{role.name} may not {' and '.join(dict.fromkeys(missing))} on {arn}"


def _function(resources: Mapping[str, Resource], role: Role, files: Values) -> Iterator[str]:
    """The function that makes something else of events before they are written."""
    for processor in files.part("processing_configuration").parts("processors"):
        for parameter in processor.parts("parameters"):
            if parameter.optional_text("parameter_name") == "LambdaArn":
                arn = parameter.text("parameter_value")
                plain = ":".join(arn.split(":")[:7])
                actions = ("lambda:GetFunctionConfiguration", "lambda:InvokeFunction")
                if missing := denied(role, actions, arn, policies=policies_of(resources.get(plain))):
                    yield f"{role.name} may not {' and '.join(missing)} on {arn}"


def _source(resources: Mapping[str, Resource], values: Values) -> Iterator[str]:
    """The stream that it reads, by a role that may be another."""
    source = values.part("kinesis_source_configuration")
    role = resources.get(source.text("role_arn", ""))
    if isinstance(role, Role):
        yield from _trust(role, values.text("arn"), values)
        arn = source.text("kinesis_stream_arn")
        if missing := denied(role, READING["kinesis"], arn):
            yield f"{role.name} may not {' and '.join(missing)} on {arn}"


def _log(role: Role, files: Values) -> Iterator[Obstacle]:
    """Where it tells what it could not write."""
    options = files.part("cloudwatch_logging_options")
    group, stream = options.optional_text("log_group_name"), options.optional_text("log_stream_name")
    if not options.flag("enabled", default=False) or group is None or stream is None:
        return
    made = [Values(files.configuration, block) for block in files.configuration.of("aws_cloudwatch_log_stream")]
    named = [each for each in made if each.text("name") == stream and each.block.place == files.block.place]
    if named and not any(each.text("log_group_name") == group for each in named):
        words = f"cloudwatch_logging_options: no log stream {stream} is in {group}: its log is lost"
        yield Obstacle(rule="BB604", address=files.block.id, words=words)
    arn = files.block.place.arn("logs", f"log-group:{group}:log-stream:{stream}")
    if denied(role, ["logs:PutLogEvents"], arn):
        words = f"cloudwatch_logging_options: {role.name} may not logs:PutLogEvents on {group}: its log is lost"
        yield Obstacle(rule="BB604", address=files.block.id, words=words)
