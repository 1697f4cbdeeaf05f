"""The server as clients meet it: many at once, slow, broken, from elsewhere; and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from backbone.constructs.http_api import HttpApi, Route
from backbone.constructs.service import Service
from backbone.errors import BackboneError
from backbone.simulator import Simulator, http_server, live, turns
from backbone.simulator.http_payload import MAX_REQUEST_BYTES
from backbone.simulator.server import Server
from backbone.trace import Node
from tests.cli.command import BACKBONE
from tests.simulator.conftest import ORDER

Stacks = Callable[[str], Path]
Load = Callable[..., Simulator]
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20240101/eu-west-1/execute-api/aws4_request"}
BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
ENTRY = {"Source": "order-service", "DetailType": "Order.Updated", "Detail": "{}", "EventBusName": BUS}


def call(url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def send(server: Server, text: bytes) -> socket.socket:
    """A connection on which some bytes were sent."""
    client = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30)
    client.sendall(text)
    return client


def eventually(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def test_the_server_is_an_api_and_eventbridge(load: Load) -> None:
    nodes: list[Node] = []
    with Server(load(), port=0) as server:
        assert server.url.startswith("http://127.0.0.1:")
        server.on_node = nodes.append
        assert call(f"{server.url}/orders/x")[0] == 403
        assert call(f"{server.url}/health", **SIGNED) == (200, {"status": "ok"})
        status, order = call(f"{server.url}/orders", ORDER, **SIGNED)
        assert status == 201
        path = f"{server.url}/orders/{order['order_id']}"
        eventually(lambda: call(path, **SIGNED)[1]["status"] == "DELIVERED")
        client = boto3.client(
            "events",
            region_name="eu-west-1",
            endpoint_url=server.url,
            aws_access_key_id="222222222222",
            aws_secret_access_key="any",
        )
        answer = client.put_events(Entries=[ENTRY, ENTRY | {"Source": "delivery-service"}])  # type: ignore[list-item]
        assert answer["FailedEntryCount"] == 1
        assert answer["Entries"][1]["ErrorCode"] == "NotAuthorizedForSourceException"
        client.close()
        assert call(f"{server.url}/", **{"x-amz-target": "AWSEvents.PutEvents"})[0] == 400
    assert any(one.data.get("detail_type") == "Order.Created" for one in nodes)


def test_a_port_that_is_taken(load: Load) -> None:
    with Server(load(), port=0) as server, pytest.raises(Exception, match="allowed: a free port, or 0"):
        Server(load(), port=int(server.url.rpartition(":")[2]))
    for port in (-1, 99_999):
        with pytest.raises(BackboneError, match=f"--port: got {port}; allowed: 0 to 65535"):
            Server(load(), port=port)


POST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = json.dumps(ORDER).encode()


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (POST + b"Content-Length: -5\r\n\r\n", {400}),
        (POST + b"Content-Length: x\r\n\r\n", {400}),
        (POST + b"Content-Length: 99999999999999999999\r\n\r\n", {400, 413}),
        (POST + b"Content-Length: 10485761\r\n\r\n", {413}),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400}),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), {201}),
        (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", {421}),
        (b"GET /health HTTP/9.9\r\n\r\n", {400, 505}),
        (b"GET /health\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404}),
        (b"GET /%ff%00%2e%2e/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404}),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: \xff\xfe\r\n" * 3 + b"\r\n", {200, 400}),
        (b"TEAPOT /health HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 405, 501}),
        (b"nonsense\r\n\r\n", {400}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40, {400}),
    ],
)
def test_broken_http_is_answered_and_the_server_lives_on(
    load: Load, capfd: pytest.CaptureFixture[str], text: bytes, statuses: set[int]
) -> None:
    with Server(load(stub_authorizers=True), port=0) as server:
        with send(server, text) as client:
            answer = client.recv(4096).decode()
        assert int(answer.split()[1]) in statuses, answer
        with send(server, POST + b"Content-Length: 5\r\n\r\n"):
            pass  # and goes away
        assert call(f"{server.url}/health")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": "http://localhost:{port}"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_a_page_of_elsewhere_may_not_write(load: Load, headers: dict[str, str], status: int) -> None:
    with Server(load(stub_authorizers=True), port=0) as server:
        port = server.url.rpartition(":")[2]
        given = {name: value.replace("{port}", port) for name, value in headers.items()}
        assert call(f"http://localhost:{port}/orders", ORDER, **given)[0] == status
        assert call(f"http://localhost:{port}/health", **given)[0] == 200
        put = call(
            f"http://localhost:{port}/", {"Entries": [ENTRY]}, **given, **{"x-amz-target": "AWSEvents.PutEvents"}
        )
        assert ("may not change anything" in str(put)) == (status == 403)


def test_fifty_clients_at_once_are_answered_and_no_event_is_lost(load: Load) -> None:
    updated: list[Node] = []

    def see(node: Node) -> None:
        if node.kind == "put" and node.data["detail_type"] == "Order.Updated":
            updated.append(node)

    sim = load(stub_authorizers=True)
    with Server(sim, port=0) as server, ThreadPoolExecutor(50) as clients:
        server.on_node = see
        answers = list(clients.map(lambda _: call(f"{server.url}/orders", ORDER)[0], range(200)))
        assert answers == [201] * 200
        eventually(lambda: len(updated) == 200)
    assert {node.kind for node in sim.trace()} == {
        "http",
        "returned",
        "put",
        "archived",
        "rule",
        "delivered",
        "invoked",
        "call",
    }
    assert len(sim.items("shop-order-service-orders")) == 200


SLEEPER = """
import time

def handle(event, context):
    time.sleep(float(event["queryStringParameters"]["seconds"]))
    return {"statusCode": 200, "body": "{}"}
