"""The page's own API: what it shows, and what can be done on it. Everything is JSON; docs/simulator.md lists it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from backbone.errors import BackboneError
from backbone.patterns import Pattern
from backbone.simulator.faults import KINDS, CallKind, Fault
from backbone.simulator.http_server import is_from_elsewhere
from backbone.simulator.live import Live
from backbone.simulator.page import decisions
from backbone.simulator.page.history import Filter, History
from backbone.simulator.page.map import Map
from backbone.simulator.page.stream import Stream
from backbone.system.http_model import HttpApi
from backbone.system.model import Archive, EventBus, Function, Queue
from backbone.trace import Node

__all__ = ["PREFIX", "Page"]

PREFIX = "/_backbone"
STATIC = Path(__file__).parent / "static"
MOST_ROWS = 500
MESSAGES_SHOWN = 50
LONGEST_ADVANCE_SECONDS = 366 * 86_400
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


class PageError(BackboneError):
    """Something was asked of the page that is not there, or not allowed."""


class Page:
    """What the page shows, of one simulation at a time."""

    def __init__(self) -> None:
        self.version = 0
        """Which simulation is shown, counted."""
        self.problem = ""
        """Why the last change of the sources was not taken over; empty when it was."""
        self._live: Live
        self._history: History
        self._stream = Stream(self._tick)

    def show(self, live: Live) -> None:
        """Show a simulation from now on, which goes on where one before has stopped, if there was any."""
        history = History(Map(live.simulator.system))
        if self.version:
            history.take_over(self._history)
        self._live, self._history = live, history
        self.version += 1

    def add(self, node: Node) -> None:
        """Take note of what happened; for a thread whose turn it is."""
        self._history.add(node)

    def close(self) -> None:
        """Send no more news."""
        self._stream.close()

    def routes(self) -> list[BaseRoute]:
        """The page's routes, below `PREFIX`."""
        gets: dict[str, Callable[[Request, Any], Any]] = {
            "system": self._system,
            "events": self._events,
            "events/{number:int}": self._event,
            "queues": self._queues,
            "faults": self._faults,
        }
        posts: dict[str, Callable[[Request, Any], Any]] = {
            "events": self._put_event,
            "calls": self._call,
            "redrive": self._redrive,
            "replay": self._replay,
            "faults": self._switch_fault,
            "clock": self._advance,
        }
        found: list[BaseRoute] = [Route("/api/stream", self._news)]
        found += [Route(f"/api/{path}", _endpoint(do), methods=["GET"]) for path, do in gets.items()]
        found += [Route(f"/api/{path}", _endpoint(do), methods=["POST"]) for path, do in posts.items()]
        return [Mount(PREFIX, routes=[*found, Mount("/", _Files(directory=STATIC, html=True))])]

    # What it shows

    async def _news(self, _: Request) -> Response:
        return StreamingResponse(self._stream.news(), media_type="text/event-stream", headers=HEADERS)

    def _tick(self) -> dict[str, Any]:
        simulator, history = self._live.simulator, self._history
        return history.take() | {
            "version": self.version,
            "problem": self.problem,
            "now": round(simulator.now, 1),
            "time": simulator.iso_time(),
            "queues": {
                history.map.number_of(queue): count
                for queue in simulator.system.of(Queue)
                if (count := len(simulator.messages(queue)))
            },
        }

    def _system(self, _request: Request, _body: Any) -> Any:
        system = self._live.simulator.system
        return self._history.map.as_json() | {
            "version": self.version,
            "problem": self.problem,
            "findings": self._live.simulator.findings,
            "callers": [*system.accounts, *(function.name for function in system.of(Function))],
            "buses": [{"name": bus.name, "arn": bus.arn, "account": bus.account} for bus in system.of(EventBus)],
            "apis": [
                {"name": api.name, "account": api.account, "routes": [route.key for route in api.routes]}
                for api in system.of(HttpApi)
            ],
            "archives": [archive.name for archive in system.of(Archive)],
            "services": sorted(set(system.services.values())),
            "faults": {
                "deliveries": [kind for kind in KINDS if kind not in get_args(CallKind)],
                "calls": list(get_args(CallKind)),
            },
        }

    def _events(self, request: Request, _body: Any) -> Any:
        asked = request.query_params
        pattern = asked.get("pattern", "").strip()
        wanted = Filter(
            Pattern.parse(pattern) if pattern else None,
            source=asked.get("source", "").strip(),
            detail_type=asked.get("detail_type", "").strip(),
            service=asked.get("service", "").strip(),
            bad=asked.get("bad") == "true",
        )
        limit = asked.get("limit", "200")
        if not limit.isdecimal() or not 0 < int(limit) <= MOST_ROWS:
            raise PageError(f"limit: got {limit!r}; allowed: 1 to {MOST_ROWS}")
        rows = self._history.last(wanted, int(limit))
        return {"events": [row.as_json() for row in rows], "kept": len(self._history.rows)}

    def _event(self, request: Request, _body: Any) -> Any:
        number = request.path_params["number"]
        row = self._history.row(number)
        if row is None:
            raise PageError(
                f"event {number} is not known, or forgotten; the last {self._history.rows.maxlen:,} are kept"
            )
        simulator = self._live.simulator
        root = next((root for root in list(simulator.trace().roots) if root.number == row.node.root), row.node)
        return {
            "event": row.as_json(),
            "payload": row.node.payload,
            "tree": decisions.tree(root),
            "rules": decisions.rules(simulator.system, row.node),
        }

    def _queues(self, _request: Request, _body: Any) -> Any:
        history = self._history
        with self._live as simulator:
            return [
                {
                    "name": queue.name,
                    "account": queue.account,
                    "failures": history.map.is_for_failures(queue),
                    "count": len(messages),
                    "messages": [
                        {
                            "id": message.id,
                            "body": message.body,
                            "attributes": message.attributes,
                            "at": message.sent_at,
                        }
                        for message in messages[:MESSAGES_SHOWN]
                    ],
                }
                for queue in simulator.system.of(Queue)
                if (messages := simulator.messages(queue)) or history.map.is_for_failures(queue)
            ]

    def _faults(self, _request: Request, _body: Any) -> Any:
        return [{"fault": str(fault), "struck": fault.struck} for fault in list(self._live.simulator.faults)]

    # What can be done

    def _put_event(self, _request: Request, body: Any) -> Any:
        entry = {
            "Source": _text(body, "source"),
            "DetailType": _text(body, "detail_type"),
            "Detail": json.dumps(body.get("detail", {})),
            "EventBusName": _text(body, "bus"),
        }
        with self._live as simulator:
            return simulator.put_events([entry], caller=_text(body, "caller"))["Entries"][0]

    def _call(self, _request: Request, body: Any) -> Any:
        headers = body.get("headers") or {}
        with self._live as simulator:
            answer = simulator.http(
                _text(body, "method"),
                _text(body, "path"),
                body.get("body"),
                headers={str(name): str(value) for name, value in headers.items()},
                caller=body.get("caller") or None,
                api=body.get("api") or None,
            )
        return {"status": answer.status, "headers": answer.headers, "body": answer.content.decode("utf-8", "replace")}

    def _redrive(self, _request: Request, body: Any) -> Any:
        with self._live as simulator:
            return {"redriven": simulator.redrive(_text(body, "queue"))}

    def _replay(self, _request: Request, body: Any) -> Any:
        with self._live as simulator:
            before = len(simulator.trace().roots)
            simulator.replay(
                body.get("archive") or None, begin=_number(body, "begin", 0), end=_number(body, "end", 1e18)
            )
            return {"replayed": len(simulator.trace().roots) - before}

    def _switch_fault(self, request: Request, body: Any) -> Any:
        fault, on = Fault.parse(_text(body, "fault")), body.get("on") is not False
        with self._live as simulator:
            simulator.faults[:] = [each for each in simulator.faults if str(each) != str(fault)] + [fault] * on
        return self._faults(request, body)

    def _advance(self, _request: Request, body: Any) -> Any:
        seconds = _number(body, "seconds", 0)
        if not 0 < seconds <= LONGEST_ADVANCE_SECONDS:
            raise PageError(f"seconds: got {seconds:g}; allowed: more than 0 and at most {LONGEST_ADVANCE_SECONDS:,}")
        with self._live as simulator:
            self._live.advance(seconds)
            return {"now": simulator.now + seconds}


