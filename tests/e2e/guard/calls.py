"""A request to AWS, as it comes over the wire: which action it is, on what, and with which context."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore

from backbone.aws.arn import Place
from backbone.system.iam.catalogue import service as known_service
from backbone.system.iam.text import like

Body = Mapping[str, Any]
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
TARGETS = {"AWSEvents": "events", "DynamoDB_20120810": "dynamodb", "Kinesis_20131202": "kinesis"}
TARGETS |= {"Logs_20140328": "logs", "AmazonSQS": "sqs", "TrentService": "kms"}
TAG = "backbone"


@dataclass(frozen=True)
class Call:
    """A request. `place` has no account before it is known who asks; `body` are its parameters, wherever they stood."""

    key: str
    service: str
    operation: str
    method: str
    path: str
    place: Place
    body: Body
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The action that IAM knows the operation by."""
        if self.service == "apigateway":
            return f"apigateway:{self.method}"
        return f"{self.service}:{self.operation}"


def read(environ: Mapping[str, Any], body: bytes) -> Call:
    """The request that a WSGI environment and a body are."""
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    found = CREDENTIAL.search(header)
    key, region, service = found.groups() if found else ("", "us-east-1", "sts")
    method, path = str(environ["REQUEST_METHOD"]), unquote(str(environ["PATH_INFO"]))
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        before, _, operation = target.rpartition(".")
        parameters: Body = json.loads(body or b"{}")
        service = TARGETS[before]
    elif service in ("iam", "sts"):
        parameters = dict(parse_qsl(body.decode())) | query
        operation = str(parameters["Action"])
    elif service == "s3":
        parameters, operation = {}, _s3(method, path, query)
    else:
        parameters = json.loads(body) if body.strip().startswith(b"{") else {}
        operation, named = _rest(service, method, path)
        parameters = {**parameters, **named}
    return Call(key, service, operation, method, path, Place("aws", region, ""), parameters, query)


def _s3(method: str, path: str, query: Mapping[str, str]) -> str:
    if "/" in path.strip("/"):
        return {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}[method]
    return "ListBucket" if method == "GET" and ("list-type" in query or "prefix" in query) else f"{method}Bucket"


