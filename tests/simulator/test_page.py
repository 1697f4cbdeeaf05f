"""The page's API: what it tells of a running system, and what can be done with it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from backbone.simulator import Simulator
from backbone.simulator.page import history
from backbone.simulator.server import Server
from tests.simulator.conftest import ORDER
from tests.simulator.test_server import BUS, ENTRY, call, eventually

Load = Callable[..., Simulator]
JSON = {"content-type": "application/json"}
UPDATED = {"source": "order-service", "detail_type": "Order.Updated", "bus": BUS, "caller": "order-service"}


class Api:
    """The page's API of a server."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.page_url}api/"

    def __call__(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        found, answer = call(self.url + path, body, **JSON)
        assert found == status, answer
        return answer

    def events(self, **query: str) -> list[dict[str, Any]]:
        """The events of a filter, the newest first."""
        found: list[dict[str, Any]] = self(f"events?{urlencode(query)}")["events"]
        return found

    def order(self) -> None:
        """Post an order, and wait until it is delivered."""
        before = len(self.events(detail_type="Order.Updated"))
        answer = self("calls", {"method": "POST", "path": "/orders", "body": ORDER, "caller": "order"})
        assert answer["status"] == 201
        eventually(lambda: len(self.events(detail_type="Order.Updated")) > before)


@contextmanager
def served(sim: Simulator) -> Iterator[Api]:
    with Server(sim, port=0) as server:
        yield Api(server)


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree["children"]:
        yield from nodes(child)


def test_the_map_has_every_place_and_edges_between_them(load: Load) -> None:
    with served(load()) as api:
        system = api("system")
    places = system["places"]
    edges = {(places[a]["name"], places[b]["name"]) for a, b in system["edges"]}
    for edge in [
        ("shop-order-service-http-api", "shop-order-service-api"),
        ("shop-order-service-api", "shop-order-service-orders"),
        ("shop-order-service-orders", "shop-order-service-orders-outbox"),
        ("shop-order-service-orders-outbox", "shop-global"),
        ("shop-global", "shop-forward-delivery-service"),
        ("shop-forward-delivery-service", "shop-delivery-service"),
        ("shop-delivery-service-orders-buffer", "shop-delivery-service-on-event"),
    ]:
        assert edge in edges
    assert {place["label"] for place in places if place["service"] == "order-service"} >= {"api", "on-event", "orders"}
    assert all(place["failures"] for place in places if place["name"].endswith("dead-letters"))
    assert not any(place["failures"] for place in places if place["name"].endswith("buffer"))
    assert system["apis"][0]["routes"] == ["GET /health", "GET /orders/{order_id}", "POST /orders"]


def test_an_order_is_told_with_every_decision(load: Load) -> None:
    with served(load()) as api:
        api.order()
        rows = {row["detail_type"] or row["words"]: row for row in api.events()}
        assert list(rows) == ["Order.Updated", "Delivery.Updated", "Order.Created", "POST /orders"]
        assert rows["Order.Created"]["outcomes"] == {"delivered": 1}
        found = api(f"events/{rows['Order.Created']['number']}")
    assert found["payload"]["detail"]["data"]["customer"] == "c-1"
    assert found["tree"]["kind"] == "http"
    own = next(node for node in nodes(found["tree"]) if node["number"] == found["event"]["number"])
    assert "statement Account222222222222" in own["data"]["allowed_by"]
    rules = {rule["name"]: rule for rule in found["rules"]}
    assert rules["shop-forward-delivery-service"]["matched"]
    assert not rules["shop-forward-order-service"]["matched"]
    assert 'required anything but "222222222222"; found "222222222222"' in rules["shop-forward-order-service"]["why"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 4),
        ({"detail_type": "order."}, 2),
        ({"source": "delivery"}, 1),
        ({"service": "order-service"}, 4),
        ({"service": "delivery-service"}, 2),
        ({"bad": "true"}, 0),
        ({"limit": "1"}, 1),
        ({"pattern": '{"detail-type": [{"suffix": ".Updated"}]}'}, 2),
        ({"pattern": '{"detail": {"data": {"customer": ["c-1"]}}}'}, 1),
        ({"pattern": '{"detail": {"data": {"customer": ["c-2"]}}}', "source": "order-service"}, 0),
    ],
)
def test_events_are_filtered(load: Load, query: dict[str, str], count: int) -> None:
    with served(load()) as api:
        api.order()
        assert len(api.events(**query)) == count


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("events?pattern={", None, "not JSON"),
        ("events?pattern=%7B%22x%22%3A1%7D", None, "x"),
        ("events?limit=0", None, "limit: got '0'; allowed: 1 to 500"),
        ("events/77", None, "event 77 is not known, or forgotten"),
        ("events", {"source": ""}, "source: got ''; allowed: a text"),
        ("events", UPDATED | {"caller": "nobody"}, "caller: got 'nobody'; allowed: order, bus"),
        ("calls", {"method": "GET"}, "path: got None"),
        ("redrive", {"queue": "x"}, "queue: got 'x'; allowed: shop-"),
        ("replay", {"archive": "x"}, "archive: got 'x'"),
        ("replay", {"begin": "x"}, "begin: got 'x'; allowed: a number of seconds"),
        ("faults", {"fault": "x"}, "KIND:TARGET"),
        ("clock", {"seconds": 0}, "seconds: got 0; allowed: more than 0"),
        ("clock", {"seconds": 1e12}, "allowed: more than 0 and at most"),
        ("clock", [], "the body is no object of JSON"),
    ],
)
def test_what_is_wrong_is_refused_in_words(load: Load, path: str, body: Any, words: str) -> None:
    with served(load()) as api:
        assert words in api(path, body, status=400)["error"]


