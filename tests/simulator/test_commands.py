"""The commands and the pytest plugin, as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
    read["resource"]["aws_mq_broker"] = {"b": {"broker_name": "b", "provider": "aws.bus"}}
    file = tmp_path / "out" / "stacks" / "backbone" / "cdk.tf.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(read))
    (tmp_path / "event.json").write_text(EVENT)
    _, errors = run(BACKBONE, "simulate", "-s", "out", "-e", "event.json", folder=tmp_path, status=1)
    assert "note BB190: backbone/aws_mq_broker.b: this type is not simulated\n" in errors
    assert "error BB201: backbone/aws_cloudwatch_event_target.services_order-service_deliveries_target" in errors
    assert "every event that the rule matches would go to shop-order-service-deliveries-dead-letters" in errors


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
