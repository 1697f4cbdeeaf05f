"""Runs handlers, each in a process of its own. Started by path: it must not import the backbone.

One process loads what every handler needs and then forks for each function that it is asked for, so that a function
starts in milliseconds. Messages are JSON with their length before them, on a socket; what the handler prints is sent
along. AWS calls do not leave the process: botocore hands each request to the simulator, which answers.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import importlib
import io
import json
import os
import signal
import socket
import struct
import sys
import traceback
from typing import Any

import boto3
import botocore.handlers
from botocore.awsrequest import AWSResponse

PRELOADED = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_xray_sdk.core",
    "pydantic.json_schema",
)
CALLED = ("dynamodb", "events", "sqs")


class Channel:
    """Both directions to the simulator."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream = connection.makefile("rwb")

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        content = json.dumps(message).encode()
        self._stream.write(struct.pack(">I", len(content)) + content)
        self._stream.flush()

    def receive(self) -> dict[str, Any]:
        """Wait for a message; the process ends with the simulator."""
        head = self._stream.read(4)
        if len(head) < 4:
            os._exit(0)
        message: dict[str, Any] = json.loads(self._stream.read(struct.unpack(">I", head)[0]))
        return message


channels: list[Channel] = []
"""The one channel of a process that runs a handler."""


class Printed(io.TextIOBase):
    """Standard output and error of the handler."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep the text."""
        self._parts.append(text)
        return len(text)

    def take(self) -> str:
        """Return what was printed since the last time."""
        text = "".join(self._parts)
        self._parts.clear()
        return text


class Context:
    """What Lambda tells a handler of its invocation."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.function_name: str = given["function_name"]
        self.function_version = "$LATEST"
        self.invoked_function_arn: str = given["function_arn"]
        self.memory_limit_in_mb: int = given["memory_mb"]
        self.aws_request_id: str = given["request_id"]
        self.log_group_name: str = given["log_group"]
        self.log_stream_name = "simulator"
        self.identity = None
        self.client_context = None
        self._milliseconds = given["timeout_seconds"] * 1000

    def get_remaining_time_in_millis(self) -> int:
        """Return the time-out: the clock is the parent's."""
        return int(self._milliseconds)


def before_send(request: Any, **_: Any) -> AWSResponse:
    """Have the simulator answer a request that botocore would send."""
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {key: value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()}
    call = {"method": request.method, "url": request.url, "headers": headers}
    channel = channels[0]
    channel.send({"call": call | {"body": base64.b64encode(body).decode()}})
    reply = channel.receive()
    return AWSResponse(request.url, reply["status"], reply["headers"], Raw(base64.b64decode(reply["body"])))


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """Give the whole body."""
        yield self.read()


def serve(channel: Channel, given: dict[str, Any]) -> None:
    """Load one handler, then answer invocations until the simulator is gone."""
    printed = Printed()
    sys.stdout = sys.stderr = printed
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["folder"])
    sys.path.insert(0, given["folder"])
    channel.send({"process": os.getpid()})
    module, _, name = given["handler"].rpartition(".")
    try:
        function = getattr(importlib.import_module(module), name)
    except BaseException as error:
        channel.send({"failed": problem(error, "Runtime.ImportModuleError"), "printed": printed.take()})
        return
    channel.send({"ready": True})
    while True:
        message = channel.receive()
        try:
            result = function(message["event"], Context(message["context"]))
            text = json.dumps(result)
        except BaseException as error:
            channel.send({"failed": problem(error, type(error).__name__), "printed": printed.take()})
        else:
            channel.send({"result": text, "printed": printed.take()})


def problem(error: BaseException, kind: str) -> dict[str, Any]:
    """An error as Lambda reports it."""
    return {
        "errorMessage": str(error),
        "errorType": kind,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def main() -> None:
    """Fork for every function that the simulator asks for, until it is gone."""
    # Before there is any session: a session takes over the handlers that there are.
    botocore.handlers.BUILTIN_HANDLERS.append(("before-send", before_send))
    for module in PRELOADED:
        with contextlib.suppress(ImportError):  # a handler that needs it will say so
            importlib.import_module(module)
    with contextlib.suppress(ImportError):
        pydantic: Any = importlib.import_module("pydantic")
        pydantic.create_model("First", text=(str, ""))  # the first model loads what all need
    make: Any = boto3.client
    for service in CALLED:
        # Reading the description of a service's API is most of the time that a client takes to make.
        make(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's to wait for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the simulator's
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        head, descriptors, _, _ = socket.recv_fds(control, 4, 1)
        if not head:
            return
        content = control.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)
        if os.fork():
            os.close(descriptors[0])
            continue
        control.close()
        channels.append(Channel(socket.socket(fileno=descriptors[0])))
        try:
            serve(channels[0], json.loads(content))
        finally:
            os._exit(0)


if __name__ == "__main__":
    main()
