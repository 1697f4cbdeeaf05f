"""An HTTP API (API Gateway v2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backbone.aws import policies
from backbone.cdk import (
    Apigatewayv2Api,
    Apigatewayv2ApiCorsConfiguration,
    Apigatewayv2Authorizer,
    Apigatewayv2AuthorizerJwtConfiguration,
    Apigatewayv2Integration,
    Apigatewayv2Route,
    Apigatewayv2Stage,
    Apigatewayv2StageAccessLogSettings,
    Apigatewayv2StageDefaultRouteSettings,
    Construct,
    LambdaPermission,
)
from backbone.constructs.account import Account
from backbone.constructs.function import Function
from backbone.constructs.log_group import log_group

__all__ = ["Cors", "HttpApi", "Jwt", "Route"]

AUTHORIZATION_TYPES = {"iam": "AWS_IAM", "none": "NONE"}

ACCESS_LOG = {
    name: f"$context.{name}"
    for name in (
        *("requestId", "requestTime", "httpMethod", "path", "routeKey", "status", "protocol", "responseLength"),
        *("integrationErrorMessage", "integrationLatency", "responseLatency"),
    )
} | {"ip": "$context.identity.sourceIp", "caller": "$context.identity.userArn"}


@dataclass(frozen=True)
class Jwt:
    """Tokens that an API takes: who issues them (an https URL) and whom they must be for."""

    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True)
class Cors:
    """Whose pages in a browser may call an API."""

    origins: tuple[str, ...]
    methods: tuple[str, ...] = ("GET", "POST")
    headers: tuple[str, ...] = ("authorization", "content-type", "idempotency-key")
    exposed: tuple[str, ...] = ("idempotency-key", "location", "retry-after")
    """The headers of answers that a page may read."""


@dataclass(frozen=True)
class Route:
    """What answers a route whose callers are asked for something else than those of the API's other routes."""

    function: Function
    authorization: Literal["iam", "none"]


class HttpApi(Construct):
    """An API whose routes, such as `POST /orders`, are answered by functions.

    `authorization` is IAM's unless it is a `Jwt` or, said explicitly, `none`; a `Route` has its own. Calls beyond the
    rate are answered with 429 by the stage. Every call is logged as JSON.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        routes: Mapping[str, Function | Route],
        log_retention_days: int,
        authorization: Literal["iam", "none"] | Jwt = "iam",
        cors: Cors | None = None,
        requests_per_second: int = 100,
        burst: int = 200,
    ) -> None:
        super().__init__(scope, id)
        self._account = account
        api = Apigatewayv2Api(
            self,
            "Default",
            provider=account.provider,
            name=name,
            protocol_type="HTTP",
            cors_configuration=cors
            and Apigatewayv2ApiCorsConfiguration(
                allow_origins=list(cors.origins),
                allow_methods=list(cors.methods),
                allow_headers=list(cors.headers),
                expose_headers=list(cors.exposed),
            ),
        )
        self._api_id, self._execution_arn = api.id, api.execution_arn
        self.endpoint = api.api_endpoint
        usual = self._authorizer(name, authorization)
        made: list[tuple[Function, str]] = []
        for route, answered_by in sorted(routes.items(), key=lambda item: item[0]):
            if isinstance(answered_by, Route):
                function, kind, authorizer_id = (
                    answered_by.function,
                    AUTHORIZATION_TYPES[answered_by.authorization],
                    None,
                )
            else:
                function, (kind, authorizer_id) = answered_by, usual
            if kind == "NONE":
                account.open_routes.add(f"{account.place.account_id} {route}")
            target = next((target for one, target in made if one is function), None)
            if target is None:
                target = self._integration(function)
                made.append((function, target))
            Apigatewayv2Route(
                self,
                f"route-{_words(route)}",
                provider=account.provider,
                api_id=self._api_id,
                route_key=route,
                target=target,
                authorization_type=kind,
                authorizer_id=authorizer_id,
            )
        group = log_group(
            self, "log-group", account=account, name=f"/aws/apigateway/{name}", retention_days=log_retention_days
        )
        self.log_group = group.name
        Apigatewayv2Stage(
            self,
            "stage",
            provider=account.provider,
            api_id=self._api_id,
            name="$default",
            auto_deploy=True,
            access_log_settings=Apigatewayv2StageAccessLogSettings(
                destination_arn=group.arn, format=policies.to_json(ACCESS_LOG)
            ),
            default_route_settings=Apigatewayv2StageDefaultRouteSettings(
                detailed_metrics_enabled=True,
                throttling_rate_limit=requests_per_second,
                throttling_burst_limit=burst,
            ),
        )

    def _integration(self, function: Function) -> str:
        role = function.node.id
        integration = Apigatewayv2Integration(
            self,
            f"integration-{role}",
            provider=self._account.provider,
            api_id=self._api_id,
            integration_type="AWS_PROXY",
            integration_uri=function.invoke_arn,
            payload_format_version="2.0",
        )
        LambdaPermission(
            self,
            f"permission-{role}",
            provider=self._account.provider,
            function_name=function.name,
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            source_arn=f"{self._execution_arn}/*",
        )
        return f"integrations/{integration.id}"

    def _authorizer(self, name: str, authorization: Literal["iam", "none"] | Jwt) -> tuple[str, str | None]:
        if not isinstance(authorization, Jwt):
            return AUTHORIZATION_TYPES[authorization], None
        audience: Sequence[str] = list(authorization.audience)
        authorizer = Apigatewayv2Authorizer(
            self,
            "authorizer",
            provider=self._account.provider,
            api_id=self._api_id,
            name=name,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=Apigatewayv2AuthorizerJwtConfiguration(issuer=authorization.issuer, audience=audience),
        )
        return "JWT", authorizer.id


def _words(route: str) -> str:
    """A route as an id: `POST /orders/{order_id}` is `post-orders-order_id`."""
    method, _, path = route.partition(" ")
    parts = [part.strip("{}+$") for part in path.split("/") if part]
    return "-".join([method.strip("$").lower(), *parts])