class _Files(StaticFiles):
    """The files of the page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def _endpoint(do: Callable[[Request, Any], Any]) -> Callable[[Request], Any]:
    """An endpoint that answers JSON, and refuses what a page of another origin sends."""

    async def answer(request: Request) -> Response:
        try:
            body = await _body(request)
            return _Json(await run_in_threadpool(do, request, body), headers=HEADERS)
        except _ForbiddenError as error:
            return _Json({"error": str(error)}, 403, HEADERS)
        except BackboneError as error:
            return _Json({"error": str(error)}, 400, HEADERS)

    return answer


class _ForbiddenError(Exception):
    """A page of another origin asks for a change."""


class _Json(JSONResponse):
    def render(self, content: Any) -> bytes:
        """Write what is JSON as it is, and what is not as it would be shown."""
        return json.dumps(content, default=_shown).encode("utf-8", "surrogatepass")


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)


async def _body(request: Request) -> Any:
    if request.method != "POST":
        return None
    if is_from_elsewhere(request.method, dict(request.headers)):
        raise _ForbiddenError("a page of another site may not change anything here")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise PageError("content-type: allowed: application/json")
    try:
        body = await request.json()
    except ValueError as error:
        raise PageError(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise PageError("the body is no object of JSON")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise PageError(f"{name}: got {value!r}; allowed: a text")
    return value


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PageError(f"{name}: got {value!r}; allowed: a number of seconds")
    return value
