"""IAM: policies read strictly, and whether they allow a request.

    policy = read_policy(address, document, BUS, resource=bus_arn)   # kinds: INLINE, MANAGED, TRUST, BUS, QUEUE, …
    policy.problems        # PolicyProblem(where, message, severity); a refused document has no statements
    check_policy(policy)   # more problems: actions, resources and keys that AWS does not have, or that do not fit
    managed_policy(arn)    # a policy of AWS's own; None when it is not known here

    role = Identity(role_arn, account_id, policies=(inline, managed), boundary=boundary)
    service = Identity("events.amazonaws.com")
    administrator = Identity("arn:aws:iam::111111111111:root", "111111111111")   # may do everything

    decision = authorize(role, "events:PutEvents", bus_arn, owner=bus_account_id, policies=[policy], context=context)
    decision.allowed, decision.why, bool(decision)

`policies` are all policies of the resource: of a function all its permissions, of a log group all resource policies of
CloudWatch Logs in its account and region, of a role that is assumed (`sts:AssumeRole`) its trust policy, of a key
always its key policy.

`context` holds what only the caller knows: `events:source`, `aws:PrincipalOrgID`, `aws:PrincipalTag/…`,
`lambda:SourceFunctionArn`; `event_source(rule_arn, account_id)` for a request of a service; `time_keys(seconds)`.
A value is a text, or a list for a multivalued key, or None for a key that the request is known not to have. What
follows from identity and resource (`aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:SecureTransport`,
`aws:RequestedRegion`, `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`, `aws:ResourceAccount`, …) is added.
A key that is in neither is unknown: a statement that depends on it does not allow, and denies. With `ahead=True` it
could allow and does not deny, which asks whether anything could be allowed before there is a request.
"""

from __future__ import annotations

from backbone.system.iam.catalogue import managed_policy
from backbone.system.iam.check import check_policy
from backbone.system.iam.decision import Decision, Identity, authorize
from backbone.system.iam.document import Policy, Statement, inline_problems, read_policy
from backbone.system.iam.kinds import (
    BUCKET,
    BUS,
    FUNCTION,
    INLINE,
    KEY,
    LOGS,
    MANAGED,
    QUEUE,
    RESOURCE,
    SESSION,
    TOPIC,
    TRUST,
    Kind,
)
from backbone.system.iam.problem import PolicyProblem
from backbone.system.iam.request import Context, event_source, time_keys

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
    "Context",
    "Decision",
    "Identity",
    "Kind",
    "Policy",
    "PolicyProblem",
    "Statement",
    "authorize",
    "check_policy",
    "event_source",
    "inline_problems",
    "managed_policy",
    "read_policy",
    "time_keys",
]
