"""HTTP APIs: routes that could never be answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backbone.errors import BackboneError
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.http_model import HttpApi, Route
from backbone.system.model import Function, LogGroup, System
from backbone.system.terraform import Configuration
from backbone.system.values import Values

__all__ = ["check"]

PROXIES = ("AWS_PROXY", "HTTP_PROXY")
"""The integrations of HTTP APIs (API Gateway API reference, CreateIntegration)."""


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with APIs."""
    for api in system.of(HttpApi):
        yield from _api(system, api)
    apis = {api.id: api for api in system.of(HttpApi) if api.protocol == "HTTP"}
    for block in configuration.of("aws_apigatewayv2_authorizer", "aws_apigatewayv2_stage"):
        try:
            api_id = configuration.value(block, "api_id")
            if api_id in apis:
                yield from _PARTS[block.type](apis[api_id], Values(configuration, block))
        except BackboneError:
            continue  # it has a finding of its own


def _stage(api: HttpApi, values: Values) -> Iterator[Finding]:
    """What is not for HTTP APIs, and settings of single routes (API Gateway API reference, CreateStage)."""
    keys = {route.key for route in api.routes}
    for part in (*values.parts("default_route_settings"), *values.parts("route_settings")):
        if part.text("logging_level", "OFF") not in ("", "OFF"):
            words = f"{part.path}logging_level: an HTTP API has no execution log; AWS refuses it"
            yield finding("BB106", values.block.id, words)
        if part.flag("data_trace_enabled", default=False):
            yield finding("BB106", values.block.id, f"{part.path}data_trace_enabled: got true; allowed: false")
    for part in values.parts("route_settings"):
        key = part.text("route_key")
        if key not in keys:
            words = f"route_settings: names the route {key!r}; allowed: {', '.join(sorted(keys))}"
            yield finding("BB105", values.block.id, words)
        elif 0 in (part.value("throttling_burst_limit"), part.value("throttling_rate_limit")):
            words = f"{key} is throttled to nothing: every call of it is answered with 429"
            yield finding("BB405", values.block.id, words)


def _authorizer(api: HttpApi, values: Values) -> Iterator[Finding]:
    """Provider's documentation: what it asks for of a Lambda authorizer of an HTTP API."""
    if (
        values.text("authorizer_type") == "REQUEST"
        and values.optional_text("authorizer_payload_format_version") is None
    ):
        words = (
            f"authorizer_payload_format_version: is required for an authorizer of {api.name}, an HTTP API; write 2.0"
        )
        yield finding("BB106", values.block.id, words)


_PARTS: dict[str, Callable[[HttpApi, Values], Iterator[Finding]]] = {
    "aws_apigatewayv2_authorizer": _authorizer,
    "aws_apigatewayv2_stage": _stage,
}


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
