"""Runs one function's handler in a process of its own. Started by path: it must not import the backbone.

Messages are JSON with their length before them, on the standard streams; what the handler prints is kept apart and
sent along. AWS calls do not leave the process: botocore hands each request to the parent, which answers.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import os
import struct
import sys
import traceback
from typing import Any


class Channel:
    """Both directions to the parent."""

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # what writes to the descriptor itself must not come between the messages

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        content = json.dumps(message).encode()
        self._out.write(struct.pack(">I", len(content)) + content)
        self._out.flush()

    def receive(self) -> dict[str, Any]:
        """Wait for a message; the process ends with the parent."""
        head = self._in.read(4)
        if len(head) < 4:
            sys.exit(0)  # the parent is gone
        message: dict[str, Any] = json.loads(self._in.read(struct.unpack(">I", head)[0]))
        return message


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


def answer_aws_calls(channel: Channel) -> None:
    """Have the parent answer every request that botocore would send."""
    import botocore.handlers
    from botocore.awsrequest import AWSResponse

    def before_send(request: Any, **_: Any) -> AWSResponse:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        headers = {key: value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()}
        call = {"method": request.method, "url": request.url, "headers": headers}
        channel.send({"call": call | {"body": base64.b64encode(body).decode()}})
        reply = channel.receive()
        return AWSResponse(request.url, reply["status"], reply["headers"], Raw(base64.b64decode(reply["body"])))

    botocore.handlers.BUILTIN_HANDLERS.append(("before-send", before_send))


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """Give the whole body."""
        yield self.read()


def main() -> None:
    """Load the handler, then answer invocations until the parent is gone."""
    channel, printed = Channel(), Printed()
    sys.stdout = sys.stderr = printed
    answer_aws_calls(channel)
    folder, handler = sys.argv[1:]
    sys.path.insert(0, folder)
    module, _, name = handler.rpartition(".")
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


if __name__ == "__main__":
    main()
