"""API Gateway's HTTP APIs: which route a call takes, who may call, and what the function is given and answers."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from backbone.simulator.engine import Engine
from backbone.simulator.processes import Outcome
from backbone.system import access
from backbone.system.iam import Identity
from backbone.system.model import Function, HttpApi, Route
from backbone.trace import Node

__all__ = ["Answer", "ApiGateway", "HttpCall"]


@dataclass
class HttpCall:
    """A call. The body may be text or JSON values, which are written as such."""

    method: str
    target: str
    body: Any
    headers: dict[str, str]

    def __post_init__(self) -> None:
        """Write the body and the names of headers as the API sees them."""
        if self.body is not None and not isinstance(self.body, str):
            self.body = json.dumps(self.body)
            self.headers.setdefault("content-type", "application/json")
        self.headers = {name.lower(): value for name, value in self.headers.items()}

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Answer:
    """What the caller gets: `body` as JSON values where it is JSON, else as text."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class ApiGateway:
    """The HTTP APIs of a system."""

    def __init__(self, engine: Engine, *, stub_authorizers: bool) -> None:
        self._engine = engine
        self._apis = [(api, sorted(api.routes, key=_precedence)) for api in engine.system.of(HttpApi)]
        self.stub_authorizers = stub_authorizers

    def call(self, call: HttpCall, who: Identity | None, caller: str) -> Answer:
        """What a call is answered. `who` signed it; `caller` is the word for the caller in the trace."""
        engine = self._engine
        api, route, parameters = self._find(call.method, call.path)
        place, account = (api.name, api.account) if api else ("no API", "")
        node = engine.node("http", place, account, f"{call.method} {call.target}", caller=caller)
        if api is None or route is None:
            return self._answered(node, Answer(404, {"message": "Not Found"}))
        authorizer = _authorize(route, call, who, stub=self.stub_authorizers)
        if authorizer is None:
            engine.node("denied", route.key, account, f"{route.authorization} authorization", node, code="403")
            return self._answered(node, Answer(403, {"message": "Forbidden"}))
        function = engine.system.get(Function, route.function_arn)
        source = f"{api.arn}/$default/{call.method}{call.path}"
        if function is None or not access.invoke_permission(function, access.API_GATEWAY, source, api.account_id):
            engine.node("denied", route.key, account, "the API may not invoke the function", node)
            return self._answered(node, Answer(500, {"message": "Internal Server Error"}))
        if engine.strikes(("throttle",), *api.names, *function.names):
            return self._answered(node, Answer(429, {"message": "Too Many Requests"}))
        event = _event(api, route, call, parameters, authorizer, engine.new_id(), engine.timestamp)
        return self._answered(node, _answer(engine.invoke(function, event, node)))

    def _find(self, method: str, path: str) -> tuple[HttpApi | None, Route | None, dict[str, str]]:
        """The API and the route that a call takes: the first that has one."""
        for api, routes in self._apis:
            for route in routes:
                if (parameters := _match(route, method, path)) is not None:
                    return api, route, {name: unquote(value) for name, value in parameters.items()}
        return (self._apis[0][0] if self._apis else None), None, {}

    def _answered(self, node: Node, answer: Answer) -> Answer:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        words = f"{answer.status} {text[:100]}"
        self._engine.node("returned", node.place, node.account, words, node, status=answer.status)
        return answer


def _precedence(route: Route) -> tuple[bool, bool, int, str]:
    """The most specific route comes first."""
    return route.key == "$default", route.key.startswith("ANY"), route.key.count("{"), route.key


def _match(route: Route, method: str, path: str) -> dict[str, str] | None:
    """The path's parameters; None when the route is another."""
    if route.key == "$default":
        return {}
    wanted, _, template = route.key.partition(" ")
    if wanted not in ("ANY", method):
        return None
    parts, given = template.strip("/").split("/"), path.strip("/").split("/")
    found: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part.endswith("+}"):
            found[part[1:-2]] = "/".join(given[index:])
            return found if given[index:] else None
        if index >= len(given) or (not part.startswith("{") and part != given[index]):
            return None
        if part.startswith("{"):
            found[part[1:-1]] = given[index]
    return found if len(parts) == len(given) else None


def _authorize(route: Route, call: HttpCall, who: Identity | None, *, stub: bool) -> dict[str, Any] | None:
    """What the authorizer says of the caller; None when it refuses.

    A token's issuer, audience and expiry are checked, but not its signature: there is nobody to ask for the keys.
    """
    if route.authorization == "NONE":
        return {}
    if route.authorization == "AWS_IAM":
        if who is None and not stub:
            return None
        arn = who.name if who else f"arn:aws:iam::{'0' * 12}:user/stub"
        return {
            "iam": {
                "accessKey": "SIMULATED",
                "accountId": arn.split(":")[4],
                "callerId": "SIMULATED",
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": arn,
                "userId": "SIMULATED",
            }
        }
    if stub:
        return {"jwt": {"claims": {"sub": "stub"}, "scopes": None}}
    claims = _claims(call.headers.get("authorization", ""))
    wanted = route.authorizer or {}
    given = claims.get("aud")
    audience: list[Any] = given if isinstance(given, list) else [given]
    expired = float(claims.get("exp", "inf")) < datetime.now(UTC).timestamp()
    if expired or claims.get("iss") != wanted.get("issuer") or not {*audience} & {*wanted.get("audience", [])}:
        return None
    return {"jwt": {"claims": {key: str(value) for key, value in claims.items()}, "scopes": None}}


def _claims(header: str) -> dict[str, Any]:
    parts = header.removeprefix("Bearer ").split(".")
    try:
        read = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return read if isinstance(read, dict) else {}


def _event(
    api: HttpApi,
    route: Route,
    call: HttpCall,
    parameters: dict[str, str],
    authorizer: dict[str, Any],
    request_id: str,
    now: float,
) -> dict[str, Any]:
    """The event of payload format 2.0 (API Gateway developer guide, "Lambda proxy integrations for HTTP APIs")."""
    host = f"{api.id}.execute-api.{api.place.region}.amazonaws.com"
    agent = call.headers.get("user-agent", "simulator")
    context: dict[str, Any] = {
        "accountId": api.account_id,
        "apiId": api.id,
        "domainName": host,
        "domainPrefix": api.id,
        "http": {
            "method": call.method,
            "path": call.path,
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": agent,
        },
        "requestId": request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now * 1000),
    }
    if authorizer:
        context["authorizer"] = authorizer
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": call.path,
        "rawQueryString": call.query,
        "headers": {"host": host, **call.headers},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if query := parse_qsl(call.query, keep_blank_values=True):
        values: dict[str, str] = {}
        for name, value in query:
            values[name] = f"{values[name]},{value}" if name in values else value
        made["queryStringParameters"] = values
    if parameters:
        made["pathParameters"] = parameters
    if call.body is not None:
        made["body"] = call.body
    return made


def _answer(outcome: Outcome) -> Answer:
    """What API Gateway makes of what the function answered."""
    if outcome.error is not None:
        late = outcome.error["errorType"] == "Sandbox.Timedout"
        return (
            Answer(503, {"message": "Service Unavailable"})
            if late
            else Answer(500, {"message": "Internal Server Error"})
        )
    result = outcome.result
    if not isinstance(result, dict) or "statusCode" not in result:
        return Answer(200, result, {"content-type": "application/json"})
    text = result.get("body") or ""
    if result.get("isBase64Encoded"):
        text = base64.b64decode(text).decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    headers = {str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    return Answer(int(result["statusCode"]), body, headers)
