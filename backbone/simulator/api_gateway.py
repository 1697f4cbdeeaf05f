"""API Gateway's HTTP APIs: stages, throttling, authorizers, CORS, and the functions that answer."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from backbone.simulator.engine import Engine, SimulatorError
from backbone.simulator.http_payload import (
    MAX_FUNCTION_BYTES,
    MAX_REQUEST_BYTES,
    Answer,
    HttpCall,
    Way,
    answer_of,
    event_of,
)
from backbone.simulator.http_routes import ordered, route_of, stage_of
from backbone.simulator.tokens import KeySet, verify
from backbone.system import access
from backbone.system.http_model import Cors, HttpApi, Route, Stage
from backbone.system.iam import Identity, authorize
from backbone.system.model import Function, LogGroup
from backbone.trace import Node

__all__ = ["Answer", "ApiGateway", "HttpCall"]

INTERNAL = Answer(500, {"message": "Internal Server Error"})
UNAVAILABLE = Answer(503, {"message": "Service Unavailable"})
NOT_FOUND = Answer(404, {"message": "Not Found"})
FORBIDDEN = Answer(403, {"message": "Forbidden"})
UNAUTHORIZED = Answer(401, {"message": "Unauthorized"})
TOO_MANY = Answer(429, {"message": "Too Many Requests"})
TOO_LARGE = Answer(413, {"message": "Request Entity Too Large"})


class ApiGateway:
    """The HTTP APIs of a system."""

    def __init__(self, engine: Engine, *, stub_authorizers: bool, keys: KeySet) -> None:
        self._engine = engine
        self._apis = list(engine.system.of(HttpApi))
        self._routes = {api.arn: ordered(api.routes) for api in self._apis}
        self._keys = keys
        self.stub_authorizers = stub_authorizers

    def api_of(self, name: str | None, host: str = "") -> HttpApi | None:
        """The API of a name, id, address or host; the only one where neither is given.

        None when there is no API at all; SimulatorError when there are several and nothing tells which is meant.
        """
        for api in self._apis:
            if name in (*api.names, api.id) or (name is None and host.partition(".")[0] in (api.id, api.name)):
                return api
        if name is None and len(self._apis) <= 1:
            return self._apis[0] if self._apis else None
        known = ", ".join(api.name for api in self._apis) or "none"
        raise SimulatorError(f"api: got {name or host or 'nothing'!r}; allowed: {known}")

    def call(self, api: HttpApi | None, call: HttpCall, who: Identity | None, caller: str) -> Answer:
        """What a call is answered. `who` signed it; `caller` is the word for the caller in the trace."""
        engine = self._engine
        place, account = (api.name, api.account) if api else ("no API", "")
        node = engine.node("http", place, account, f"{call.method} {call.target}", payload=call.body, caller=caller)
        answer, way = (NOT_FOUND, None) if api is None else self._answer(api, call, who, node)
        if api is not None and api.cors is not None:
            answer = _with_cors(answer, api.cors, call.headers.get("origin", ""))
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, default=repr)
        engine.node(
            "returned", place, account, f"{answer.status} {text[:100]}", node, payload=answer.body, status=answer.status
        )
        if api is not None:
            self._log(api, call, way, answer)
        return answer

    def _answer(self, api: HttpApi, call: HttpCall, who: Identity | None, node: Node) -> tuple[Answer, Way | None]:
        """The answer, and the way that the call took as far as it came to a route."""
        if api.endpoint_disabled:
            return FORBIDDEN, None
        if len(call.content) > MAX_REQUEST_BYTES:
            return TOO_LARGE, None
        if api.cors is not None and (preflight := _preflight(api.cors, call)) is not None:
            return preflight, None
        stage, path = stage_of(api, unquote(call.path))
        found = route_of(self._routes[api.arn], call.method, path) if stage is not None and stage.deployed else None
        if stage is None or found is None:
            return NOT_FOUND, None
        route, parameters = found
        refused, authorizer = self._authorized(api, route, stage, path, call, who)
        if refused is not None:
            words = f"{route.authorization} authorization"
            self._engine.node("denied", route.key, api.account, words, node, code=str(refused.status))
            return refused, None
        way = Way(
            api=api,
            route=route,
            stage=stage,
            path=path,
            parameters=parameters,
            authorizer=authorizer,
            request_id=self._engine.new_id(),
            now=self._engine.timestamp,
        )
        if stage.rate == 0 or stage.burst == 0:
            return TOO_MANY, way
        return self._invoked(call, way, node), way

    def _authorized(
        self, api: HttpApi, route: Route, stage: Stage, path: str, call: HttpCall, who: Identity | None
    ) -> tuple[Answer | None, dict[str, Any]]:
        """The answer with which the authorizer refuses, if it does, and what it says of the caller."""
        if route.authorization == "NONE":
            return None, {}
        if route.authorization == "AWS_IAM":
            arn = f"{api.arn}/{stage.name}/{call.method}{path}"
            if not self.stub_authorizers and (who is None or not self._may_call(who, arn, api)):
                return FORBIDDEN, {}
            return None, {"iam": _iam(who.name if who else f"arn:aws:iam::{'0' * 12}:user/stub")}
        if self.stub_authorizers:
            return None, {"jwt": {"claims": {"sub": "stub"}, "scopes": None}}
        if route.jwt is None:
            return UNAUTHORIZED, {}
        token = call.value_of(route.jwt.identity_source)
        verified = verify(route.jwt, token, self._keys, time.time() + self._engine.now)
        if verified is None:
            return UNAUTHORIZED, {}
        if route.scopes and not set(route.scopes) & set(verified.scopes):
            return FORBIDDEN, {}
        claims = {name: _claim(value) for name, value in verified.claims.items()}
        return None, {"jwt": {"claims": claims, "scopes": list(verified.scopes) if route.scopes else None}}

    def _may_call(self, who: Identity, arn: str, api: HttpApi) -> bool:
        """Whether an identity's own policies let it call; an identity of another account has no way in."""
        if who.account_id != api.account_id:
            return False
        context = self._engine.context
        return bool(authorize(who, "execute-api:Invoke", arn, owner=api.account_id, context=context))

    def _invoked(self, call: HttpCall, way: Way, node: Node) -> Answer:
        engine, route, api = self._engine, way.route, way.api
        function, integration = engine.system.get(Function, route.function_arn), route.integration
        source = f"{api.arn}/{way.stage.name}/{call.method}{way.path}"
        if function is None or integration is None:
            engine.node("denied", route.key, api.account, "the route leads to no function", node)
            return INTERNAL
        if not access.invoke_permission(function, access.API_GATEWAY, source, api.account_id):
            engine.node("denied", route.key, api.account, "the API may not invoke the function", node)
            return INTERNAL
        if engine.strikes(("throttle",), *api.names, *function.names):
            return TOO_MANY
        event = event_of(call, way)
        if len(json.dumps(event).encode("utf-8", "surrogatepass")) > MAX_FUNCTION_BYTES:
            return TOO_LARGE
        outcome = engine.invoke(function, event, node)
        if outcome.seconds > integration.timeout_seconds:
            return UNAVAILABLE
        if outcome.error is not None:
            return INTERNAL
        answer = answer_of(outcome.result, integration.payload_version)
        if answer is None:
            engine.node("failed", api.name, api.account, "the function's answer is malformed", node)
        return answer or INTERNAL

    def _log(self, api: HttpApi, call: HttpCall, way: Way | None, answer: Answer) -> None:
        """Write the access log of the stage."""
        stage = way.stage if way else next((stage for stage in api.stages if stage.name == "$default"), None)
        group = self._engine.system.get(LogGroup, (stage.access_log_arn or "").removesuffix(":*")) if stage else None
        if stage is None or group is None:
            return
        known = {
            "requestId": way.request_id if way else "-",
            "routeKey": way.route.key if way else "-",
            "httpMethod": call.method,
            "path": call.path,
            "status": str(answer.status),
            "stage": stage.name,
            "protocol": "HTTP/1.1",
            "responseLength": str(len(answer.content)),
            "identity.sourceIp": "127.0.0.1",
            "identity.userArn": str(((way.authorizer.get("iam") or {}) if way else {}).get("userArn", "-")),
        }
        text = re.sub(r"\$context\.([\w.]+)", lambda found: known.get(found[1], "-"), stage.access_log_format)
        self._engine.write_log(group.account_id, group.name, text)


