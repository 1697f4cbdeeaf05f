"""The functions' processes: each runs the very zip that would be deployed, in its own folder and environment."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
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


@dataclass(frozen=True)
class Call:
    """A request that a function sends to AWS."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What AWS answers."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: with a result, or with an error as Lambda reports it."""

    result: Any = None
    error: Mapping[str, Any] | None = None
    printed: str = ""


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
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._ready = False

    def start(self) -> None:
        """Start the process without waiting until it is ready."""
        if self._process is not None:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="function-"))
            with zipfile.ZipFile(self._code) as archive:
                archive.extractall(self._folder)
        self._ready = False
        self._process = subprocess.Popen(  # noqa: S603 - the file beside this one
            [sys.executable, "-P", str(WORKER), str(self._folder), self._handler],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            cwd=self._folder,
        )

    def invoke(self, event: Any, request_id: str, answer: Callable[[Call], Reply]) -> Outcome:
        """Run the handler; `answer` answers its AWS calls meanwhile."""
        self.start()
        if not self._ready:
            started = self._receive(time.monotonic() + START_SECONDS)
            if started is None or "failed" in started:
                self.stop_process()
                error = (started or {}).get("failed") or {
                    "errorType": "Runtime.ExitError",
                    "errorMessage": "did not start",
                }
                return Outcome(error=error, printed=(started or {}).get("printed", ""))
            self._ready = True
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
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()
            self._process = None

    def close(self) -> None:
        """End the process and remove what was unpacked."""
        self.stop_process()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the process was not started")
        content = json.dumps(message).encode()
        try:
            self._process.stdin.write(struct.pack(">I", len(content)) + content)
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # the process died; reading says so

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        """The next message; None when the time is over or the process has ended."""
        head = self._read(4, deadline)
        content = self._read(struct.unpack(">I", head)[0], deadline) if head else None
        if content is None:
            return None
        message: dict[str, Any] = json.loads(content)
        return message

    def _read(self, count: int, deadline: float) -> bytes | None:
        if self._process is None or self._process.stdout is None:
            return None
        descriptor, parts = self._process.stdout.fileno(), b""
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                return None
            part = os.read(descriptor, count - len(parts))
            if not part:
                return None
            parts += part
        return parts
