"""What a function is given of an HTTP call and what is made of its answer, in payload formats 2.0 and 1.0.

API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", and what AWS's own Lambda Test Tool
was made to do after what was seen on AWS: paths come decoded, and an answer without a status is the body as it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from backbone.system.http_model import HttpApi, Route, Stage

__all__ = ["Answer", "HttpCall", "Way", "answer_of", "event_of"]

MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""The largest body that an HTTP API takes (API Gateway quotas)."""

MAX_FUNCTION_BYTES = 6 * 1024 * 1024
"""The largest payload of a synchronous invocation (Lambda quotas)."""

TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
SOURCE_IP = "127.0.0.1"
ERROR = {"message": "Internal Server Error"}


@dataclass
class HttpCall:
    """A call. The body may be text, bytes, or JSON values, which are written as such."""

    method: str
    target: str
    body: Any
    headers: dict[str, str]

    def __post_init__(self) -> None:
        """Write the body and the names of headers as the API sees them."""
        self.headers = {name.lower(): value for name, value in self.headers.items()}
        if self.body is not None and not isinstance(self.body, str | bytes):
            self.body = json.dumps(self.body)
            self.headers.setdefault("content-type", "application/json")

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0] or "/"

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.target.partition("?")[2]

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.body.encode("utf-8", "surrogatepass") if isinstance(self.body, str) else self.body or b""

    @property
    def cookies(self) -> list[str]:
        """The cookies of the call, each as `name=value`."""
        return [part.strip() for part in self.headers.get("cookie", "").split(";") if part.strip()]

    def value_of(self, source: str) -> str:
        """What an identity source names, as in `$request.querystring.token`; empty where the call has no such thing."""
        _, _, name = source.removeprefix("$request.").partition(".")
        if source.startswith("$request.querystring."):
            return dict(parse_qsl(self.query)).get(name, "")
        return self.headers.get(name.lower(), "")

    def written(self) -> tuple[str | None, bool]:
        """The body as a function gets it, and whether it is base64: what is not text is."""
        if self.body is None:
            return None, False
        kind = self.headers.get("content-type", "text/plain").lower()
        try:
            text = self.content.decode()
        except UnicodeDecodeError:
            text = None
        if text is not None and kind.startswith(TEXT_TYPES):
            return text, False
        return base64.b64encode(self.content).decode(), True


@dataclass(frozen=True)
class Answer:
    """What the caller gets: `body` as JSON values where it is JSON, else as text, or as bytes where it is neither."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    is_json: bool = False
    """Whether a body of text is a string of JSON, which has quotes."""

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        is_text = isinstance(self.body, str) and not self.is_json
        return (self.body if is_text else json.dumps(self.body)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Way:
    """The way that a call takes: its stage and route, and what the authorizer says of the caller."""

    api: HttpApi
    route: Route
    stage: Stage
    path: str
    """The path within the stage."""
    parameters: Mapping[str, str]
    authorizer: Mapping[str, Any]
    request_id: str
    now: float
    """When the call came, in seconds since 1970."""


def event_of(call: HttpCall, way: Way) -> dict[str, Any]:
    """The event of a call, in the payload format of the route's integration."""
    version = way.route.integration.payload_version if way.route.integration else "2.0"
    return _version_1(call, way) if version == "1.0" else _version_2(call, way)


