"""The commands, the server and the pytest plugin, as a user meets them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from backbone.errors import BackboneError
from backbone.simulator import Simulator
from backbone.simulator.server import Server
from backbone.trace import Node
from tests.cli.command import BACKBONE, run
from tests.simulator.conftest import ORDER

pytest_plugins = "pytester"
Stacks = Callable[[str], Path]
EVENT = '{"source": "order-service", "detail-type": "Order.Updated", "detail": {}}'


def test_simulate_a_post(stacks: Stacks, tmp_path: Path) -> None:
    command = (BACKBONE, "simulate", "--stacks", str(stacks("single")), "--post", "/orders", json.dumps(ORDER))
    output, _ = run(*command, "--as", "order", folder=tmp_path, COLUMNS="160", AWS_PROFILE="none")
    for words in ("Order.Created", "Delivery.Updated", "Order.Updated", "returned", "201", "rule shop-forward-order"):
        assert words in output
    output, _ = run(*command, folder=tmp_path, status=1)
    assert "denied" in output
    output, _ = run(*command, "--stub-authorizers", "--json", folder=tmp_path)
    assert json.loads(output)[0]["kind"] == "http"
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    output, _ = run(*command[:-1], "@order.json", "--as", "order", "--mermaid", folder=tmp_path)
    assert output.startswith("sequenceDiagram\n")


def test_simulate_an_event(stacks: Stacks, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(EVENT)
    command = (BACKBONE, "simulate", "-s", str(stacks("single")), "-e", "event.json")
    output, _ = run(*command, folder=tmp_path, COLUMNS="160")
    assert "shop-delivery-service" in output
    output, _ = run(*command, "--as", "delivery-service", folder=tmp_path, status=1, COLUMNS="160")
    assert "NotAuthorizedForSourceException" in output
    faulty = (*command, "--fault", "deny:shop-delivery-service")
    output, errors = run(*faulty, folder=tmp_path, status=1, COLUMNS="160")
    assert "dead-lettered" in output
    assert errors.startswith("problem: 1 dead-letter: shop-forward-delivery-service-dead-letters")
    assert run(*faulty, "--allow", "dead-letter", folder=tmp_path)[1] == ""
    assert "expected 1 of Order.Paid" in run(*command, "--expect", "Order.Paid=1", folder=tmp_path, status=1)[1]
    assert "--expect: got 'T=x'; allowed" in run(*command, "--expect", "T=x", folder=tmp_path, status=2)[1]
    assert "--allow: got 'x'; allowed: denied" in run(*command, "--allow", "x", folder=tmp_path, status=2)[1]
    (tmp_path / "event.json").write_text('{"source": "nobody", "detail-type": "T", "detail": {}}')
    assert (
        "no service or account is called 'nobody'; name the caller with --as"
        in run(*command, folder=tmp_path, status=2)[1]
    )
    assert "either --event or --post" in run(*command[:4], folder=tmp_path, status=2)[1]
    assert "--fault: got 'x'; allowed" in run(*command, "--fault", "x", folder=tmp_path, status=2)[1]
    assert "run `backbone synth` first" in run(BACKBONE, "simulate", "-e", "event.json", folder=tmp_path, status=2)[1]


def test_simulate_what_the_aws_cli_is_given(stacks: Stacks, tmp_path: Path) -> None:
    entry = {"Source": "order-service", "DetailType": "Order.Updated", "Detail": "{}"}
    (tmp_path / "entries.json").write_text(json.dumps([entry, entry | {"DetailType": "Order.Created"}]))
    command = (BACKBONE, "simulate", "-s", str(stacks("single")), "-e", "entries.json", "--json")
    put = json.loads(run(*command, "--allow", "dead-letter", folder=tmp_path)[0])
    assert [node["detail_type"] for node in put] == ["Order.Updated", "Order.Created"]
    (tmp_path / "entries.json").write_text(json.dumps({"Entries": [entry | {"Detail": {}}]}))
    message = "error: entries.json: Entries[0].Detail: got an object; allowed: JSON as text"
    assert run(*command, folder=tmp_path, status=2)[1].startswith(message)


def test_findings_come_first_and_fail_the_command(stacks: Stacks, tmp_path: Path) -> None:
    read = json.loads((stacks("direct") / "stacks" / "backbone" / "cdk.tf.json").read_text())
    for name in list(read["resource"]["aws_lambda_permission"]):
        if "deliveries" in name:
            del read["resource"]["aws_lambda_permission"][name]
            for body in read["resource"]["aws_cloudwatch_event_target"].values():
                body["depends_on"] = [one for one in body["depends_on"] if name not in one]
    read["resource"]["aws_sns_topic"] = {"t": {"name": "t", "provider": "aws.bus"}}
    file = tmp_path / "out" / "stacks" / "backbone" / "cdk.tf.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(read))
    (tmp_path / "event.json").write_text(EVENT)
    _, errors = run(BACKBONE, "simulate", "-s", "out", "-e", "event.json", folder=tmp_path, status=1)
    assert "note BB190: backbone/aws_sns_topic.t: this type is not simulated\n" in errors
    assert "error BB201: backbone/aws_cloudwatch_event_target.services_order-service_deliveries_target" in errors
    assert "every event that the rule matches would go to shop-order-service-deliveries-dead-letters" in errors


def call(url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20240101/eu-west-1/execute-api/aws4_request"}


def test_the_server_is_an_api_and_eventbridge(load: Callable[..., Simulator]) -> None:
    sim = load()
    nodes: list[Node] = []
    with Server(sim, port=0) as server:
        assert server.url.startswith("http://127.0.0.1:")
        server.on_node = nodes.append
        assert call(f"{server.url}/orders/x")[0] == 403
        assert call(f"{server.url}/health", **SIGNED) == (200, {"status": "ok"})
        status, order = call(f"{server.url}/orders", ORDER, **SIGNED)
        assert status == 201
        for _ in range(200):
            if call(f"{server.url}/orders/{order['order_id']}", **SIGNED)[1]["status"] == "DELIVERED":
                break
        else:
            pytest.fail("the order was never delivered")
        client = boto3.client(
            "events",
            region_name="eu-west-1",
            endpoint_url=server.url,
            aws_access_key_id="222222222222",
            aws_secret_access_key="any",
        )
        bus = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
        entry = {"Source": "order-service", "DetailType": "Order.Updated", "Detail": "{}", "EventBusName": bus}
        answer = client.put_events(Entries=[entry, entry | {"Source": "delivery-service"}])  # type: ignore[list-item]
        assert answer["FailedEntryCount"] == 1
        assert answer["Entries"][1]["ErrorCode"] == "NotAuthorizedForSourceException"
        client.close()
        assert call(f"{server.url}/", **{"x-amz-target": "AWSEvents.PutEvents"})[0] == 400
    assert any(one.data.get("detail_type") == "Order.Created" for one in nodes)


def test_up_says_where_and_ends_cleanly(stacks: Stacks, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "BACKBONE_FILE"}
    process = subprocess.Popen(
        [BACKBONE, "up", "--stacks", str(stacks("single")), "--port", "0", "--stub-authorizers"],
        cwd=tmp_path,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert call(f"{url}/orders", ORDER)[0] == 201
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "Order.Created" in output
    assert output.endswith("ended\n")
    assert "Traceback" not in errors


def test_a_port_that_is_taken(load: Callable[..., Simulator]) -> None:
    with Server(load(), port=0) as server, pytest.raises(Exception, match="allowed: a free port, or 0"):
        Server(load(), port=int(server.url.rpartition(":")[2]))
    for port in (-1, 99_999):
        with pytest.raises(BackboneError, match=f"--port: got {port}; allowed: 0 to 65535"):
            Server(load(), port=port)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", 400),
        ("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        ("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        ("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485761\r\n\r\n", 413),
        ("POST /orders HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        ("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        ("GET /health HTTP/9.9\r\n\r\n", 505),
        ("nonsense\r\n\r\n", 400),
    ],
)
def test_broken_http_is_answered_and_the_server_lives_on(
    load: Callable[..., Simulator], capfd: pytest.CaptureFixture[str], text: str, status: int
) -> None:
    with Server(load(stub_authorizers=True), port=0) as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(text.encode())
            answer = client.recv(4096).decode()
        assert str(status) in answer
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")  # and goes away
        assert call(f"{server.url}/health")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_fifty_clients_at_once_are_all_answered(load: Callable[..., Simulator]) -> None:
    with Server(load(stub_authorizers=True), port=0) as server, ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda _: call(f"{server.url}/health")[0], range(200)))
    assert answers == [200] * 200


def test_service_teams_test_with_the_plugin(pytester: pytest.Pytester, stacks: Stacks) -> None:
    pytester.makeini(f"[pytest]\nbackbone_stacks = {stacks('single')}\n")
    pytester.makepyfile(
        """
        def test_delivery(backbone_sim):
            body = {"customer": "c", "items": [{"sku": "s", "quantity": 1, "price": 1}]}
            assert backbone_sim.http("POST", "/orders", body, caller="order").status == 201
            trace = backbone_sim.run_until_idle()
            assert "shop-delivery-service-orders-buffer" in trace.delivered_to("Order.Created")
            assert trace.lost == []
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout
    pytester.makeini("[pytest]\nbackbone_stacks = none\n")
    done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert "run `backbone synth` first" in done.stdout
