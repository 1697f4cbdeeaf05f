"""What API Gateway demands of an HTTP API's parts beyond limits.

Sources: API Gateway API reference, CreateApi, CreateAuthorizer, CreateRoute and CreateStage; API Gateway developer
guide, "Configure CORS for HTTP APIs".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved

__all__ = ["API_FACTS"]

Body = Mapping[str, Any]
Fact = Callable[[Body], Iterator[ArgumentProblem]]

SOURCE = re.compile(r"(\$|route\.)(request\.(header|querystring)\.[\w.-]+|context\.\w+(\.\w+)*|stageVariables\.\w+)")
ORIGIN = re.compile(r"\*|https?://[^/\s]+")
VARIABLE, VARIABLE_VALUE = re.compile(r"\w+", re.ASCII), re.compile(r"[A-Za-z0-9\-._~:/?#&=,]*")


def _cors(body: Body) -> Iterator[ArgumentProblem]:
    for block in body.get("cors_configuration", []):
        for origin in block.get("allow_origins") or []:
            if isinstance(origin, str) and not is_unresolved(origin) and not ORIGIN.fullmatch(origin):
                allowed = "*, or scheme and host as browsers send them, such as https://shop.example"
                yield ArgumentProblem(
                    "cors_configuration.allow_origins", f"got {format_value(origin)}; allowed: {allowed}"
                )


def _authorizer(body: Body) -> Iterator[ArgumentProblem]:
    for source in body.get("identity_sources") or []:
        if isinstance(source, str) and not is_unresolved(source) and not SOURCE.fullmatch(source):
            allowed = "where the value is in a call, such as $request.header.Authorization"
            yield ArgumentProblem("identity_sources", f"got {format_value(source)}; allowed: {allowed}")
    for block in body.get("jwt_configuration", []):
        issuer = block.get("issuer")
        if isinstance(issuer, str) and not is_unresolved(issuer) and not re.fullmatch("https://[!-~]+", issuer):
            message = f"got {format_value(issuer)}; allowed: the https URL of the issuer"
            yield ArgumentProblem("jwt_configuration.issuer", message)


def _scopes(body: Body) -> Iterator[ArgumentProblem]:
    if body.get("authorization_scopes") and body.get("authorization_type") not in ("JWT", None):
        message = f"is given for authorization {body['authorization_type']}; tokens alone have scopes: leave it out"
        yield ArgumentProblem("authorization_scopes", message)


def _stage(body: Body) -> Iterator[ArgumentProblem]:
    for block in body.get("access_log_settings", []):
        text = block.get("format")
        if isinstance(text, str) and "\n" in text.strip():
            yield ArgumentProblem("access_log_settings.format", "has several lines; allowed: one")
    for key, value in (body.get("stage_variables") or {}).items():
        if not VARIABLE.fullmatch(key):
            message = f"got the name {format_value(key)}; allowed: letters, digits and _"
            yield ArgumentProblem("stage_variables", message)
        elif isinstance(value, str) and not is_unresolved(value) and not VARIABLE_VALUE.fullmatch(value):
            message = f"got {format_value(value)}; allowed: letters, digits and -._~:/?#&=,"
            yield ArgumentProblem(f"stage_variables.{key}", message)


API_FACTS: Mapping[str, tuple[Fact, ...]] = {
    "aws_apigatewayv2_api": (_cors,),
    "aws_apigatewayv2_authorizer": (_authorizer,),
    "aws_apigatewayv2_route": (_scopes,),
    "aws_apigatewayv2_stage": (_stage,),
}