@cache
def _operations(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """The operations of a service with REST, the longest paths first: name, method and path."""
    name = {"apigateway": "apigatewayv2"}.get(service, service)
    folder = Path(botocore.__file__).parent / "data" / name
    file = sorted(folder.glob("*/service-2.json*"))[-1]
    if file.suffix == ".gz":
        import gzip

        model = json.loads(gzip.decompress(file.read_bytes()))
    else:
        model = json.loads(file.read_text())
    found = []
    for operation, one in model["operations"].items():
        uri = one["http"]["requestUri"].partition("?")[0]
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", re.escape(uri))
        found.append((operation, one["http"]["method"], re.compile(f"{pattern}/?")))
    return sorted(found, key=lambda one: -len(one[2].pattern))


def _rest(service: str, method: str, path: str) -> tuple[str, Body]:
    for operation, verb, pattern in _operations(service):
        if verb == method and (found := pattern.fullmatch(path)):
            return operation, found.groupdict()
    raise LookupError(f"{service} {method} {path} is no operation")


def request_tags(call: Call) -> Mapping[str, str]:
    """The tags that a request gives, in whatever form its service has them."""
    found = next((call.body[name] for name in ("Tags", "tags", "Tag") if name in call.body), None)
    if isinstance(found, dict):
        return {str(key): str(value) for key, value in found.items()}
    if isinstance(found, list):
        return {str(tag.get("Key", tag.get("TagKey"))): str(tag.get("Value", tag.get("TagValue"))) for tag in found}
    members = {key: value for key, value in call.body.items() if re.fullmatch(r"Tags\.member\.\d+\.Key", key)}
    return {str(value): str(call.body[key.removesuffix("Key") + "Value"]) for key, value in members.items()}


def resources(call: Call) -> list[str]:
    """What an action is authorized on, as IAM's catalogue says; `*` where an action has no resources."""
    if call.service == "apigateway":
        return [f"arn:aws:apigateway:{call.place.region}::{call.path.removeprefix('/v2')}"]
    known = known_service(call.service)
    found = known.matching(call.operation) if known else ()
    if not found:
        raise LookupError(f"{call.action} is no action of IAM")
    if not found[0].resources:
        return ["*"]
    touched = list(dict.fromkeys(_touched(call)))
    fitting = [arn for arn in touched if any(like(pattern, arn) for pattern in found[0].resources)]
    if not fitting:
        raise LookupError(f"{call.action}: none of {touched} is what it is done to: {dict(call.body)}")
    return fitting


def _touched(call: Call) -> Iterator[str]:
    """The ARNs of all that the parameters of a call name: the resource of a call about one, else all that it names."""
    place, body = call.place, call.body
    if about := next((body[name] for name in ABOUT if name in body), None):
        yield from (str(about), f"{about}:*")
        return
    for value in body.values():
        if isinstance(value, str) and value.startswith("arn:"):
            yield value
    yield from NAMES[call.service](place, body) if call.service in NAMES else ()
    if call.service == "s3":
        yield f"arn:aws:s3:::{call.path.strip('/')}"


def _events(place: Place, body: Body) -> Iterator[str]:
    bus = str(body.get("EventBusName", "default")).rpartition("/")[2]
    name = str(body.get("Name", body.get("Rule", body.get("ArchiveName", ""))))
    yield place.arn("events", f"rule/{name}") if bus == "default" else place.rule(bus, name)
    yield place.arn("events", f"event-bus/{name}")
    for kind in ("connection", "api-destination"):
        yield place.arn("events", f"{kind}/{name}/1")
    yield place.arn("events", f"archive/{name}")


def _logs(place: Place, body: Body) -> Iterator[str]:
    if group := body.get("logGroupName"):
        yield place.arn("logs", f"log-group:{group}")
    if name := body.get("name", body.get("deliverySourceName")):
        yield place.arn("logs", f"delivery-source:{name}")
        yield place.arn("logs", f"delivery-destination:{name}")
    yield place.arn("logs", f"delivery:{body.get('id', 'new')}")


def _functions(place: Place, body: Body) -> Iterator[str]:
    if name := body.get("FunctionName"):
        yield place.arn("lambda", f"function:{name}")
    if mapping := body.get("UUID"):
        yield place.arn("lambda", f"event-source-mapping:{mapping}")


def _queues(place: Place, body: Body) -> Iterator[str]:
    yield place.arn("sqs", str(body.get("QueueName") or body.get("QueueUrl")).rpartition("/")[2])


def _keys(place: Place, body: Body) -> Iterator[str]:
    for name in (body.get("KeyId"), body.get("TargetKeyId")):
        if name:
            yield place.arn("kms", f"key/{str(name).removeprefix('alias/')}")
    if alias := body.get("AliasName"):
        yield place.arn("kms", str(alias))


ABOUT = ("ResourceARN", "ResourceArn", "resourceArn", "Resource")
"""How services call the resource that a call is about, of those that have its ARN."""
NAMES = {
    "dynamodb": lambda place, body: [place.arn("dynamodb", f"table/{body.get('TableName')}")],
    "events": _events,
    "iam": lambda place, body: [place.iam(f"role/{body.get('RoleName')}"), place.iam(f"user/{body.get('UserName')}")],
    "kinesis": lambda place, body: [place.arn("kinesis", f"stream/{body.get('StreamName')}")],
    "kms": _keys,
    "lambda": _functions,
    "logs": _logs,
    "sqs": _queues,
}
"""The resources that the parameters of a service name."""


def token(call: Call) -> tuple[str, Mapping[str, str]]:
    """The issuer of a web identity's token and the keys that its claims give."""
    payload = str(call.body["WebIdentityToken"]).split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    host = claims["iss"].removeprefix("https://")
    return host, {f"{host}:aud": claims["aud"], f"{host}:sub": claims["sub"]}