"""


def test_functions_run_at_once(built: Callable[..., Simulator]) -> None:
    def build(service: Service) -> None:
        function = service.function("api", handler="code.handle")
        service.subscribe("t", "T", to=function)
        HttpApi(
            service,
            "http-api",
            account=service.account,
            name="t-api",
            routes={"GET /sleep": Route(function, authorization="none")},
            log_retention_days=7,
        )

    with Server(built(build, code=SLEEPER), port=0) as server, ThreadPoolExecutor(4) as clients:
        url = f"{server.url}/sleep?seconds="
        call(f"{url}0")
        began = time.monotonic()
        answers = list(clients.map(lambda _: call(f"{url}1.5")[0], range(4)))
        assert answers == [200] * 4
        assert time.monotonic() - began < 5  # one after the other they would take 6


def test_slow_clients_hold_nobody_up(load: Load) -> None:
    with Server(load(stub_authorizers=True), port=0) as server:
        begun = [send(server, POST + b"Content-Length: %d\r\n\r\n" % len(BODY)) for _ in range(50)]
        begun += [send(server, b"GET /hea") for _ in range(50)]
        assert call(f"{server.url}/health")[0] == 200
        for client in begun[:50]:
            client.sendall(BODY)
        assert [client.recv(100).split()[1] for client in begun[:50]] == [b"201"] * 50
        for client in begun:
            client.close()


def test_clients_that_are_too_slow_are_left(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "SLOWEST_CLIENT_SECONDS", 0.5)
    with Server(load(stub_authorizers=True), port=0) as server:
        with send(server, POST + b"Content-Length: 5\r\n\r\n{") as client:
            assert client.recv(100).startswith(b"HTTP/1.1 408 ")
        with send(server, b"GET /hea") as client:
            assert client.recv(100) == b""
        with send(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") as client:
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            time.sleep(1)
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/1.1 200 " in client.recv(4096) + client.recv(4096)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (4 << 20, "bytes; at most 65,536 are taken"),  # says the function
        (MAX_REQUEST_BYTES, "Request Entity Too Large"),  # says the API: a function takes less
        (MAX_REQUEST_BYTES + 1, "allowed: at most 10,485,760 bytes"),
        (3 * MAX_REQUEST_BYTES, "allowed: at most 10,485,760 bytes"),
    ],
)
def test_long_bodies_are_answered(load: Load, size: int, words: str) -> None:
    with Server(load(stub_authorizers=True), port=0) as server, ThreadPoolExecutor(8) as clients:
        port = int(server.url.rpartition(":")[2])

        def post(_: int) -> tuple[int, bool]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/orders", b"x" * size, {"content-type": "text/plain"})
            answer = connection.getresponse()
            found = answer.status, words in answer.read().decode()
            connection.close()
            return found

        assert set(clients.map(post, range(8))) == {(413, True)}
        assert call(f"{server.url}/health")[0] == 200


def test_where_more_comes_in_than_can_be_delivered_calls_wait(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LATE_SECONDS", 0.05)
    sim = load()
    pending = []
    with Server(sim, port=0) as server:
        for _ in range(400):
            with server.live as simulator:
                simulator.put_events([ENTRY] * 10, caller="order-service")
                pending.append(len(simulator._engine._due))
    assert max(pending[300:]) < 1.5 * max(pending[:150])  # it does not pile up
    assert len(sim.trace().of("put")) == 4_000
    assert len(sim.trace().of("delivered")) == 3 * 4_000


def test_a_long_run_does_not_grow(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEPT", 100)
    sim = load()
    with Server(sim, port=0) as server:
        for _ in range(50):
            with server.live as simulator:
                simulator.put_events([ENTRY] * 10, caller="order-service")
        eventually(lambda: not sim.next_at() <= sim.now)
        with server.live:
            kept = [sim.trace().roots, *sim.logs.values()]
            assert max(map(len, kept)) <= 210
            assert min(map(len, (entries for name, entries in sim.logs.items() if "events" in name and entries))) >= 100
            assert all(node.children for node in sim.trace().roots)


# The process


@contextmanager
def up(stacks: Path, folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, with the address of its API."""
    environment = {key: value for key, value in os.environ.items() if key != "BACKBONE_FILE"}
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [BACKBONE, "up", "--stacks", str(stacks), "--port", "0", "--stub-authorizers", *options],
        cwd=folder,
        env=environment | {"PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        page, url = process.stdout.readline().split()[-1], process.stdout.readline().split()[-1]
        assert page == f"{url}/_backbone/"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_says_where_and_ends_cleanly(stacks: Stacks, tmp_path: Path, number: int) -> None:
    with up(stacks("single"), tmp_path) as (process, url), ThreadPoolExecutor(10) as clients:
        assert process.stdout is not None
        assert process.stdout.readline() == "  GET /health (NONE)\n"
        assert call(f"{url}/orders", ORDER)[0] == 201
        assert list((tmp_path / "temporary").iterdir())
        under_way = [clients.submit(call, f"{url}/orders", ORDER) for _ in range(10)]
        time.sleep(0.05)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        answered = [future.result()[0] for future in under_way if future.exception() is None]
    assert process.returncode == 0
    puts = output.count(" put bus:") + sum(map(int, re.findall(r"and more: .*?(\d+) put", output)))
    assert puts == 3 * (1 + len(answered))  # whatever was answered has gone all its way
    assert set(answered) <= {201}
    assert output.endswith("ended\n")
    assert errors == ""
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_is_killed_leaves_nothing_behind(stacks: Stacks, tmp_path: Path) -> None:
    with up(stacks("single"), tmp_path) as (process, url):
        assert call(f"{url}/health")[0] == 200
        process.kill()
        process.wait()
        eventually(lambda: not list((tmp_path / "temporary").iterdir()))
