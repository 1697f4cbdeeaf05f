"""botocore as judge: what the simulator answers is parsed by botocore's parsers and held against the services' models.

The fixture `judged` has every call judged that a simulator answers while a test runs, of functions as of clients.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from backbone.simulator.engine import Engine
from backbone.simulator.processes import Call, Reply
from backbone.system.iam import Identity

__all__ = ["judge", "judged", "problems"]

SERVICES = {
    "AWSEvents": "events",
    "AmazonSQS": "sqs",
    "DynamoDB_20120810": "dynamodb",
    "Kinesis_20131202": "kinesis",
}
"""The service of each API, by what stands before the dot in X-Amz-Target."""

COMMON_ERRORS = {
    *("AccessDenied", "AccessDeniedException", "InvalidParameterValue", "MissingParameter", "RequestThrottled"),
    *("SerializationException", "ThrottlingException", "ValidationException"),
}
"""What every call may be answered with (API references, "Common errors"), which the models leave out."""

ENTRY_ERRORS = {
    *("AccessDeniedException", "InternalFailure", "InvalidAccountIdException", "InvalidArgument", "MalformedDetail"),
    *("NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException", "RedactionFailure"),
    *("ThrottlingException", "LimitExceededException"),
}
"""The codes of an entry that PutEvents did not take (EventBridge API reference, PutEventsResultEntry)."""

LEFT_OUT = {"Failed", "Successful"}
"""What SQS leaves out when it is empty (recorded), although the model demands it."""

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
    "blob": (str,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


@cache
def _service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def judge(call: Call, reply: Reply) -> None:
    """Fail unless an answer, and the request that it answers, are as the service's model has them."""
    found = list(problems(call, reply))
    assert not found, f"{call.target}: {'; '.join(found)}: {reply.body.decode()[:500]}"


def problems(call: Call, reply: Reply) -> Iterator[str]:
    """In what an answer differs from the service's model; what is not simulated says so, and has no model."""
    api, _, name = call.target.partition(".")
    if api not in SERVICES or reply.status == 501:
        return
    service = _service(SERVICES[api])
    operation = service.operation_model(name)
    if reply.status >= 300:
        yield from _error_problems(service, operation, reply)
        return
    yield from _request_problems(operation, call)
    content = json.loads(reply.body or b"{}")
    if operation.output_shape is not None:
        yield from _problems(operation.output_shape, content, "")
    for entry in content.get("Entries", []) if name == "PutEvents" else []:
        if "ErrorCode" in entry and entry["ErrorCode"] not in ENTRY_ERRORS:
            yield f"the entry's code {entry['ErrorCode']} is not documented"
        if ("EventId" in entry) is ("ErrorCode" in entry):
            yield "an entry has either an id or an error"
    parsed = _parsed(service, operation, reply)
    if parsed["ResponseMetadata"]["HTTPStatusCode"] != reply.status:
        yield "botocore reads another status"


def _parsed(service: ServiceModel, operation: OperationModel, reply: Reply) -> Any:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    given = {"status_code": reply.status, "headers": headers, "body": reply.body}
    shape: Any = operation.output_shape
    return create_parser(service.metadata["protocol"]).parse(given, shape)


def _error_problems(service: ServiceModel, operation: OperationModel, reply: Reply) -> Iterator[str]:
    error = _parsed(service, operation, reply)["Error"]
    code = error.get("QueryErrorCode", error["Code"])  # SQS has other codes in its older protocol
    if code not in COMMON_ERRORS | {shape.name for shape in operation.error_shapes}:
        yield f"the code {code} is not documented"
    if not error["Message"]:
        yield "the error has no message"
    if not 400 <= reply.status < 600:
        yield f"{reply.status} is no status of an error"


def _request_problems(operation: OperationModel, call: Call) -> Iterator[str]:
    """What botocore's own validator finds in the request, read back from its JSON."""
    if operation.input_shape is None:
        return
    given = _read(operation.input_shape, json.loads(call.body or b"{}"))
    if (report := ParamValidator().validate(given, operation.input_shape)).has_errors():
        yield f"the request: {report.generate_report()}"


def _read(shape: Any, value: Any) -> Any:
    """A value of a request as a caller gave it to botocore: bytes and times are texts and numbers in JSON."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            return {
                name: _read(shape.members[name], part) if name in shape.members else part
                for name, part in value.items()
            }
        case "list" if isinstance(value, list):
            return [_read(shape.member, part) for part in value]
        case "map" if isinstance(value, dict):
            return {name: _read(shape.value, part) for name, part in value.items()}
        case "blob":
            return base64.b64decode(value)
        case "timestamp":
            return datetime.fromtimestamp(value, UTC)
    return value


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    """In what a value of an answer differs from its shape."""
    if value is None:
        if path:
            yield f"{path} is null"
        return
    is_of_type = isinstance(value, TYPES[shape.type_name])
    if not is_of_type or (shape.type_name != "boolean" and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {shape.type_name}"
        return
    match shape.type_name:
        case "structure":
            yield from _members(shape, value, path)
        case "list":
            for number, part in enumerate(value):
                yield from _problems(shape.member, part, f"{path}[{number}]")
        case "map":
            for name, part in value.items():
                yield from _problems(shape.value, part, f"{path}.{name}")
        case "string":
            yield from _text_problems(shape, value, path)
        case "blob":
            base64.b64decode(value, validate=True)


def _members(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    for name in shape.required_members:
        if name not in value and name not in LEFT_OUT:
            yield f"{path}.{name} is missing"
    for name, part in value.items():
        if name not in names:
            yield f"{path}.{name} is no member of {shape.name}"
        else:
            yield from _problems(names[name], part, f"{path}.{name}")


def _text_problems(shape: Shape, value: str, path: str) -> Iterator[str]:
    metadata = shape.metadata
    if shape.enum and value not in shape.enum:  # type: ignore[attr-defined] # of strings
        yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"  # type: ignore[attr-defined]
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        yield f"{path}: {value!r} does not match {metadata['pattern']}"
    if len(value) < metadata.get("min", 0) or len(value) > metadata.get("max", float("inf")):
        yield f"{path}: {len(value)} characters are not allowed"


@pytest.fixture(autouse=True, scope="module")
def judged() -> Iterator[None]:
    """Judge every call that is answered."""
    answer = Engine.call

    def judged_call(self: Engine, who: Identity, call: Call) -> Reply:
        reply = answer(self, who, call)
        judge(call, reply)
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "call", judged_call)
        yield
