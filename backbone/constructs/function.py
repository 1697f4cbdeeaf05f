"""A Lambda function."""

from __future__ import annotations

from collections.abc import Mapping

from backbone.aws import names, policies
from backbone.aws.arn import Place
from backbone.cdk import (
    CloudwatchLogGroup,
    Construct,
    IamRole,
    IamRolePolicy,
    LambdaFunction,
    LambdaFunctionEnvironment,
    LambdaFunctionEventInvokeConfig,
    LambdaFunctionEventInvokeConfigDestinationConfig,
    LambdaFunctionEventInvokeConfigDestinationConfigOnFailure,
    LambdaFunctionLoggingConfig,
    LambdaFunctionTracingConfig,
)
from backbone.constructs.account import Account
from backbone.constructs.queue import Queue
from backbone.errors import BackboneError
from backbone.synthesis.package import Package

__all__ = ["RUNTIME", "Function", "powertools_layer"]

RUNTIME = "python3.13"

POWERTOOLS_VERSION = 27
"""The version of AWS's public Powertools layer (Powertools for AWS Lambda documentation, "Lambda Layer")."""

POWERTOOLS_ACCOUNTS = {
    "cn-north-1": "498634801083",
    "us-gov-east-1": "165087284144",
    "us-gov-west-1": "165093116878",
}
"""The account that publishes the layer, where it is not 017000801446 (same page)."""


def powertools_layer(place: Place) -> str:
    """The ARN of the public Powertools layer for Python 3.13 on arm64; BackboneError where none is documented."""
    owner = POWERTOOLS_ACCOUNTS.get(place.region, "017000801446" if place.partition == "aws" else None)
    if owner is None:
        raise BackboneError(
            f"powertools_layer: AWS documents no public Powertools layer in {place.region}; "
            "name one of your own by its ARN"
        )
    layer = f"layer:AWSLambdaPowertoolsPythonV3-python313-arm64:{POWERTOOLS_VERSION}"
    return f"arn:{place.partition}:lambda:{place.region}:{owner}:{layer}"


class Function(Construct):
    """A Python function on arm64 with a log group, a role, active tracing and a queue for what it failed at.

    Asynchronous invocations are tried `1 + retry_attempts` times for up to `max_age_seconds`; then the failure queue
    has the event. `code_file` is where the package will lie, from the stack's folder. The role may do what it is
    granted, and log, trace and send to that queue.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        role_name: str,
        failures_name: str,
        code: Package,
        code_file: str,
        handler: str,
        layers: tuple[str, ...],
        environment: Mapping[str, str],
        log_retention_days: int,
        memory_mb: int = 512,
        timeout_seconds: int = 15,
        reserved_concurrency: int | None = None,
        retry_attempts: int = 2,
        max_age_seconds: int = 21_600,
    ) -> None:
        super().__init__(scope, id)
        self.account = account
        self.timeout_seconds = timeout_seconds
        group = CloudwatchLogGroup(
            self,
            "log-group",
            provider=account.provider,
            name=names.function_log_group(name),
            retention_in_days=log_retention_days,
            kms_key_id=account.kms_key,
        )
        self.failures = Queue(self, "failures", account=account, name=failures_name)
        role = IamRole(
            self,
            "role",
            provider=account.provider,
            name=role_name,
            description=f"Runs {name}",
            assume_role_policy=policies.to_json(policies.trust("lambda.amazonaws.com")),
        )
        self._role = role.name
        base = policies.function(log_group_arn=group.arn, failures_arn=self.failures.arn, kms_key=account.kms_key)
        self.policies = [self._policy("role-policy", "function", base)]
        function = LambdaFunction(
            self,
            "Default",
            provider=account.provider,
            function_name=name,
            role=role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=handler,
            filename=code_file,
            source_code_hash=code.source_code_hash,
            layers=list(layers),
            memory_size=memory_mb,
            timeout=timeout_seconds,
            reserved_concurrent_executions=reserved_concurrency,
            environment=LambdaFunctionEnvironment(
                variables=dict(sorted({**environment, "FAILURE_QUEUE_URL": self.failures.url}.items()))
            ),
            kms_key_arn=account.kms_key,
            logging_config=LambdaFunctionLoggingConfig(log_format="JSON", log_group=group.name),
            tracing_config=LambdaFunctionTracingConfig(mode="Active"),
            depends_on=[*self.policies],
        )
        self.name, self.arn, self.invoke_arn = function.function_name, function.arn, function.invoke_arn
        self.log_group = group.name
        LambdaFunctionEventInvokeConfig(
            self,
            "invoke-config",
            provider=account.provider,
            function_name=function.function_name,
            maximum_retry_attempts=retry_attempts,
            maximum_event_age_in_seconds=max_age_seconds,
            destination_config=LambdaFunctionEventInvokeConfigDestinationConfig(
                on_failure=LambdaFunctionEventInvokeConfigDestinationConfigOnFailure(destination=self.failures.arn)
            ),
        )

    def grant(self, id: str, document: policies.Document) -> None:
        """Let the function do what a document allows, in a policy of its own."""
        self.policies.append(self._policy(f"grant-{id}", id, document))

    def _policy(self, id: str, name: str, document: policies.Document) -> IamRolePolicy:
        return IamRolePolicy(
            self,
            id,
            provider=self.account.provider,
            name=name,
            role=self._role,
            policy=policies.to_json(document),
        )
