"""HTTP for a simulated system: who may call, what is too long or too slow, and the threads that answer."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio.to_thread
import uvicorn
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backbone.errors import BackboneError
from backbone.simulator.http_payload import MAX_REQUEST_BYTES
from backbone.simulator.processes import Reply

__all__ = ["HttpServer", "Received", "is_from_elsewhere", "problem"]

SLOWEST_CLIENT_SECONDS = 60
READ_BYTES, READ_SECONDS = 4 * MAX_REQUEST_BYTES, 2
"""How much of a body that is too long is read, and how long, so that its sender gets to read the answer."""

CALLS_AT_ONCE = 128
GRACE_SECONDS = 5
"""How long clients that have begun a call may take when the server ends."""

LOCAL_HOST = re.compile(r"(127\.0\.0\.1|\[::1\]|([\w-]+\.)*localhost)(:[0-9]+)?", re.IGNORECASE)
"""The names under which a browser on this machine reaches it; another name is a page's that rebound it."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True)
class Received:
    """A call as it came."""

    method: str
    target: str
    headers: dict[str, str]
    """By their names in small letters; a header that came several times has its values in one."""
    body: bytes


class HttpServer:
    """Serves routes, and answers every other call, on a port of 127.0.0.1.

    `answer` is called in a thread for each call, `CALLS_AT_ONCE` at most.
    """

    def __init__(self, port: int, answer: Callable[[Received], Reply], routes: Sequence[BaseRoute] = ()) -> None:
        if not 0 <= port <= 65_535:
            raise BackboneError(f"--port: got {port}; allowed: 0 to 65535, where 0 takes a free port")
        self._answer = answer
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
            self._socket.listen(2048)
        except OSError as error:
            self._socket.close()
            raise BackboneError(f"--port: got {port}: {error.strerror}; allowed: a free port, or 0") from None
        self.port: int = self._socket.getsockname()[1]
        self._limiter = CapacityLimiter(CALLS_AT_ONCE)
        app = Starlette(routes=[*routes, Route("/{path:path}", self._endpoint, methods=METHODS)])
        app.router.redirect_slashes = False
        config = uvicorn.Config(
            _OnlyFromHere(app),
            http=_Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=2048,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._log = logging.getLogger("uvicorn.error")
        self._log.setLevel(logging.ERROR)  # a call that cannot be read is no news: its sender is told
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more calls, and wait until those that were taken are answered, for some seconds."""
        self._uvicorn.should_exit = True
        self._log.setLevel(logging.CRITICAL)  # it would tell of those that took too long
        self._thread.join()
        self._socket.close()

    async def _endpoint(self, request: Request) -> Response:
        is_too_long = int(request.headers.get("content-length", 0)) > MAX_REQUEST_BYTES
        body = None
        try:
            async with asyncio.timeout(READ_SECONDS if is_too_long else SLOWEST_CLIENT_SECONDS):
                body = await _body(request)
        except TimeoutError:
            if not is_too_long:
                return problem(408, f"the body did not come within {SLOWEST_CLIENT_SECONDS} seconds")
        except ClientDisconnect:
            return Response()  # to nobody
        if body is None:
            words = f"the body is too long; allowed: at most {MAX_REQUEST_BYTES:,} bytes"
            return problem(413, words, connection="close")
        query = request.scope["query_string"]
        path: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
        received = Received(request.method, path.decode("latin-1"), _joined(request.headers), body)
        reply = await anyio.to_thread.run_sync(self._answer, received, limiter=self._limiter)
        return _response(reply)


class _Protocol(HttpToolsProtocol):
    """Ends connections on which no call comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(SLOWEST_CLIENT_SECONDS, self._end_if_silent)

    def _end_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class _OnlyFromHere:
    """Refuses what a page of elsewhere sends under a name that it bound to this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "localhost")
        if LOCAL_HOST.fullmatch(host):
            await self._app(scope, receive, send)
        else:
            words = f"the host {host[:100]!r} is not this machine; allowed: localhost or 127.0.0.1"
            await problem(421, words)(scope, receive, send)


def is_from_elsewhere(method: str, headers: dict[str, str]) -> bool:
    """Whether a call may change something and a browser sends it for a page of another origin."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    return headers.get("origin", own := f"http://{headers.get('host', '')}") != own


def problem(status: int, words: str, **headers: str) -> JSONResponse:
    """A refusal, as AWS's APIs write it."""
    return JSONResponse({"__type": "ValidationException", "message": words}, status, headers)


async def _body(request: Request) -> bytes | None:
    """The body; None when it is too long."""
    content, count = bytearray(), 0
    async for part in request.stream():
        count += len(part)
        if count <= MAX_REQUEST_BYTES:
            content += part
        elif count > READ_BYTES:
            break
    return bytes(content) if count <= MAX_REQUEST_BYTES else None


def _joined(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        between = "; " if name == "cookie" else ","
        found[name] = f"{found[name]}{between}{value}" if name in found else value
    return found


def _response(reply: Reply) -> Response:
    response = Response(reply.body, reply.status)
    for name, value in reply.headers.items():
        if name.lower() not in ("content-length", "connection", "transfer-encoding"):
            response.headers[name] = _line(value)
    for cookie in reply.cookies:
        response.headers.append("set-cookie", _line(cookie))
    return response


def _line(value: str) -> str:
    """A header's value without what would end it; a letter that no header can have becomes a question mark."""
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace").decode("latin-1")


def reply_of(status: int, words: str) -> Reply:
    """A refusal, for a thread that answers."""
    content = json.dumps({"__type": "ValidationException", "message": words}).encode()
    return Reply(status, {"content-type": "application/json"}, content)