def _time(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def _headers(call: HttpCall, way: Way) -> dict[str, str]:
    """The headers that a function gets: those of the call, and what API Gateway adds."""
    return {
        "host": way.api.host,
        "content-length": str(len(call.content)),
        "x-amzn-trace-id": f"Root=1-{int(way.now):08x}-{hashlib.sha256(way.request_id.encode()).hexdigest()[:24]}",
        "x-forwarded-for": SOURCE_IP,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **call.headers,
    }


def _version_2(call: HttpCall, way: Way) -> dict[str, Any]:
    body, encoded = call.written()
    context: dict[str, Any] = {
        "accountId": way.api.account_id,
        "apiId": way.api.id,
        "domainName": way.api.host,
        "domainPrefix": way.api.id,
        "http": {
            "method": call.method,
            "path": unquote(call.path),
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE_IP,
            "userAgent": call.headers.get("user-agent", "simulator"),
        },
        "requestId": way.request_id,
        "routeKey": way.route.key,
        "stage": way.stage.name,
        "time": _time(way.now),
        "timeEpoch": int(way.now * 1000),
    }
    if way.authorizer:
        context["authorizer"] = dict(way.authorizer)
    headers = {name: value for name, value in _headers(call, way).items() if name != "cookie"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": way.route.key,
        "rawPath": unquote(call.path),
        "rawQueryString": call.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": encoded,
    }
    if call.cookies:
        event["cookies"] = call.cookies
    if values := _query(call):
        event["queryStringParameters"] = {name: ",".join(listed) for name, listed in values.items()}
    if way.parameters:
        event["pathParameters"] = dict(way.parameters)
    if way.stage.variables:
        event["stageVariables"] = dict(way.stage.variables)
    if body is not None:
        event["body"] = body
    return event


def _version_1(call: HttpCall, way: Way) -> dict[str, Any]:
    body, encoded = call.written()
    headers = {name.title(): value for name, value in _headers(call, way).items()}
    query = _query(call)
    iam = way.authorizer.get("iam") or {}
    resource = way.route.key.partition(" ")[2] or "$default"
    identity = {
        "accessKey": iam.get("accessKey"),
        "accountId": iam.get("accountId"),
        "caller": iam.get("callerId"),
        "sourceIp": SOURCE_IP,
        "user": iam.get("userId"),
        "userAgent": call.headers.get("user-agent", "simulator"),
        "userArn": iam.get("userArn"),
    }
    context = {
        "accountId": way.api.account_id,
        "apiId": way.api.id,
        "domainName": way.api.host,
        "domainPrefix": way.api.id,
        "extendedRequestId": way.request_id,
        "httpMethod": call.method,
        "identity": identity,
        "path": unquote(call.path),
        "protocol": "HTTP/1.1",
        "requestId": way.request_id,
        "requestTime": _time(way.now),
        "requestTimeEpoch": int(way.now * 1000),
        "resourceId": way.route.key,
        "resourcePath": resource,
        "stage": way.stage.name,
    }
    if "jwt" in way.authorizer:
        context["authorizer"] = dict(way.authorizer["jwt"])
    return {
        "version": "1.0",
        "resource": resource,
        "path": unquote(call.path),
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: listed[-1] for name, listed in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": context,
        "pathParameters": dict(way.parameters) or None,
        "stageVariables": dict(way.stage.variables) or None,
        "body": body,
        "isBase64Encoded": encoded,
    }


def _query(call: HttpCall) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(call.query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values


def answer_of(result: Any, version: str) -> Answer | None:
    """What API Gateway makes of what a function returned; None when it is malformed, which is answered with 500."""
    if version != "1.0" and (not isinstance(result, dict) or "statusCode" not in result):
        # Format 2.0 takes anything else for the body of a good answer, as the JSON that it is.
        return Answer(200, result, {"content-type": "application/json"}, is_json=True)
    if not isinstance(result, dict):
        return None
    status, headers, cookies = result.get("statusCode"), result.get("headers"), result.get("cookies")
    body = _body(result)
    if body is None or not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        return None
    if not isinstance(headers, dict | None) or not isinstance(cookies, list | None):
        return None
    many = result.get("multiValueHeaders") if version == "1.0" else None
    if not isinstance(many, dict | None) or any(isinstance(value, dict | list) for value in (headers or {}).values()):
        return None
    joined = {str(name): ",".join(map(str, values)) for name, values in (many or {}).items()} | (headers or {})
    written = {str(name).lower(): _text(value) for name, value in joined.items()}
    written.setdefault("content-type", "text/plain; charset=utf-8")
    return Answer(status, body, written, tuple(map(str, cookies or ())))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(result: Mapping[str, Any]) -> Any:
    """The body of an answer: JSON values, text or bytes; None when it is malformed."""
    given = result.get("body")
    if given is None:
        return ""
    if not isinstance(given, str):
        return None
    content: str | bytes = given
    if result.get("isBase64Encoded"):
        try:
            content = base64.b64decode(given, validate=True)
        except (ValueError, binascii.Error):
            return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content if isinstance(content, str) else _decoded(content)


def _decoded(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
