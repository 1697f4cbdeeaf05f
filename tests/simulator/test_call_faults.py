"""Faults of the AWS calls that functions make."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backbone.aws import policies
from backbone.constructs.service import Service
from backbone.simulator import Fault, Simulator
from backbone.simulator.faults import CallKind
from backbone.trace import Node
from tests.simulator.conftest import put

CODE = """
import boto3, os
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

config = Config(read_timeout=4, retries={"total_max_attempts": 1})

def handle(event, context):
    before = context.get_remaining_time_in_millis()
    table, client = os.environ["TABLE"], boto3.client("dynamodb", config=config)
    try:
        client.put_item(TableName=table, Item={"id": {"S": context.aws_request_id}})
        print("answered")
    except ClientError as error:
        print(error.response["Error"]["Code"])
    except ReadTimeoutError:
        print("no answer for", round((before - context.get_remaining_time_in_millis()) / 1000))
"""


Built = Callable[..., Simulator]


def writing(built: Built, timeout_seconds: int = 10) -> Simulator:
    """A function that writes an item, with a client that waits for 4 seconds."""

    def build(service: Service) -> None:
        table = service.table("things", key="id")
        environment = {"TABLE": table.name}
        function = service.function(
            "f", handler="code.handle", environment=environment, timeout_seconds=timeout_seconds
        )
        function.grant("put", policies.allow(["dynamodb:PutItem"], table.arn))
        service.subscribe("t", "T", to=function, buffer=False)

    return built(build, code=CODE)


def run(simulator: Simulator, fault: Fault) -> list[Node]:
    simulator.faults.append(fault)
    put(simulator, "b", "T", EventBusName="arn:aws:events:eu-west-1:111111111111:event-bus/t-global")
    return simulator.run_until_idle().of("invoked")


@pytest.mark.parametrize(
    ("kind", "printed", "items"),
    [
        ("call-error", ["InternalServerError\n"], 0),
        ("call-throttle", ["ThrottlingException\n"], 0),
        ("call-lost", ["InternalServerError\n"], 1),
        ("call-timeout", ["no answer for 4\n"], 1),
        ("crash-before", ["", "answered\n"], 1),
        ("crash-after", ["", "answered\n"], 1),
        ("concurrent", ["answered\n"], 2),
    ],
)
def test_what_becomes_of_a_call(built: Built, kind: CallKind, printed: list[str], items: int) -> None:
    sim, fault = writing(built), Fault(kind, "t-a-f/PutItem", times=1)
    assert [node.data["printed"] for node in run(sim, fault)] == printed
    assert len(sim.items("t-a-things")) == items
    assert fault.struck == 1


def test_a_function_that_waits_for_longer_than_it_may_take_times_out(built: Built) -> None:
    sim = writing(built, timeout_seconds=3)
    assert len(run(sim, Fault("call-timeout", "t-a-f/*", times=1))) == 2
    (failed,) = sim.trace().of("failed")
    assert failed.words.endswith("Task timed out after 3.00 seconds")


def test_the_first_calls_pass(built: Built) -> None:
    sim, fault = writing(built), Fault("call-error", "t-a-f/PutItem", skip=1)
    assert [node.data["printed"] for node in run(sim, fault)] == ["answered\n"]
    assert [node.data["printed"] for node in run(sim, fault)][1:] == ["InternalServerError\n"]


def test_calls_are_struck_by_their_operation_only(built: Built) -> None:
    sim = writing(built)
    for target in ("t-a-f", "t-a-f/GetItem", "other/PutItem"):
        assert run(sim, Fault("call-error", target))[-1].data["printed"] == "answered\n"
    assert str(Fault.parse("crash-after:*f/PutItem%1")) == "crash-after:*f/PutItem"
