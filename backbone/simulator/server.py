"""The simulated system as real endpoints on this machine: its HTTP APIs, and EventBridge's PutEvents."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from backbone.errors import BackboneError
from backbone.simulator.http_server import HttpServer, Received, is_from_elsewhere, reply_of
from backbone.simulator.live import Live
from backbone.simulator.page.api import PREFIX, Page
from backbone.simulator.processes import Call, Reply
from backbone.simulator.simulator import Simulator
from backbone.system.http_model import HttpApi
from backbone.trace import Node

__all__ = ["Server"]

FINISH_SECONDS = 2.0
"""How long what is under way may take when another system takes its place."""

LOOK_SECONDS = 0.1
"""How often `run` looks whether it is to end: a wait for it would not end by a signal that another thread gets."""


class Server:
    """Serves a simulator on 127.0.0.1, on real time: retries wait as long as they would.

    A call whose `X-Amz-Target` is EventBridge's is PutEvents; any other goes to the HTTP API whose name or id begins
    the host name, as in `NAME.localhost`, or to the only API. A signed call counts as one by the identity that its
    access key names (an account's id, a role or a function), else by one of the API's account: signatures are not
    verified.
    """

    def __init__(self, simulator: Simulator, *, port: int) -> None:
        self._stopped = False
        self._open = threading.Event()
        """Whether calls are taken; they wait while a system takes the place of another."""
        self._open.set()
        self._failure: BackboneError | None = None
        self.on_node: Callable[[Node], None] | None = None
        self.live = Live(simulator, self._fail)
        self.page = Page()
        self._http = HttpServer(port, self.answer, self.page.routes())
        self.url = f"http://127.0.0.1:{self._http.port}"
        self.page_url = f"{self.url}{PREFIX}/"

    def __enter__(self) -> Self:
        self.page.show(self.live)
        self.live.simulator.on_node = self._show
        self.live.start()
        self._http.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.page.close()
        self._http.stop()
        self.live.finish()
        self.live.end()
        self.live.simulator.on_node = None
        self.live.simulator.close()

    def replace(self, simulator: Simulator) -> None:
        """Serve another simulator from now on, which goes on where the one before has stopped.

        Calls and deliveries under way are finished before, for some seconds; new calls wait.
        """
        self._open.clear()
        try:
            before, after = self.live, Live(simulator, self._fail)
            before.finish(FINISH_SECONDS)
            before.simulator.on_node, simulator.on_node = None, self._show
            self.page.show(after)
            after.take_over(before)
            self.live = after
            after.start()
        finally:
            self._open.set()

    def endpoints(self) -> list[tuple[HttpApi, str]]:
        """The APIs, each with its address on this machine: the one of all where there is one."""
        apis = self.live.simulator.system.of(HttpApi)
        if len(apis) == 1:
            return [(apis[0], self.url)]
        return [(api, f"http://{api.name}.localhost:{self._http.port}") for api in apis]

    def run(self) -> None:
        """Wait for `stop`; BackboneError when the simulation cannot go on."""
        while not self._stopped:
            time.sleep(LOOK_SECONDS)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End `run`; a signal's handler may call it."""
        self._stopped = True

    def answer(self, received: Received) -> Reply:
        """What a call is answered."""
        self._open.wait()
        headers, is_aws = received.headers, received.headers.get("x-amz-target", "").startswith("AWSEvents.")
        with self.live as simulator:
            try:
                if is_from_elsewhere(received.method, headers) and (is_aws or not _admits(simulator, headers)):
                    words = f"a page of {headers.get('origin', 'another site')} may not change anything here"
                    return reply_of(403, f"{words}; the API's CORS can allow it")
                if is_aws:
                    who = simulator.identity(_access_key(headers))
                    return simulator.call(who, Call(received.method, received.target, headers, received.body))
                reply = _http(simulator, received)
            except BackboneError as error:
                return reply_of(400, str(error))
        if reply.status == 404 and received.target == "/" and "text/html" in headers.get("accept", ""):
            return Reply(302, {"location": f"{PREFIX}/"}, b"")  # somebody looks for the page
        return reply

    def _fail(self, error: BackboneError) -> None:
        self._failure = error
        self._stopped = True

    def _show(self, node: Node) -> None:
        self.page.add(node)
        if self.on_node is not None:
            self.on_node(node)


def _http(simulator: Simulator, received: Received) -> Reply:
    headers = received.headers
    api = simulator.api(headers.get("host", ""))
    signed = headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
    caller = _caller(simulator, headers, api) if signed and api else None
    answer = simulator.http(
        received.method,
        received.target,
        received.body or None,
        headers=headers,
        caller=caller,
        api=api.address if api else None,
    )
    kept = {"content-type": "application/json"} | answer.headers
    return Reply(answer.status, kept, answer.content, cookies=answer.cookies)


def _admits(simulator: Simulator, headers: dict[str, str]) -> bool:
    """Whether the API that is called lets pages of an origin call it."""
    api = simulator.api(headers.get("host", ""))
    return api is not None and api.cors is not None and bool({"*", headers.get("origin", "")} & set(api.cors.origins))


def _caller(simulator: Simulator, headers: dict[str, str], api: HttpApi) -> str:
    key = _access_key(headers)
    try:
        simulator.identity(key)
    except BackboneError:
        return api.account
    return key


def _access_key(headers: dict[str, str]) -> str:
    found = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
    return found[1] if found else ""
