"""The functions' processes: each runs the very zip that would be deployed, in its own folder and environment."""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Call", "Outcome", "Reply", "Worker"]

WORKER = Path(__file__).parent / "worker.py"
START_SECONDS = 30
ENVIRONMENT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""What is around every function's process: nothing of the user's own, such as a profile."""


@dataclass(frozen=True)
class Call:
    """A request that a function sends to AWS."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """The API and the operation, such as `AWSEvents.PutEvents`; empty where they are in the URL."""
        return next((value for name, value in self.headers.items() if name.lower() == "x-amz-target"), "")


@dataclass(frozen=True)
class Reply:
    """What AWS answers."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: with a result, or with an error as Lambda reports it."""

    result: Any = None
    error: Mapping[str, Any] | None = None
    printed: str = ""
    seconds: float = 0.0
    """How long it took, in real time or, for a time-out by a fault, as long as the function may take."""


class _Starter:
    """The process that forks functions; one for all simulators of this process, which ends with it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self, folder: Path, handler: str, environment: Mapping[str, str]) -> socket.socket:
        """The connection to a new process of a function."""
        if self._process is None or self._process.poll() is not None or self._control is None:
            self.stop()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - the file beside this one
                    [sys.executable, "-P", str(WORKER), str(theirs.fileno())],
                    env=ENVIRONMENT | {"PATH": os.environ.get("PATH", "")},
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        ours, theirs = socket.socketpair()
        given = {"folder": str(folder), "handler": handler, "environment": dict(environment)}
        content = json.dumps(given).encode()
        with theirs:
            socket.send_fds(self._control, [struct.pack(">I", len(content))], [theirs.fileno()])
            self._control.sendall(content)
        return ours

    def stop(self) -> None:
        """End it."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


_starter = _Starter()
atexit.register(_starter.stop)


class Worker:
    """The process of one function, started when it is first needed and again after it died.

    `environment` is all that the function sees. An invocation that takes longer than `timeout_seconds` of real time
    is ended, and the process with it.
    """

    def __init__(
        self,
        code: Path,
        handler: str,
        environment: Mapping[str, str],
        *,
        timeout_seconds: float,
        context: Mapping[str, Any],
    ) -> None:
        self._code = code
        self._handler = handler
        self._environment = dict(environment)
        self._timeout_seconds = timeout_seconds
        self._context = dict(context)
        self._connection: socket.socket | None = None
        self._process_id: int | None = None
        self._folder: Path | None = None
        self._ready = False

    def start(self) -> None:
        """Start the process without waiting until it is ready."""
        if self._connection is not None:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="function-"))
            with zipfile.ZipFile(self._code) as archive:
                archive.extractall(self._folder)
        self._ready = False
        self._connection = _starter.start(self._folder, self._handler, self._environment)

    def invoke(self, event: Any, request_id: str, answer: Callable[[Call], Reply]) -> Outcome:
        """Run the handler; `answer` answers its AWS calls meanwhile."""
        self.start()
        while not self._ready:
            message = self._receive(time.monotonic() + START_SECONDS)
            if message is None or "failed" in message:
                self.stop_process()
                did_not = {"errorType": "Runtime.ExitError", "errorMessage": "the function's process did not start"}
                return Outcome(error=(message or {}).get("failed", did_not), printed=(message or {}).get("printed", ""))
            self._process_id = message.get("process", self._process_id)
            self._ready = "ready" in message
        deadline = time.monotonic() + self._timeout_seconds
        context = self._context | {"request_id": request_id, "timeout_seconds": self._timeout_seconds}
        self._send({"event": event, "context": context})
        while True:
            message = self._receive(deadline)
            if message is None:
                late = time.monotonic() >= deadline
                self.stop_process()
                if late:
                    words = f"{request_id} Task timed out after {self._timeout_seconds:.2f} seconds"
                    return Outcome(error={"errorType": "Sandbox.Timedout", "errorMessage": words})
                words = f"{request_id} the runtime exited without a result"
                return Outcome(error={"errorType": "Runtime.ExitError", "errorMessage": words})
            if "call" in message:
                call = message["call"]
                reply = answer(Call(call["method"], call["url"], call["headers"], base64.b64decode(call["body"])))
                body = base64.b64encode(reply.body).decode()
                self._send({"status": reply.status, "headers": dict(reply.headers), "body": body})
            elif "failed" in message:
                return Outcome(error=message["failed"], printed=message["printed"])
            else:
                return Outcome(result=json.loads(message["result"]), printed=message["printed"])

    def stop_process(self) -> None:
        """End the process; the next invocation starts another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process_id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process_id, signal.SIGKILL)
            self._process_id = None

    def close(self) -> None:
        """End the process and remove what was unpacked."""
        self.stop_process()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._connection is None:
            return
        content = json.dumps(message).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; receiving says so
            self._connection.sendall(struct.pack(">I", len(content)) + content)

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        """The next message; None when the time is over or the process has ended."""
        head = self._read(4, deadline)
        content = self._read(struct.unpack(">I", head)[0], deadline) if head else None
        if content is None:
            return None
        message: dict[str, Any] = json.loads(content)
        return message

    def _read(self, count: int, deadline: float) -> bytes | None:
        if self._connection is None:
            return None
        parts = b""
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._connection.settimeout(left)
            try:
                part = self._connection.recv(count - len(parts))
            except (TimeoutError, ConnectionResetError):
                return None
            if not part:
                return None
            parts += part
        self._connection.settimeout(None)
        return parts
