"""What a policy says in vain though AWS takes it: actions, resources and keys that do not exist or do not fit.

Source of the rules: the service authorization reference, and the checks of IAM Access Analyzer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from backbone.system.iam import catalogue
from backbone.system.iam.catalogue import Action
from backbone.system.iam.conditions import Condition
from backbone.system.iam.document import Policy, Statement
from backbone.system.iam.kinds import LOGS, TRUST
from backbone.system.iam.problem import PolicyProblem, Problems, did_you_mean
from backbone.system.iam.request import CROSS_SERVICE

__all__ = ["check_policy"]

SERVICE_PRINCIPALS = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        *("apidestinations.events", "apigateway", "appsync", "application-autoscaling", "athena", "backup", "batch"),
        *("bedrock", "budgets", "cloudformation", "cloudtrail", "cloudwatch", "codebuild", "codedeploy"),
        *("codepipeline", "cognito-idp", "config", "delivery.logs", "dynamodb", "ec2", "ecs", "ecs-tasks"),
        *("edgelambda", "elasticloadbalancing", "elasticmapreduce", "es", "events", "firehose", "glue", "guardduty"),
        *("iot", "kinesis", "lambda", "logs", "monitoring", "opensearchservice", "ops.apigateway", "pipes", "rds"),
        *("redshift", "replicator.lambda", "resource-groups", "route53", "s3", "sagemaker", "scheduler", "schemas"),
        *("secretsmanager", "securityhub", "servicecatalog", "ses", "sns", "sqs", "ssm", "ssm-incidents", "states"),
        *("storage-lens.s3", "streams.metrics.cloudwatch", "vpc-flow-logs", "vpc-lattice", "wafv2", "xray"),
        *("access-analyzer", "cloudwatch-crossaccount", "inspector2", "kms", "lambda.alarms.cloudwatch", "macie"),
    )
)
"""Services that are named as principals, without the region that some have in their names."""


def check_policy(policy: Policy) -> tuple[PolicyProblem, ...]:
    """The problems of a policy's statements that only a look at AWS's services shows; `read_policy` tells the rest."""
    problems = Problems()
    for statement in policy.statements:
        _Check(policy, statement, problems).run()
    return tuple(problems.found)


class _Check:
    """Checks one statement."""

    def __init__(self, policy: Policy, statement: Statement, problems: Problems) -> None:
        self._policy = policy
        self._statement = statement
        self._problems = problems
        self._actions: dict[str, tuple[Action, ...]] = {}
        """The actions that each Action stands for, where its service is known in detail."""

    def run(self) -> None:
        """Add what is wrong with the statement."""
        self._principals()
        element = "NotAction" if self._statement.but_actions else "Action"
        for action in self._statement.actions:
            self._action(action, f"{self._statement.where}.{element}")
        if not self._statement.but_actions and not self._statement.but_resources and self._statement.resources:
            self._resources()
        for condition in self._statement.conditions:
            self._condition(condition, f"{self._statement.where}.Condition.{condition.operator.name}.{condition.key}")

    def _principals(self) -> None:
        principals, where = self._statement.principals, f"{self._statement.where}.Principal"
        if principals is None:
            return
        for name in sorted(principals.services):
            plain = re.sub(r"\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws", ".amazonaws", name).removesuffix(".cn")
            if plain not in SERVICE_PRINCIPALS:
                hint = did_you_mean(plain, SERVICE_PRINCIPALS)
                self._problems.warn(where, f"{name} is no service that is known here{hint}")
        if self._policy.kind is LOGS and (principals.everyone or principals.arns):
            self._problems.error(where, "CloudWatch Logs applies its resource policies to AWS services only")
        if principals.everyone and self._statement.allows and not any(map(_restricts, self._statement.conditions)):
            words = "allows everyone, in every account; name who is meant, or add a condition on aws:PrincipalOrgID"
            self._problems.warn(where, words)

    def _action(self, action: str, where: str) -> None:
        prefix, _, name = action.partition(":")
        prefix = prefix.lower()
        if prefix == "*":
            return
        service = catalogue.service(prefix)
        if service is None:
            known = catalogue.services()
            if prefix in known:
                self._problems.found.append(PolicyProblem(where, f"the actions of {prefix} are not checked", "note"))
            else:
                hint = did_you_mean(prefix, known)
                self._problems.warn(where, f"AWS has no service {prefix!r} that is known here{hint}")
            return
        found = service.matching(name)
        self._actions[action] = found
        if not found:
            hint = did_you_mean(name, service.names)
            self._vain(where, f"{prefix} has no action {name}{hint}")

    def _vain(self, where: str, message: str) -> None:
        """Say that a part of the statement is void: of a Not… that widens it, which AWS takes."""
        if self._statement.but_actions:
            self._problems.warn(where, message)
        else:
            self._problems.error(where, message)

    def _resources(self) -> None:
        where = f"{self._statement.where}.Resource"
        patterns = [template.pattern for template in self._statement.resources]
        idle = {
            name: actions
            for name, actions in self._actions.items()
            if actions and not any(action.applies_to(pattern) for action in actions for pattern in patterns)
        }
        if idle:
            known = sorted({arn for actions in idle.values() for action in actions for arn in action.resources})
            words = " or ".join(known[:3]) if known else '"*" only'
            self._problems.error(where, f"{', '.join(idle)} cannot be done to {', '.join(patterns)}, but to {words}")
        if len(self._actions) < len(self._statement.actions):
            return
        every = [action for actions in self._actions.values() for action in actions]
        for pattern in patterns if len(patterns) > 1 else ():
            if every and not any(action.applies_to(pattern) for action in every):
                self._problems.error(where, f"none of the actions can be done to {pattern}")

    def _condition(self, condition: Condition, where: str) -> None:
        kind = self._key_type(condition, where)
        if kind is None:
            return
        operator, plural = condition.operator, kind.startswith("ArrayOf")
        families = FAMILIES.get(kind.removeprefix("ArrayOf").lower(), ())
        if operator.family not in (*families, "Null"):
            message = f"{condition.key} holds {kind}; {operator.name} compares {operator.family}"
            self._problems.warn(where, message)
        if plural and not operator.quantifier and operator.family != "Null" and condition.key.lower() not in PUT_EVENTS:
            self._problems.warn(where, f"{condition.key} can have several values; say ForAnyValue: or ForAllValues:")
        if operator.quantifier == "ForAllValues" and self._statement.allows and not plural:
            message = "is met by a request without the key too; use the operator without ForAllValues"
            self._problems.warn(where, message)

    def _key_type(self, condition: Condition, where: str) -> str | None:
        """The type of a condition's key; None when it is not known, which is said when no request has the key."""
        key = condition.key
        prefix = key.partition(":")[0].lower()
        if kind := catalogue.global_key_type(key):
            return kind
        if prefix == "aws":
            hint = did_you_mean(key, (f"aws:{name}" for name in catalogue.GLOBAL_KEYS))
            self._void(condition, where, f"AWS has no condition key {key}", hint)
            return None
        if key.lower() in CROSS_SERVICE or self._policy.kind is TRUST or not self._all_known():
            return None
        kinds = {
            name: [kind for action in found if (kind := action.key_type(key))] for name, found in self._actions.items()
        }
        without = [name for name, found in kinds.items() if not found]
        if not without:
            return next((kind for found in kinds.values() for kind in found), None)
        known = {name for found in self._actions.values() for action in found for name in action.keys}
        self._void(condition, where, f"requests for {', '.join(without)} have no key {key}", did_you_mean(key, known))
        return None

    def _all_known(self) -> bool:
        statement = self._statement
        return not statement.but_actions and all(self._actions.get(action) for action in statement.actions)

    def _void(self, condition: Condition, where: str, message: str, hint: str) -> None:
        """Say that no request has a key: the condition never holds, or always."""
        if condition.holds_without_key():
            self._problems.warn(where, f"{message}, so the condition always holds{hint}")
        else:
            self._problems.error(where, f"{message}, so the condition never holds{hint}")


