"""The simulated system as real endpoints on this machine: its HTTP APIs, and EventBridge's PutEvents."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from backbone.errors import BackboneError
from backbone.simulator.processes import Call, Reply
from backbone.simulator.simulator import Simulator
from backbone.system.model import HttpApi
from backbone.trace import Node

__all__ = ["Server"]

TICK_SECONDS = 0.02


class Server:
    """Serves a simulator on 127.0.0.1, on real time: retries wait as long as they would.

    A call whose `X-Amz-Target` is EventBridge's is PutEvents by an identity of the account that the access key names;
    any other goes to the HTTP APIs. A signed call counts as one by an identity of the API's account: signatures
    are not verified.
    """

    def __init__(self, simulator: Simulator, *, port: int) -> None:
        self._simulator = simulator
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._stopped = threading.Event()
        self._failure: BackboneError | None = None
        self.on_node: Callable[[Node], None] | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = server.answer(self.command, self.path, headers, body)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = answer_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Keep quiet: the events are shown instead."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise BackboneError(f"--port: got {port}: {error.strerror}; allowed: a free port, or 0") from None
        self._server.daemon_threads = True
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

    def run(self) -> None:
        """Wait until KeyboardInterrupt; BackboneError when the simulation cannot go on."""
        while not self._stopped.wait(1):
            pass
        if self._failure is not None:
            raise self._failure

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """What a call is answered."""
        with self._lock:
            try:
                if headers.get("x-amz-target", "") == "AWSEvents.PutEvents":
                    call = Call(method, path, headers, body)
                    reply = self._simulator.call(self._simulator.identity(_access_key(headers)), call)
                else:
                    reply = self._http(method, path, headers, body)
            except BackboneError as error:
                content = json.dumps({"__type": "ValidationException", "message": str(error)}).encode()
                reply = Reply(400, {"content-type": "application/json"}, content)
        self._more.set()
        return reply

    def _http(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        signed = headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
        apis = self._simulator.system.of(HttpApi)
        caller = apis[0].account if signed and apis else None
        text = body.decode("utf-8", "replace") if body else None
        answer = self._simulator.http(method, path, text, headers=headers, caller=caller)
        content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return Reply(answer.status, {"content-type": "application/json"} | answer.headers, content.encode())

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


def _access_key(headers: dict[str, str]) -> str:
    found = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
    return found[1] if found else ""
