"""A Lambda function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from backbone.aws import names, policies
from backbone.aws.arn import Arn, Place
from backbone.aws.layers import POWERTOOLS_OWNER, POWERTOOLS_OWNERS
from backbone.aws.limits import (
    ASYNC_MAX_AGE_SECONDS,
    ASYNC_MAX_RETRY_ATTEMPTS,
    QUEUE_NAME_CHARACTERS,
    ROLE_NAME_CHARACTERS,
)
from backbone.aws.names import NameOf
from backbone.cdk import (
    Construct,
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
from backbone.constructs.log_group import log_group
from backbone.constructs.queue import Queue
from backbone.constructs.role import Role
from backbone.errors import BackboneError

__all__ = ["RUNTIME", "Code", "Function", "FunctionSettings", "powertools_layer"]

RUNTIME = "python3.13"

POWERTOOLS_VERSION = 27
"""The version of AWS's public Powertools layer (Powertools for AWS Lambda documentation, "Lambda Layer")."""


def powertools_layer(place: Place) -> str:
    """The ARN of the public Powertools layer for Python 3.13 on arm64; BackboneError where none is documented."""
    owner = POWERTOOLS_OWNERS.get(place.region, POWERTOOLS_OWNER if place.partition == "aws" else None)
    if owner is None:
        raise BackboneError(
            f"powertools_layer: AWS documents no public Powertools layer in {place.region}; "
            "name one of your own by its ARN"
        )
    layer = f"layer:AWSLambdaPowertoolsPythonV3-python313-arm64:{POWERTOOLS_VERSION}"
    return str(Arn(place.partition, "lambda", place.region, owner, layer))


@dataclass(frozen=True)
class Code:
    """A zip: where it will lie, from the stack's folder, and its SHA-256 in base64."""

    file: str
    digest: str


class FunctionSettings(TypedDict, total=False):
    """How a function runs, where that is not the default of `Function`."""

    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int | None
    retry_attempts: int
    max_age_seconds: int


class Function(Construct):
    """A Python function on arm64 with a log group, a role, active tracing and a failure queue.

    Asynchronous invocations are tried `1 + retry_attempts` times for up to `max_age_seconds`; then the failure queue
    has the event. The role may do what it is granted, and log, trace and send to that queue.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name_of: NameOf,
        code: Code,
        handler: str,
        layers: Sequence[str],
        environment: Mapping[str, str],
        log_retention_days: int,
        memory_mb: int = 512,
        timeout_seconds: int = 15,
        reserved_concurrency: int | None = None,
        retry_attempts: int = ASYNC_MAX_RETRY_ATTEMPTS,
        max_age_seconds: int = ASYNC_MAX_AGE_SECONDS,
    ) -> None:
        super().__init__(scope, id)
        name = name_of(id)
        self.timeout_seconds, self.reserved_concurrency = timeout_seconds, reserved_concurrency
        group = log_group(
            self,
            "log-group",
            account=account,
            name=names.function_log_group(name),
            retention_days=log_retention_days,
        )
        self.failures = Queue(self, "failures", account=account, name=name_of(f"{id}-failures", QUEUE_NAME_CHARACTERS))
        self._role = Role(
            self,
            account=account,
            name=name_of(f"{id}-{account.place.region}", ROLE_NAME_CHARACTERS),  # IAM knows no regions
            description=f"Runs {name}",
            trust=policies.trust("lambda.amazonaws.com"),
        )
        base = policies.function(log_group_arn=group.arn, failures_arn=self.failures.arn, kms_key=account.kms_key)
        self._variables = {**environment, "FAILURE_QUEUE_URL": self.failures.url}
        self._function = function = LambdaFunction(
            self,
            "Default",
            provider=account.provider,
            function_name=name,
            role=self._role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=handler,
            filename=code.file,
            source_code_hash=code.digest,
            layers=list(layers),
            memory_size=memory_mb,
            timeout=timeout_seconds,
            reserved_concurrent_executions=reserved_concurrency,
            environment=LambdaFunctionEnvironment(variables=dict(sorted(self._variables.items()))),
            kms_key_arn=account.kms_key,
            logging_config=LambdaFunctionLoggingConfig(log_format="JSON", log_group=group.name),
            tracing_config=LambdaFunctionTracingConfig(mode="Active"),
            depends_on=[self._role.allow("role-policy", "function", base)],
        )
        self.name, self.arn, self.invoke_arn = function.function_name, function.arn, function.invoke_arn
        self.log_group = group.name
        LambdaFunctionEventInvokeConfig(
            self,
            "invoke-config",
            provider=account.provider,
            function_name=self.name,
            maximum_retry_attempts=retry_attempts,
            maximum_event_age_in_seconds=max_age_seconds,
            destination_config=LambdaFunctionEventInvokeConfigDestinationConfig(
                on_failure=LambdaFunctionEventInvokeConfigDestinationConfigOnFailure(destination=self.failures.arn)
            ),
        )

    def give_up_after(self, receives: int) -> None:
        """Have the function send an event to its failure queue that it fails at so many times out of a buffer."""
        known = self._variables.get("BUFFER_MAX_RECEIVES")
        self._variables["BUFFER_MAX_RECEIVES"] = str(min(receives, int(known)) if known else receives)
        self._function.put_environment(variables=dict(sorted(self._variables.items())))

    def grant(self, id: str, document: policies.Document) -> IamRolePolicy:
        """Let the function do what a document allows; returns the policy, for what must not be made before it."""
        return self._role.allow(f"grant-{id}", id, document)
