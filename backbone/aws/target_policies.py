"""IAM documents of what rules deliver to beside functions and queues: topics, tasks, state machines, buckets."""

from __future__ import annotations

from collections.abc import Iterable

from backbone.aws.arn import Place
from backbone.aws.policies import SNS, Document, document, values

__all__ = ["call", "pipe_trust", "run_task", "scheduler_trust", "state_machine", "tls_only", "use_key", "write_objects"]


SCHEDULER = "scheduler.amazonaws.com"


def run_task(task_definition_arn: str, *, cluster_arn: str, role_arns: Iterable[str]) -> Document:
    """Lets an identity run tasks of a definition on a cluster of ECS, and give them the roles that they have."""
    run: Document = {
        "Action": "ecs:RunTask",
        "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
        "Effect": "Allow",
        "Resource": task_definition_arn,
        "Sid": "Run",
    }
    give: Document = {
        "Action": "iam:PassRole",
        "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        "Effect": "Allow",
        "Resource": values(role_arns),
        "Sid": "Pass",
    }
    return document(run, *([give] if give["Resource"] else []))


def scheduler_trust(place: Place, *, group_arn: str) -> Document:
    """Lets EventBridge Scheduler assume a role for the schedules of a group.

    It names no single schedule (EventBridge Scheduler user guide, "Confused deputy prevention").
    """
    return document(
        {
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnEquals": {"aws:SourceArn": group_arn},
                "StringEquals": {"aws:SourceAccount": place.account_id},
            },
            "Effect": "Allow",
            "Principal": {"Service": SCHEDULER},
        }
    )


def pipe_trust(place: Place, pipe_name: str) -> Document:
    """Lets EventBridge Pipes assume a role for a pipe, and for no other pipe."""
    return document(
        {
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnEquals": {"aws:SourceArn": place.arn("pipes", f"pipe/{pipe_name}")},
                "StringEquals": {"aws:SourceAccount": place.account_id},
            },
            "Effect": "Allow",
            "Principal": {"Service": "pipes.amazonaws.com"},
        }
    )


def call(action: str, arn: str, *, dead_letters_arn: str, kms_key: str | None) -> Document:
    """Lets a schedule's role call its target and send what fails to a queue, both of which a key may encrypt."""
    statements: list[Document] = [
        {"Action": action, "Effect": "Allow", "Resource": arn, "Sid": "Call"},
        {"Action": "sqs:SendMessage", "Effect": "Allow", "Resource": dead_letters_arn, "Sid": "Fail"},
    ]
    if kms_key:
        keys = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append({"Action": keys, "Effect": "Allow", "Resource": kms_key, "Sid": "Key"})
    return document(*statements)


def state_machine(place: Place) -> Document:
    """What the role of every state machine may do in its region: have its log delivered, and trace."""
    # No resource can be named for these (Step Functions developer guide, "Logging using CloudWatch Logs"; service
    # authorization reference, AWS X-Ray).
    deliver = ("CreateLogDelivery", "DeleteLogDelivery", "GetLogDelivery", "ListLogDeliveries", "UpdateLogDelivery")
    policies = ("DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy")
    trace = ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")
    here = {"StringEquals": {"aws:RequestedRegion": place.region}}
    return document(
        {
            "Action": sorted(f"logs:{word}" for word in (*deliver, *policies)),
            "Condition": here,
            "Effect": "Allow",
            "Resource": "*",
            "Sid": "Log",
        },
        {
            "Action": [f"xray:{word}" for word in trace],
            "Condition": here,
            "Effect": "Allow",
            "Resource": "*",
            "Sid": "Trace",
        },
    )


def write_objects(bucket_arn: str, *, log_group_arn: str, kms_key: str | None) -> Document:
    """Lets Firehose write objects into a bucket, which a key may encrypt, and tell in a log what it could not."""
    statements: list[Document] = [
        {
            "Action": ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Effect": "Allow",
            "Resource": bucket_arn,
            "Sid": "Find",
        },
        {
            "Action": ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            "Effect": "Allow",
            "Resource": f"{bucket_arn}/*",
            "Sid": "Write",
        },
        {"Action": "logs:PutLogEvents", "Effect": "Allow", "Resource": f"{log_group_arn}:*", "Sid": "Log"},
    ]
    if kms_key:
        keys = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append({"Action": keys, "Effect": "Allow", "Resource": kms_key, "Sid": "Key"})
    return document(*statements)


def tls_only(bucket_arn: str) -> Document:
    """Denies everyone what is not asked over TLS."""
    return document(
        {
            "Action": "s3:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": "*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
        }
    )


def use_key(place: Place, topic_name: str) -> Document:
    """The statement of a key's policy that lets SNS use the key for queues that a topic sends to."""
    return {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Condition": {
            "ArnEquals": {"aws:SourceArn": place.arn("sns", topic_name)},
            "StringEquals": {"aws:SourceAccount": place.account_id},
        },
        "Effect": "Allow",
        "Principal": {"Service": SNS},
        "Resource": "*",
        "Sid": "Topic" + "".join(part.title() for part in topic_name.replace("_", "-").split("-")),
    }
