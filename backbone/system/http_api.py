"""How the blocks of an HTTP API are read."""

from __future__ import annotations

import re
from collections import Counter
from typing import get_args

from backbone.system.blocks import Blocks
from backbone.system.http_model import Authorization, Cors, HttpApi, Integration, Jwt, Route, Stage
from backbone.system.values import Values

__all__ = ["read"]

LONGEST_INTEGRATION_SECONDS = 30
"""API Gateway developer guide, "Quotas for HTTP APIs"."""


def read(blocks: Blocks, values: Values) -> HttpApi:
    """An API with everything that is attached to it."""
    api_id, block = values.text("id"), values.block
    found = [
        (each.text("id"), blocks.try_reading(each.block, _integration))
        for each in blocks.attached("aws_apigatewayv2_integration", api_id)
    ]
    integrations = {f"integrations/{id_}": integration for id_, integration in found if integration is not None}
    authorizers = {
        each.text("id"): _authorizer(each) for each in blocks.attached("aws_apigatewayv2_authorizer", api_id)
    }
    deployed = any(True for _ in blocks.attached("aws_apigatewayv2_deployment", api_id))
    routes = blocks.read_attached(
        "aws_apigatewayv2_route", api_id, lambda route: _route(route, integrations, authorizers)
    )
    for key, count in Counter(route.key for route in routes).items():
        if count > 1:
            blocks.find("BB403", block, f"has the route {key} {count} times")
    return HttpApi(
        address=block.id,
        name=values.text("name"),
        arn=values.text("execution_arn"),
        account=block.account,
        place=block.place,
        id=api_id,
        protocol=values.text("protocol_type"),
        endpoint_disabled=values.flag("disable_execute_api_endpoint", default=False),
        routes=routes,
        stages=blocks.read_attached("aws_apigatewayv2_stage", api_id, lambda stage: _stage(stage, deployed=deployed)),
        cors=_cors(values.part("cors_configuration")),
    )


def _integration(values: Values) -> Integration:
    uri = values.text("integration_uri", "")
    function = re.search(r"arn:[^/]+:function:[^/]+", uri)
    milliseconds = values.integer("timeout_milliseconds", LONGEST_INTEGRATION_SECONDS * 1000)
    return Integration(
        address=values.block.id,
        type=values.text("integration_type"),
        function_arn=function[0] if function else None,
        payload_version=values.text("payload_format_version", "1.0"),
        timeout_seconds=milliseconds / 1000,
    )


def _authorizer(values: Values) -> Jwt | None:
    if values.text("authorizer_type", "") != "JWT":
        return None
    jwt, sources = values.part("jwt_configuration"), values.texts("identity_sources")
    return Jwt(
        issuer=jwt.text("issuer", ""),
        audience=jwt.texts("audience"),
        identity_source=sources[0] if sources else "$request.header.Authorization",
    )


def _route(values: Values, integrations: dict[str, Integration], authorizers: dict[str, Jwt | None]) -> Route:
    authorization = values.text("authorization_type", "NONE")
    if authorization not in get_args(Authorization):
        raise values.wrong("authorization_type", authorization, ", ".join(get_args(Authorization)))
    return Route(
        address=values.block.id,
        key=values.text("route_key"),
        authorization=authorization,  # type: ignore[arg-type] # checked above
        scopes=values.texts("authorization_scopes"),
        jwt=authorizers.get(values.text("authorizer_id", "")),
        integration=integrations.get(values.text("target", "")),
    )


def _stage(values: Values, *, deployed: bool) -> Stage:
    settings, log = values.part("default_route_settings"), values.part("access_log_settings")
    burst = settings.number("throttling_burst_limit")
    return Stage(
        address=values.block.id,
        name=values.text("name"),
        deployed=values.flag("auto_deploy", default=False) or (deployed and values.value("deployment_id") is not None),
        rate=settings.number("throttling_rate_limit"),
        burst=None if burst is None else int(burst),
        variables=values.mapping("stage_variables"),
        access_log_arn=log.optional_text("destination_arn"),
        access_log_format=log.text("format", ""),
    )


def _cors(values: Values) -> Cors | None:
    if not values.nested:
        return None
    return Cors(
        origins=values.texts("allow_origins"),
        methods=values.texts("allow_methods"),
        headers=values.texts("allow_headers"),
        exposed=values.texts("expose_headers"),
        max_age_seconds=values.integer("max_age", 0),
        credentials=values.flag("allow_credentials", default=False),
    )