def _restricts(condition: Condition) -> bool:
    """Whether a condition says who may ask, or from where."""
    key = condition.key.lower()
    return key.partition("/")[0] in RESTRICTING and not condition.holds_without_key()


RESTRICTING = frozenset(
    f"aws:{name}".lower()
    for name in (
        *("PrincipalAccount", "PrincipalArn", "PrincipalOrgID", "PrincipalOrgPaths", "PrincipalServiceName"),
        *("PrincipalServiceNamesList", "PrincipalTag", "SourceAccount", "SourceArn", "SourceIp", "SourceOrgID"),
        *("SourceOrgPaths", "SourceVpc", "SourceVpce", "VpceOrgID", "userid", "username"),
    )
)
"""The keys that tell who asks, or from where."""
FAMILIES: dict[str, Iterable[str]] = {
    "arn": ("Arn", "String"),
    "bool": ("Bool", "String"),
    "date": ("Date", "Numeric"),
    "ipaddress": ("IpAddress",),
    "numeric": ("Numeric",),
    "string": ("String", "Arn"),
}
"""The operators that fit a type of key. Texts are compared as ARNs where they hold ARNs, and truth values as texts."""
PUT_EVENTS = ("events:source", "events:detail-type")
"""Keys with several values that AWS's own examples compare without a quantifier."""
