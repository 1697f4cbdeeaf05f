"""Runs handlers, each in a process of its own, as Lambda's Python runtime would.

Started by path and without site-packages: it imports the standard library only, so that a handler finds what it is
given. One process loads what every handler needs and then forks for each function, so that a function starts in
milliseconds. Messages are JSON with their length before them; AWS calls are handed to the simulator.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import datetime
import errno
import gc
import importlib.abc
import io
import json
import os
import random
import shutil
import signal
import site
import socket
import struct
import sys
import time
import traceback
import uuid
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder
from types import ModuleType
from typing import Any

PRELOADED = (
    "boto3",
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_xray_sdk.core",
    "pydantic.json_schema",
)
CALLED = ("dynamodb", "events", "sqs")
TASK_ROOT = "/var/task"  # where Lambda has a function's code

SCRATCH = tuple(os.path.realpath(folder) + os.sep for folder in ("/tmp", "/dev"))  # noqa: S108 - what Lambda lets write
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = frozenset({"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"})
"""The audit events of what changes files, besides opening them; the path is the first argument, or the second too."""


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


channels: list[Channel] = []  # the one of a process that runs a handler


class Printed(io.StringIO):
    """Standard output and error of the handler."""

    def take(self) -> str:
        """Return what was printed since the last time."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """Give the whole body."""
        yield self.read()


class Clock:
    """The simulated time. It stands still but for a microsecond at each look, and for what the handler sleeps.

    So a run repeats to the microsecond, and a loop that waits for a later time ends.
    """

    def __init__(self) -> None:
        self.nanoseconds = time.time_ns()
        self.patience = self.waited = 0.0  # seconds for an answer, and those waited for answers that never came
        self._sleep = time.sleep

    def set(self, timestamp: float) -> None:
        """Set it to seconds since 1970."""
        self.nanoseconds = round(timestamp * 1_000_000) * 1_000

    def time_ns(self) -> int:
        """Stand for `time.time_ns`."""
        self.nanoseconds += 1_000
        return self.nanoseconds

    def time(self) -> float:
        """Stand for `time.time`."""
        return self.time_ns() / 1e9

    def sleep(self, seconds: float, /) -> None:
        """Stand for `time.sleep`: it takes its real time as well."""
        self._sleep(seconds)
        self.nanoseconds += int(seconds * 1e9)

    def install(self) -> None:
        """Have everything that is loaded from now on see this time."""
        real = {name: getattr(time, name) for name in ("asctime", "ctime", "gmtime", "localtime", "strftime")}

        def at(name: str) -> Any:
            return lambda seconds=None, /: real[name](self.time() if seconds is None else seconds)

        replaced: dict[str, Any] = {name: at(name) for name in ("ctime", "gmtime", "localtime")}
        replaced["asctime"] = lambda moment=None, /: real["asctime"](moment or time.localtime())
        replaced["strftime"] = lambda form, moment=None, /: real["strftime"](form, moment or time.localtime())
        replaced |= {name: getattr(self, name) for name in ("sleep", "time", "time_ns")}
        for name, function in replaced.items():
            setattr(time, name, function)
        now = lambda cls, tz=None: cls.fromtimestamp(self.time(), tz)  # noqa: E731
        utcnow = lambda cls: cls.fromtimestamp(self.time(), datetime.UTC).replace(tzinfo=None)  # noqa: E731
        # The class itself must stay what it is: libraries written in C make and compare instances of it.
        (methods,) = (found for found in gc.get_referents(datetime.datetime.__dict__) if isinstance(found, dict))
        methods.update(now=classmethod(now), utcnow=classmethod(utcnow))
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


clock, ids = Clock(), random.Random()  # noqa: S311 - repeats, on purpose


def seed(text: str) -> None:
    """Have `random` and `uuid.uuid4` repeat for the same text."""
    random.seed(text)
    ids.seed(f"ids {text}")


def uuid4() -> uuid.UUID:
    """Stand for `uuid.uuid4`."""
    return uuid.UUID(int=ids.getrandbits(128), version=4)


class Given(DistributionFinder):
    """Finds the packages that the function's runtime and layers have, and no other of this machine's."""

    def __init__(self, modules: dict[str, str], metadata: Sequence[str]) -> None:
        self._modules = modules
        self._metadata = metadata

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: Any = None) -> ModuleSpec | None:
        """Find a module or package."""
        if path is None and name in self._modules:
            return PathFinder.find_spec(name, [self._modules[name]])
        return None

    def find_distributions(self, context: DistributionFinder.Context = DistributionFinder.Context()) -> Any:  # noqa: B008
        """Find what `importlib.metadata` tells of packages."""
        found: Iterable[Distribution] = map(Distribution.at, self._metadata)
        if context.name is None:
            return found
        wanted = context.name.lower().replace("-", "_")
        return [dist for dist in found if dist.metadata["Name"].lower().replace("-", "_") == wanted]


class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Has botocore hand its requests to the simulator, as soon as a handler loads it from wherever it comes."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: Any = None) -> ModuleSpec | None:
        """Stand before the loader of botocore's handlers."""
        spec = PathFinder.find_spec(name, path) if name == "botocore.handlers" else None
        if spec is not None and spec.loader is not None:
            self._real, spec.loader = spec.loader, self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Load it, and add to the handlers that every session takes over."""
        self._real.exec_module(module)
        module.BUILTIN_HANDLERS.extend((("before-call", before_call), ("before-send", before_send)))


def before_call(**given: Any) -> None:
    """Note how long the client waits."""
    clock.patience = float(given["context"]["client_config"].read_timeout)


def before_send(request: Any, **_: Any) -> Any:
    """Have the simulator answer a request that botocore would send."""
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import ReadTimeoutError

    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    headers = {key: value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()}
    call = {"method": request.method, "url": request.url, "headers": headers, "patience_seconds": clock.patience}
    channels[0].send({"call": call | {"body": base64.b64encode(body).decode()}})
    reply = channels[0].receive()
    if "stalled" in reply:
        clock.waited += clock.patience
        clock.nanoseconds += int(clock.patience * 1e9)
        raise ReadTimeoutError(endpoint_url=request.url)
    return AWSResponse(request.url, reply["status"], reply["headers"], Raw(base64.b64decode(reply["body"])))


class Context:
    """What Lambda tells a handler of its invocation."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.function_name: str = given["function_name"]
        self.function_version = "$LATEST"
        self.invoked_function_arn: str = given["function_arn"]
        self.memory_limit_in_mb = str(given["memory_mb"])
        self.aws_request_id: str = given["request_id"]
        self.log_group_name: str = given["log_group"]
        self.log_stream_name = "simulator"
        self.identity = self.client_context = None
        self._end = time.monotonic() + clock.waited + given["timeout_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the time-out, by this machine's clock."""
        return max(0, int((self._end - clock.waited - time.monotonic()) * 1000))

    @staticmethod
    def log(text: str) -> None:
        """Write to the function's log."""
        sys.stdout.write(text)


def read_only(code: str) -> None:
    """Let the handler write to the places that Lambda lets it write to, and not beside its code."""

    def check(path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            name = os.path.realpath(os.fsdecode(path)) + os.sep
            if not name.startswith(SCRATCH) or name.startswith(code):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & WRITES):
            check(given[0])
            if event in ("os.link", "os.rename", "os.symlink"):
                check(given[1])

    sys.addaudithook(hook)


def problem(error: BaseException, kind: str, words: str, request_id: str, folder: str) -> dict[str, Any]:
    """An error as Lambda reports it, without the frames that are not the handler's."""
    trace = [] if isinstance(error, ImportError) and not request_id else traceback.extract_tb(error.__traceback__)
    ours = (__file__, importlib.__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
    frames = [frame for frame in trace if frame.filename not in ours]
    return {
        "errorMessage": words.replace(folder, TASK_ROOT),
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": [line.replace(folder, TASK_ROOT) for line in traceback.format_list(frames)],
    }


class LoadError(Exception):
    """A handler cannot be loaded; the argument is what Lambda reports."""


def load(handler: str, folder: str) -> Any:
    """The function that a handler names."""
    module, dot, name = handler.rpartition(".")
    module = module.replace("/", ".")
    try:
        return getattr(importlib.import_module(module), name)
    except BaseException as error:
        kind, words = type(error).__name__, str(error)
        if not dot:
            kind, words = "Runtime.MalformedHandlerName", f"Bad handler '{handler}': there is no dot in it"
        elif isinstance(error, ImportError):
            kind, words = "Runtime.ImportModuleError", f"Unable to import module '{module}': {error}"
        elif isinstance(error, SyntaxError):
            kind, words = "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}"
        elif isinstance(error, AttributeError) and module in sys.modules:
            kind, words = "Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'"
        raise LoadError(problem(error, kind, words, "", folder)) from None


def invoke(function: Any, event: Any, given: dict[str, Any], folder: str) -> dict[str, Any]:
    """How an invocation ended."""
    request_id = given["request_id"]
    clock.set(given["now"])
    seed(request_id)
    try:
        result = function(event, Context(given))
    except SystemExit as error:
        words = f"RequestId: {request_id} Error: Runtime exited "
        words += f"with error: exit status {error.code}" if error.code else "without providing a reason"
        return {"exited": {"errorMessage": words, "errorType": "Runtime.ExitError"}}
    except BaseException as error:
        return {"failed": problem(error, type(error).__name__, str(error), request_id, folder)}
    try:
        return {"result": json.dumps(result)}
    except (TypeError, ValueError) as error:
        words = f"Unable to marshal response: {error}"
        return {"failed": problem(error, "Runtime.MarshalError", words, request_id, folder) | {"stackTrace": []}}


def serve(channel: Channel, given: dict[str, Any]) -> None:
    """Load one handler, then answer invocations until the simulator is gone."""
    printed, folder = Printed(), given["folder"]
    sys.stdout = sys.stderr = printed
    os.environ.clear()
    os.environ.update(given["environment"] | {"LAMBDA_TASK_ROOT": folder})
    os.chdir(folder)
    sys.path[:0] = [*given["packages"], folder]
    clock.set(given["now"])
    seed(given["handler"])
    read_only(os.path.realpath(folder) + os.sep)
    channel.send({"process": os.getpid()})

    def answer(message: dict[str, Any]) -> None:
        channel.send(message | {"printed": printed.take().replace(folder, TASK_ROOT)})

    try:
        function = load(given["handler"], folder)
    except LoadError as error:
        answer({"failed": error.args[0]})
        return
    channel.send({"ready": True})
    while True:
        message = channel.receive()
        ended = invoke(function, message["event"], message["context"], folder)
        answer(ended)
        if "exited" in ended:
            return


def preload() -> None:
    """Load what handlers are most likely to need, as far as it is given."""
    for module in PRELOADED:
        with contextlib.suppress(ImportError):  # a handler that needs it will say so
            importlib.import_module(module)
    with contextlib.suppress(ImportError):
        pydantic: Any = importlib.import_module("pydantic")
        pydantic.create_model("First", text=(str, ""))  # the first model loads what all need
    make: Any = importlib.import_module("boto3").client
    for service in CALLED:  # reading the description of an API is most of the time that a client takes to make
        make(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106


def requests(control: socket.socket) -> Iterator[tuple[dict[str, Any], Sequence[int]]]:
    """What the simulator asks for, each with the connections that come with it, until it is gone."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(control, 4, 1)
        if not head:
            return
        yield json.loads(control.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)), descriptors


def main() -> None:
    """Fork for every function that the simulator asks for, until it is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    given, _ = next(asked := requests(control))
    sys.argv[:] = [""]
    sys.dont_write_bytecode = True
    site.setquit()
    clock.install()
    uuid.uuid4 = uuid4
    sys.meta_path.insert(0, Hook())
    sys.meta_path.append(Given(given["modules"], given["metadata"]))
    if given["preload"]:
        preload()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's to wait for
    for function, descriptors in asked:
        if os.fork():
            os.close(descriptors[0])
            continue
        control.close()
        channels.append(Channel(socket.socket(fileno=descriptors[0])))
        try:
            serve(channels[0], function)
        finally:
            os._exit(0)
    shutil.rmtree(given["scratch"], ignore_errors=True)  # the simulator may have been killed
    os.killpg(0, signal.SIGKILL)  # and a function may be busy for ever


if __name__ == "__main__":
    main()