def test_a_fault_a_dead_letter_and_its_redrive(load: Load) -> None:
    with served(load()) as api:
        fault = "deny:shop-delivery-service"
        assert api("faults", {"fault": fault}) == [{"fault": fault, "struck": 0}]
        assert api("events", UPDATED)["EventId"]
        queue = "shop-forward-delivery-service-dead-letters"
        full: list[dict[str, Any]] = []

        def is_there() -> bool:
            full[:] = [each for each in api("queues") if each["count"]]
            return bool(full)

        eventually(is_there)
        assert (full[0]["name"], full[0]["failures"]) == (queue, True)
        assert full[0]["messages"][0]["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
        assert api.events(bad="true")[0]["outcomes"] == {"dead-letter": 1}
        assert api("faults", {"fault": fault, "on": False}) == []
        assert api("redrive", {"queue": queue}) == {"redriven": 1}
        eventually(lambda: not any(each["count"] for each in api("queues")))
        again = api.events()[0]
        assert (again["kind"], again["detail_type"]) == ("redriven", "Order.Updated")


def test_replay_and_the_clock(load: Load) -> None:
    with served(load()) as api:
        api.order()
        at = api.events(detail_type="Order.Created")[0]["at"]
        assert api("replay", {"begin": at - 0.001, "end": at + 0.001})["replayed"] == 1
        assert api("replay", {})["replayed"] == 3
        assert api("clock", {"seconds": 40 * 86_400})["now"] > 40 * 86_400
        # The archive keeps events for 30 days. What is due by then is done at once, but not before the answer.
        eventually(lambda: api("replay", {})["replayed"] == 0)


def test_news_are_streamed(load: Load) -> None:
    with Server(load(), port=0) as server:
        api, port = Api(server), int(server.url.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/_backbone/api/stream")
        answer = connection.getresponse()
        assert answer.getheader("content-type", "").startswith("text/event-stream")

        def news() -> dict[str, Any]:
            while not (line := answer.readline()).startswith(b"data: "):
                assert line
            read: dict[str, Any] = json.loads(line[6:])
            return read

        assert news()["counts"] == {}
        api("events", UPDATED)
        ran: list[int] = []
        while not ran:
            ran = [edge for edge, _ in news()["edges"]]
        system = api("system")
        first = system["edges"][ran[0]]
        assert [system["places"][place]["kind"] for place in first] == ["bus", "rule"]
    connection.close()  # the server ends although the page is open


def test_a_page_of_elsewhere_may_not_write_here(load: Load) -> None:
    with Server(load(), port=0) as server:
        for headers in ({"Origin": "http://localhost:1"}, {"Sec-Fetch-Site": "cross-site"}):
            assert call(f"{server.page_url}api/clock", {"seconds": 1}, **JSON, **headers)[0] == 403
        status, answer = call(f"{server.page_url}api/clock", {"seconds": 1}, **{"content-type": "text/plain"})
        assert (status, answer["error"]) == (400, "content-type: allowed: application/json")
        assert call(f"{server.page_url}api/system", Host="evil.example")[0] == 421


def test_the_files_of_the_page_come_from_here_alone(load: Load) -> None:
    with Server(load(), port=0) as server:
        connection = http.client.HTTPConnection(server.url[7:], timeout=30)

        def get(path: str, **headers: str) -> tuple[http.client.HTTPResponse, str]:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()

        assert get("/", accept="text/html")[0].getheader("location") == "/_backbone/"
        assert get("/")[0].status == 404
        answer, page = get("/_backbone/")
        assert "default-src 'self'" in (answer.getheader("content-security-policy") or "")
        for name in ("main.js", "map.js", "layout.js", "events.js", "detail.js", "controls.js", "kit.js", "page.css"):
            answer, text = get(f"/_backbone/{name}")
            assert answer.status == 200
            page += text
        connection.close()
    assert "http://www.w3.org/2000/svg" in page
    assert page.count("://") == page.count("http://www.w3.org/2000/svg")


def test_what_it_remembers_is_bounded(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KNOWN", 200)
    sim = load()
    with Server(sim, port=0) as server:
        for _ in range(300):
            with server.live as simulator:
                simulator.put_events([ENTRY] * 10, caller="order-service")
        eventually(lambda: sim.next_at() > sim.now)
        api = Api(server)
        assert api("events")["kept"] == history.LAST
        assert len(server.page._history._known) <= 200