def _iam(arn: str) -> dict[str, Any]:
    return {
        "accessKey": "SIMULATED",
        "accountId": arn.split(":")[4],
        "callerId": "SIMULATED",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": arn,
        "userId": "SIMULATED",
    }


def _claim(value: Any) -> str:
    """A claim as text, as functions get it."""
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _admitted(cors: Cors, origin: str) -> bool:
    return bool(origin) and any(allowed in ("*", origin) for allowed in cors.origins)


def _preflight(cors: Cors, call: HttpCall) -> Answer | None:
    """The API's own answer to a browser that asks first; None when the call is none of that kind."""
    asked = call.headers.get("access-control-request-method")
    if call.method != "OPTIONS" or asked is None or "origin" not in call.headers:
        return None
    if not _admitted(cors, call.headers["origin"]):
        return Answer(204, "")
    headers = {
        "access-control-allow-methods": ",".join(cors.methods),
        "access-control-allow-headers": ",".join(cors.headers),
        "access-control-max-age": str(cors.max_age_seconds),
    }
    return Answer(204, "", headers)


def _with_cors(answer: Answer, cors: Cors, origin: str) -> Answer:
    """An answer with the API's own CORS headers, in place of those that a function gave."""
    own = {name: value for name, value in answer.headers.items() if not name.startswith("access-control-")}
    if not _admitted(cors, origin):
        return replace(answer, headers=own)
    kept = {name: value for name, value in answer.headers.items() if answer.status == 204 and name not in own}
    more = {"access-control-allow-origin": "*" if "*" in cors.origins else origin}
    if cors.exposed:
        more["access-control-expose-headers"] = ",".join(cors.exposed)
    if cors.credentials:
        more["access-control-allow-credentials"] = "true"
    return replace(answer, headers=own | kept | more)
