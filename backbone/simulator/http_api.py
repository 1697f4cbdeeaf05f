"""API Gateway's HTTP APIs: which route a call takes, who may call, and what the function is given and answers."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from backbone.simulator.functions import Outcome
from backbone.simulator.world import Api, Route, World
from backbone.system.iam import Identity

__all__ = ["Answer", "Request", "answer", "authorize", "event", "find"]


@dataclass
class Request:
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


def find(world: World, method: str, path: str) -> tuple[Api | None, Route | None, dict[str, str]]:
    """The API and the route that a call takes: the first that has one."""
    for api in world.apis:
        for route in api.routes:
            if (parameters := route.match(method, path)) is not None:
                return api, route, {name: unquote(value) for name, value in parameters.items()}
    return (world.apis[0] if world.apis else None), None, {}


def authorize(route: Route, request: Request, who: Identity | None, *, stub: bool) -> dict[str, Any] | None:
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
    claims = _claims(request.headers.get("authorization", ""))
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


def event(
    api: Api,
    route: Route,
    request: Request,
    parameters: dict[str, str],
    authorizer: dict[str, Any],
    request_id: str,
    now: float,
) -> dict[str, Any]:
    """The event of payload format 2.0 (API Gateway developer guide, "Lambda proxy integrations for HTTP APIs")."""
    host = f"{api.id}.execute-api.{api.region}.amazonaws.com"
    agent = request.headers.get("user-agent", "simulator")
    context: dict[str, Any] = {
        "accountId": api.account_id,
        "apiId": api.id,
        "domainName": host,
        "domainPrefix": api.id,
        "http": {
            "method": request.method,
            "path": request.path,
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
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": {"host": host, **request.headers},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if query := parse_qsl(request.query, keep_blank_values=True):
        values: dict[str, str] = {}
        for name, value in query:
            values[name] = f"{values[name]},{value}" if name in values else value
        made["queryStringParameters"] = values
    if parameters:
        made["pathParameters"] = parameters
    if request.body is not None:
        made["body"] = request.body
    return made


def answer(outcome: Outcome) -> Answer:
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
