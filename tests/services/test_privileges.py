"""Each function of the example may do what it does, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.simulator import Fault, Simulator
from backbone.simulator.engine import Engine
from backbone.simulator.processes import Call, Reply
from backbone.system.access import READING
from backbone.system.iam import Identity
from backbone.system.mapping import source_service
from backbone.system.model import Function
from tests.services.test_faults import ORDER
from tests.services.test_loads import created
from tests.synthesis import Stacks, resources

SERVICES = {"AWSEvents": "events", "AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb"}
LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""What Lambda does with the role of every function: logs, traces, and records of what failed."""

READS = {"sqs": set(READING["sqs"]), "dynamodb": {*READING["dynamodb"], "dynamodb:ListStreams"}}
"""What Lambda calls with it to read a queue or a stream; the simulator does not ask for ListStreams."""


def granted(stacks: Stacks) -> dict[str, set[str]]:
    """The actions that the policies of each function's role allow."""
    found: dict[str, set[str]] = defaultdict(set)
    functions = {
        one.path.removesuffix("/Default"): one.body["function_name"] for one in resources(stacks, "aws_lambda_function")
    }
    for one in resources(stacks, "aws_iam_role_policy"):
        name = next((name for path, name in functions.items() if one.path.startswith(f"{path}/")), None)
        if name is not None:
            for statement in one.document("policy")["Statement"]:
                actions = statement["Action"]
                found[name].update([actions] if isinstance(actions, str) else actions)
    return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The actions of the calls that each function makes."""
    found: dict[str, set[str]] = defaultdict(set)
    answer = Engine.call

    def call(engine: Engine, who: Identity, call: Call) -> Reply:
        api, _, operation = call.target.partition(".")
        found[who.name].add(f"{SERVICES[api]}:{operation.removesuffix('Batch')}")
        return answer(engine, who, call)

    monkeypatch.setattr(Engine, "call", call)
    return found


def test_a_function_is_granted_what_it_uses(
    stacks: Callable[[str], Path], synthesized: Callable[[str], Stacks], calls: dict[str, set[str]]
) -> None:
    malformed: dict[str, Any] = {"EventBusName": created("")["EventBusName"], "Detail": "{}"}
    with Simulator.load(stacks("single")) as simulator:
        answer = simulator.http("POST", "/orders", ORDER, caller="order")
        simulator.run_until_idle()
        simulator.http("GET", f"/orders/{answer.body['order_id']}", caller="order")
        for name in ("order", "delivery"):  # what fails is let wait, and in the end is sent to the failure queue
            simulator.faults.append(Fault("call-error", f"shop-{name}-service-on-event/*Item", times=9))
        simulator.http("POST", "/orders", ORDER, caller="order")
        for source, detail_type in (("order-service", "Order.Created"), ("delivery-service", "Delivery.Updated")):
            simulator.put_events([malformed | {"Source": source, "DetailType": detail_type}], caller=source)
        simulator.run_until_idle()
        used: dict[str, set[str]] = {}
        for function in simulator.system.of(Function):
            reads = {source_service(mapping.source_arn) for mapping in function.mappings}
            used[function.name] = LAMBDA | calls[function.role_arn]
            for service in reads:
                used[function.name] |= READS[service]
    allowed = granted(synthesized("single"))
    assert {name: sorted(actions ^ used[name]) for name, actions in allowed.items()} == {name: [] for name in used}
