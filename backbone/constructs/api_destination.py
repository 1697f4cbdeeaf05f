"""A partner's HTTP endpoint as a target of events."""

from __future__ import annotations

from typing import Literal

from backbone.cdk import (
    CloudwatchEventApiDestination,
    CloudwatchEventConnection,
    CloudwatchEventConnectionAuthParameters,
    CloudwatchEventConnectionAuthParametersApiKey,
    Construct,
    TerraformVariable,
)
from backbone.constructs.account import Account

__all__ = ["ApiDestination"]


class ApiDestination(Construct):
    """An endpoint that is called with an API key in a header, at most `calls_per_second` times a second.

    The key is a sensitive Terraform variable, `secret_variable`, which the stack must be given: it is in no file.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        endpoint: str,
        secret_variable: str,
        header: str = "Authorization",
        method: Literal["POST", "PUT", "PATCH"] = "POST",
        calls_per_second: int = 10,
    ) -> None:
        super().__init__(scope, id)
        secret = TerraformVariable(self, "secret", type="string", sensitive=True, description=f"The API key for {name}")
        secret.override_logical_id(secret_variable)
        key = CloudwatchEventConnectionAuthParametersApiKey(key=header, value=secret.string_value)
        connection = CloudwatchEventConnection(
            self,
            "connection",
            provider=account.provider,
            name=name,
            authorization_type="API_KEY",
            auth_parameters=CloudwatchEventConnectionAuthParameters(api_key=key),
        )
        destination = CloudwatchEventApiDestination(
            self,
            "Default",
            provider=account.provider,
            name=name,
            connection_arn=connection.arn,
            invocation_endpoint=endpoint,
            http_method=method,
            invocation_rate_limit_per_second=calls_per_second,
        )
        self.arn = destination.arn
