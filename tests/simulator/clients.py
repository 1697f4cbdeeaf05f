"""boto3 clients whose requests a simulator answers: botocore validates what is asked and parses what is answered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.core.models import botocore_stubber

from backbone.simulator import Simulator
from backbone.simulator.processes import Call
from backbone.system.iam import Identity

__all__ = ["client", "session"]


def session(region: str) -> boto3.Session:
    """A session of a region, with keys of nobody."""
    return boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name=region)


class Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@cache
def _made(service: str, region: str) -> Any:
    """A client that moto has no part in; making one takes longer than most tests."""
    once = Config(retries={"total_max_attempts": 1})
    made: Any = session(region).client(service, config=once)  # type: ignore[call-overload]
    made.meta.events.unregister("before-send", botocore_stubber)
    return made


def client(simulator: Simulator, service: str, who: Identity, *, region: str = "eu-central-1") -> Any:
    """The client of a service and region, from now on for this simulator and identity."""
    made = _made(service, region)

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = request.body or b""
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        call = Call(request.method, request.url, headers, body.encode() if isinstance(body, str) else body)
        reply = simulator.call(who, call)
        answered: Any = dict(reply.headers)
        return AWSResponse(request.url, reply.status, answered, Raw(reply.body))

    made.meta.events.unregister("before-send", unique_id="simulator")
    made.meta.events.register_first("before-send", answer, unique_id="simulator")
    return made
