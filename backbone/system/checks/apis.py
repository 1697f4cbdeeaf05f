"""HTTP APIs: routes that could never be answered."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.http_model import HttpApi, Route
from backbone.system.model import Function, LogGroup, System

__all__ = ["check"]

PROXIES = ("AWS_PROXY", "HTTP_PROXY")
"""The integrations of HTTP APIs (API Gateway API reference, CreateIntegration)."""


def check(system: System) -> Iterator[Finding]:
    """What is wrong with APIs."""
    for api in system.of(HttpApi):
        yield from _api(system, api)


def _api(system: System, api: HttpApi) -> Iterator[Finding]:
    if api.protocol != "HTTP":
        yield finding("BB404", api.address, f"the protocol {api.protocol} is not simulated; allowed: HTTP")
        return
    yield from _endpoint(system, api)
    for route in api.routes:
        yield from _authorization(route)
        yield from _function(system, api, route)


def _endpoint(system: System, api: HttpApi) -> Iterator[Finding]:
    """Whether anybody can call the API at all."""
    if api.endpoint_disabled:
        yield finding("BB405", api.address, "its endpoint is disabled, and no domain of your own is simulated")
    if not any(stage.deployed for stage in api.stages):
        yield finding("BB405", api.address, "no stage of it is deployed: every call is answered with 404")
    for stage in api.stages:
        if stage.rate == 0 or stage.burst == 0:
            yield finding("BB405", stage.address, "it is throttled to nothing: every call is answered with 429")
        if stage.access_log_arn and system.get(LogGroup, stage.access_log_arn.removesuffix(":*")) is None:
            yield finding("BB105", stage.address, f"logs to {stage.access_log_arn}, which no stack makes")


def _authorization(route: Route) -> Iterator[Finding]:
    if route.authorization == "JWT" and (route.jwt is None or not route.jwt.issuer or not route.jwt.audience):
        words = "its JWT authorizer is not in any stack, or has no issuer or audience"
        yield finding("BB406", route.address, words)
    if route.authorization == "CUSTOM":
        words = "a Lambda authorizer is not simulated: its calls are refused"
        yield finding("BB190", route.address, words, severity="warning")


def _function(system: System, api: HttpApi, route: Route) -> Iterator[Finding]:
    function = system.get(Function, route.function_arn)
    if route.integration and route.integration.type not in PROXIES:
        words = f"integration_type: got {route.integration.type!r}; allowed for an HTTP API: {', '.join(PROXIES)}"
        yield finding("BB106", route.integration.address, words)
    if route.integration and route.integration.payload_version not in ("1.0", "2.0"):
        words = f"payload_format_version: got {route.integration.payload_version!r}; allowed: 1.0 or 2.0"
        yield finding("BB106", route.integration.address, words)
    if function is None:
        yield finding("BB401", route.address, "its integration leads to no function of these stacks")
    elif not access.invoke_permission(function, access.API_GATEWAY, f"{api.arn}/x/x", api.account_id):
        words = f"{function.name} has no permission for this API: calls are answered with 500"
        yield finding("BB402", route.address, words)
