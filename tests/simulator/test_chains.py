"""Systems in which everything causes the next thing: a simulation of them ends all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backbone.simulator import Simulator, SimulatorError
from tests.aws.systems import Terraform

ROUND = """import boto3, os
def handle(event, context):
    url = "https://sqs.eu-central-1.amazonaws.com/111111111111/jobs"
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody="again")
"""
PUT = """import boto3
def handle(event, context):
    boto3.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "T", "Detail": "{}"}])
"""
FAIL = "def handle(event, context): raise Exception('on purpose')"
EVERY = {"every": {"to": ["function:f"]}}


@pytest.mark.parametrize(
    "system",
    [
        {
            "queue": {"jobs": {}},
            "function": {"f": {"code": ROUND, "reads": {"from": "queue:jobs"}}},
            "rule": {"every": {"to": ["queue:jobs"]}},
        },
        {"function": {"f": {"code": PUT}}, "rule": EVERY},
        {"function": {"f": {"code": FAIL, "retries": {"to": {"on_failure": "function:f"}}}}, "rule": EVERY},
        {"function": {"f": {"code": FAIL, "retries": {"to": {"on_failure": "bus:default"}}}}, "rule": EVERY},
    ],
    ids=["a queue", "a bus", "a destination", "a destination that is a bus"],
)
def test_a_chain_without_an_end_is_said(tmp_path: Path, system: dict[str, Any]) -> None:
    with Simulator.load(Terraform(system).write(tmp_path)) as sim:
        sim.put_events([{"Source": "shop", "DetailType": "T", "Detail": "{}"}], caller="a")
        with pytest.raises(SimulatorError, match="the chain would never end"):
            sim.run_until_idle()
