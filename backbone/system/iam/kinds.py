"""The kinds of policies: what each demands, and how long it may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backbone.aws.arn import Arn

__all__ = [
    "BUCKET",
    "BUS",
    "FUNCTION",
    "INLINE",
    "KEY",
    "LOGS",
    "MANAGED",
    "QUEUE",
    "RESOURCE",
    "SESSION",
    "TOPIC",
    "TRUST",
    "Kind",
]


def _itself(arn: str) -> tuple[str, ...]:
    return (arn,)


@dataclass(frozen=True)
class Kind:
    """What AWS demands of a policy, by what it is attached to.

    `size` counts characters without white space, or bytes (`bytes`); None where no limit is known here. `covers` are
    the patterns of ARNs that a statement's Resource may name, for the ARN the policy is attached to.
    """

    name: str
    size: int | None
    bytes: bool = False
    service: str = ""
    actions: frozenset[str] = frozenset()
    principal: bool = True
    resource: bool = True
    plain_sid: bool = False
    version: bool = False
    must_allow: bool = False
    statements: int | None = None
    principals: int | None = None
    conditions: int | None = None
    actions_each: int | None = None
    covers: Callable[[str], tuple[str, ...]] = _itself


def _bus_and_rules(arn: str) -> tuple[str, ...]:
    parts = Arn.parse(arn)
    name = parts.resource.partition("/")[2]
    return arn, parts.place.arn("events", f"rule/{name}/*" if name != "default" else "rule/*")


def _all_of_the_account(arn: str) -> tuple[str, ...]:
    return (Arn.parse(arn).place.arn("logs", "*"),)


def _with_objects(arn: str) -> tuple[str, ...]:
    return arn, f"{arn}/*"


def _with_versions(arn: str) -> tuple[str, ...]:
    return arn, f"{arn}:*"


# Sizes: "IAM and AWS STS quotas"; EventBridge quotas; SQS, "Amazon SQS policy quotas"; CloudWatch Logs,
# PutResourcePolicy; Lambda quotas, "Function resource-based policy"; SNS and KMS quotas; S3, "Bucket policies".
INLINE = Kind("an inline policy", 10_240, principal=False, plain_sid=True)
"""A policy of one role. The limit holds for all inline policies of a role together (`inline_problems`)."""
MANAGED = Kind("a managed policy", 6_144, principal=False, plain_sid=True, version=True)
"""A customer-managed policy, be it attached to a role or its permissions boundary."""
SESSION = Kind("a session policy", 2_048, principal=False, plain_sid=True)
TRUST = Kind(
    "a trust policy",
    4_096,
    service="sts",
    actions=frozenset(
        f"sts:{name}"
        for name in (
            "AssumeRole",
            "AssumeRoleWithSAML",
            "AssumeRoleWithWebIdentity",
            "SetContext",
            "SetSourceIdentity",
            "TagSession",
        )
    ),
    resource=False,
    plain_sid=True,
    must_allow=True,
)
"""Who may assume a role. 2,048 characters, unless the quota "Role trust policy length" was raised to 4,096."""
BUS = Kind("the policy of an event bus", 10_240, service="events", covers=_bus_and_rules)
QUEUE = Kind(
    "the policy of a queue",
    8_192,
    bytes=True,
    service="sqs",
    statements=20,
    principals=50,
    conditions=10,
    actions_each=7,
)
LOGS = Kind(
    "a resource policy of CloudWatch Logs",
    5_120,
    service="logs",
    actions=frozenset({"logs:CreateLogStream", "logs:PutLogEvents"}),
    covers=_all_of_the_account,
)
"""Lets AWS services write logs. `resource` of `read_policy` is any ARN of logs in its account and region."""
FUNCTION = Kind("the policy of a function", 20_480, bytes=True, service="lambda", covers=_with_versions)
BUCKET = Kind("the policy of a bucket", 20_480, bytes=True, service="s3", covers=_with_objects)
TOPIC = Kind("the policy of a topic", 30_720, bytes=True, service="sns")
KEY = Kind("the policy of a key", 32_768, bytes=True, service="kms", must_allow=True)
RESOURCE = Kind("a resource's policy", None)
"""The policy of any other resource."""
