"""The simulated system as real endpoints on this machine: its HTTP APIs, and EventBridge's PutEvents."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from backbone.errors import BackboneError
from backbone.simulator.http_payload import MAX_REQUEST_BYTES
from backbone.simulator.processes import Call, Reply
from backbone.simulator.simulator import Simulator
from backbone.system.http_model import HttpApi
from backbone.trace import Node

__all__ = ["Server"]

TICK_SECONDS = 0.02
SLOWEST_CLIENT_SECONDS = 60
LOCAL_HOST = re.compile(r"(127\.0\.0\.1|\[::1\]|([\w-]+\.)*localhost)(:[0-9]+)?", re.IGNORECASE)
"""The names under which a browser on this machine reaches it; another one is a page's that rebound its name."""


class Server:
    """Serves a simulator on 127.0.0.1, on real time: retries wait as long as they would.

    A call whose `X-Amz-Target` is EventBridge's is PutEvents; any other goes to the HTTP API whose name or id begins
    the host name, as in `NAME.localhost`, or to the only API. A signed call counts as one by the identity that its
    access key names (an account's id, a role or a function), else by one of the API's account: signatures are not
    verified.
    """

    def __init__(self, simulator: Simulator, *, port: int) -> None:
        self._simulator = simulator
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._stopped = threading.Event()
        self._failure: BackboneError | None = None
        self.on_node: Callable[[Node], None] | None = None
        if not 0 <= port <= 65_535:
            raise BackboneError(f"--port: got {port}; allowed: 0 to 65535, where 0 takes a free port")
        try:
            self._server = _HttpServer(port, self.answer)
        except OSError as error:
            raise BackboneError(f"--port: got {port}: {error.strerror}; allowed: a free port, or 0") from None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._simulator.start_functions()
        self._simulator.on_node = self._show
        threading.Thread(target=self._server.serve_forever, args=(TICK_SECONDS,), daemon=True).start()
        threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._more.set()
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            self._simulator.on_node = None

    def endpoints(self) -> list[tuple[HttpApi, str]]:
        """The APIs, each with its address on this machine: the one of all where there is one."""
        apis = self._simulator.system.of(HttpApi)
        if len(apis) == 1:
            return [(apis[0], self.url)]
        port = self._server.server_address[1]
        return [(api, f"http://{api.name}.localhost:{port}") for api in apis]

    def run(self) -> None:
        """Wait until KeyboardInterrupt; BackboneError when the simulation cannot go on."""
        while not self._stopped.wait(1):
            pass
        if self._failure is not None:
            raise self._failure

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """What a call is answered."""
        if not LOCAL_HOST.fullmatch(headers.get("host", "localhost")):
            return _problem(421, f"the host {headers['host']!r} is not this machine; allowed: localhost or 127.0.0.1")
        with self._lock:
            try:
                if headers.get("x-amz-target", "").startswith("AWSEvents."):
                    who = self._simulator.identity(_access_key(headers))
                    reply = self._simulator.call(who, Call(method, path, headers, body))
                else:
                    reply = self._http(method, path, headers, body)
            except BackboneError as error:
                reply = _problem(400, str(error))
        self._more.set()
        return reply

    def _http(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        api = self._simulator.api(headers.get("host", ""))
        signed = headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
        caller = self._caller(headers, api) if signed and api else None
        answer = self._simulator.http(
            method, path, body or None, headers=headers, caller=caller, api=api.address if api else None
        )
        kept = {"content-type": "application/json"} | answer.headers
        return Reply(answer.status, kept, answer.content, cookies=answer.cookies)

    def _caller(self, headers: dict[str, str], api: HttpApi) -> str:
        key = _access_key(headers)
        try:
            self._simulator.identity(key)
        except BackboneError:
            return api.account
        return key

    def _tick(self) -> None:
        """Let happen what is due, as real time passes or when there is something new."""
        began = time.monotonic()
        with self._lock:
            offset = self._simulator.now
        while not self._stopped.is_set():
            self._more.wait(TICK_SECONDS)
            self._more.clear()
            with self._lock:
                behind = time.monotonic() - began + offset - self._simulator.now
                try:
                    self._simulator.run_until_idle(at_most=max(0.0, behind))
                except BackboneError as error:
                    self._failure = error
                    self._stopped.set()

    def _show(self, node: Node) -> None:
        if self.on_node is not None:
            self.on_node(node)


Answer = Callable[[str, str, dict[str, str], bytes], Reply]


class _HttpServer(ThreadingHTTPServer):
    """A thread for each connection. Clients that go away are no errors of ours."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that went away; anything else is a bug and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SLOWEST_CLIENT_SECONDS
    server: _HttpServer

    def answer_any(self) -> None:
        """Read the call, and write its answer."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers:
            self._refuse(411, "Transfer-Encoding is not taken; allowed: a Content-Length")
        elif not length.isdecimal():
            self._refuse(400, f"Content-Length: got {length[:40]!r}; allowed: a whole number")
        elif len(length) > 12 or int(length) > MAX_REQUEST_BYTES:
            self._refuse(413, f"Content-Length: got {length[:40]}; allowed: at most {MAX_REQUEST_BYTES:,} bytes")
        else:
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._write(self.server.answer(self.command, self.path, headers, body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = answer_any  # noqa: N815

    def _refuse(self, status: int, words: str) -> None:
        """Answer without reading the body, which ends the connection."""
        self.close_connection = True
        self._write(_problem(status, words))

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value.replace("\r", " ").replace("\n", " "))
        for cookie in reply.cookies:
            self.send_header("set-cookie", cookie.replace("\r", " ").replace("\n", " "))
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet: the events are shown instead."""


def _problem(status: int, words: str) -> Reply:
    content = json.dumps({"__type": "ValidationException", "message": words}).encode()
    return Reply(status, {"content-type": "application/json"}, content)


def _access_key(headers: dict[str, str]) -> str:
    found = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
    return found[1] if found else ""
