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
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.packages import RUNTIME, Packages, installed

__all__ = ["Call", "CrashedError", "Outcome", "Reply", "StalledError", "Worker"]

WORKER = Path(__file__).parent / "worker.py"
START_SECONDS = 30
NO_REASON = "Runtime exited without providing a reason"
ENVIRONMENT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}
"""What is around every function's process: nothing of the user's own, such as a profile, and sets in the same order in
every run."""


@dataclass(frozen=True)
class Call:
    """A request that a function sends to AWS."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    patience_seconds: float = 60
    """How long the function's client waits for the answer."""

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


class CrashedError(Exception):
    """The function ends instead of getting an answer to its call."""


class StalledError(Exception):
    """The function gets no answer to its call, however long it waits."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: with a result, or with an error as Lambda reports it."""

    result: Any = None
    error: Mapping[str, Any] | None = None
    printed: str = ""
    seconds: float = 0.0
    """How long it took, in real time or, for a time-out by a fault, as long as the function may take."""


@cache
def _scratch() -> Path:
    """Where this process unpacks functions; it is removed when the process ends, even if that is killed."""
    folder = Path(tempfile.mkdtemp(prefix="functions-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class _Starter:
    """A process that forks functions which have the same packages; it ends with this process."""

    def __init__(self, packages: Packages, *, preload: bool) -> None:
        given = {"modules": packages.modules, "metadata": packages.metadata, "preload": preload}
        self._given = given | {"scratch": str(_scratch())}
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = threading.Lock()

    def start(self, function: Mapping[str, Any]) -> socket.socket:
        """The connection to a new process of a function."""
        with self._lock:
            return self._start(function)

    def _start(self, function: Mapping[str, Any]) -> socket.socket:
        if self._process is None or self._process.poll() is not None or self._control is None:
            self.stop()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - the file beside this one
                    [sys.executable, "-P", "-S", "-s", str(WORKER), str(theirs.fileno())],
                    env=ENVIRONMENT,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # what ends this process's group leaves it the time to tidy up
                )
                _send(self._control, self._given)
        ours, theirs = socket.socketpair()
        with theirs:
            _send(self._control, function, theirs)
        return ours

    def stop(self) -> None:
        """End it."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


def _send(control: socket.socket, message: Mapping[str, Any], *along: socket.socket) -> None:
    content = json.dumps(message).encode()
    socket.send_fds(control, [struct.pack(">I", len(content))], [end.fileno() for end in along])
    control.sendall(content)


@cache
def _starter(requirements: tuple[str, ...], *, preload: bool) -> _Starter:
    """The one of all simulators of this process for these packages and those of the runtime."""
    starter = _Starter(installed((*RUNTIME, *requirements)), preload=preload)
    atexit.register(starter.stop)
    return starter


class Worker:
    """The process of one function, started when it is first needed and again after it died.

    `environment` is all that the function sees. It can import its zip, what is in `folders`, what the runtime has, and
    what is installed here of `requirements`. An invocation that takes longer than `timeout_seconds` of real time is
    ended, and the process with it.
    """

    def __init__(
        self,
        code: Path,
        handler: str,
        environment: Mapping[str, str],
        *,
        timeout_seconds: float,
        context: Mapping[str, Any],
        requirements: tuple[str, ...] = (),
        folders: tuple[str, ...] = (),
    ) -> None:
        self._code = code
        self._handler = handler
        self._environment = dict(environment)
        self._timeout_seconds = timeout_seconds
        self._context = dict(context)
        self._requirements = requirements
        self._folders = folders
        self._connection: socket.socket | None = None
        self._process_id: int | None = None
        self._folder: Path | None = None
        self._ready = False

    def start(self, now: float) -> None:
        """Start the process without waiting until it is ready; `now` is the simulated time, in seconds since 1970."""
        if self._connection is not None:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(dir=_scratch()))
            with zipfile.ZipFile(self._code) as archive:
                archive.extractall(self._folder)
        self._ready = False
        starter = _starter(self._requirements, preload=not self._brings_its_own(self._folder))
        function = {
            "folder": str(self._folder),
            "packages": self._folders,
            "handler": self._handler,
            "environment": self._environment,
            "now": now,
        }
        self._connection = starter.start(function)

    def _brings_its_own(self, folder: Path) -> bool:
        """Whether the function has a package of its own in place of one that would be loaded before."""
        given = installed((*RUNTIME, *self._requirements)).modules
        found = (path for each in (folder, *map(Path, self._folders)) if each.is_dir() for path in each.iterdir())
        return any(path.name.partition(".")[0] in given for path in found)

    def invoke(self, event: Any, request_id: str, answer: Callable[[Call], Reply], *, now: float) -> Outcome:
        """Run the handler, for which it is `now`; `answer` answers its AWS calls meanwhile."""
        self.start(now)
        while not self._ready:
            message = self._receive(time.monotonic() + START_SECONDS)
            if message is None or "failed" in message:
                self.stop_process()
                return _failure(message or {"failed": _error(request_id, "Runtime.ExitError", NO_REASON)})
            self._process_id = message.get("process", self._process_id)
            self._ready = "ready" in message
        deadline = time.monotonic() + self._timeout_seconds
        invocation = {"request_id": request_id, "timeout_seconds": self._timeout_seconds, "now": now}
        self._send({"event": event, "context": self._context | invocation})
        while True:
            message = self._receive(deadline)
            if message is None:
                late = time.monotonic() >= deadline
                self.stop_process()
                if late:
                    words = f"Task timed out after {self._timeout_seconds:.2f} seconds"
                    return Outcome(error=_error(request_id, "Sandbox.Timedout", words))
                return Outcome(error=_error(request_id, "Runtime.ExitError", NO_REASON))
            if "call" in message:
                call = message["call"]
                body, patience = base64.b64decode(call["body"]), call["patience_seconds"]
                try:
                    reply = answer(Call(call["method"], call["url"], call["headers"], body, patience))
                except CrashedError:
                    self.stop_process()
                    return Outcome(error=_error(request_id, "Runtime.ExitError", NO_REASON))
                except StalledError:
                    deadline -= patience
                    self._send({"stalled": True})
                    continue
                except BackboneError:  # the simulation cannot go on, and the function waits in vain
                    self.stop_process()
                    raise
                text = base64.b64encode(reply.body).decode()
                self._send({"status": reply.status, "headers": dict(reply.headers), "body": text})
            elif "exited" in message:
                self.stop_process()
                return Outcome(error=message["exited"], printed=message["printed"])
            elif "failed" in message:
                return _failure(message)
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

    def end(self) -> None:
        """End the process, of which a thread learns that waits for it."""
        if self._connection is not None:
            with contextlib.suppress(OSError):  # it has ended
                self._connection.shutdown(socket.SHUT_RDWR)
        if self._process_id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process_id, signal.SIGKILL)

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


def _failure(message: Mapping[str, Any]) -> Outcome:
    return Outcome(error=message["failed"], printed=message.get("printed", ""))


def _error(request_id: str, kind: str, words: str) -> dict[str, str]:
    """An error of the runtime's, in Lambda's words."""
    return {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {words}"}
