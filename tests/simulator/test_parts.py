"""Functions, queues, streams, APIs and transformations, on systems made for the purpose."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.aws import policies
from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.http_api import HttpApi, Jwt
from backbone.constructs.service import Service
from backbone.constructs.stream import Stream
from backbone.constructs.table import Table
from backbone.errors import BackboneError
from backbone.simulator import Fault, Simulator
from backbone.simulator.faults import FaultError
from backbone.simulator.processes import Reply, Worker
from tests.simulator.conftest import ORDER, zipped

Built = Callable[..., Simulator]
BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/t-global"


def send(sim: Simulator, *details: dict[str, Any]) -> None:
    entries = [{"Source": "b", "DetailType": "T", "Detail": one, "EventBusName": BUS} for one in details]
    assert sim.put_events(entries, caller="b")["FailedEntryCount"] == 0


def direct(service: Service) -> None:
    service.subscribe("t", "T", to=service.function("f", handler="code.handle", timeout_seconds=1), buffer=False)


def test_a_function_that_fails_is_tried_again_and_then_its_queue_has_the_event(built: Built) -> None:
    code = "def handle(event, context):\n    print('trying', context.function_name)\n    raise ValueError('no luck')"
    sim = built(direct, code=code)
    send(sim, {"n": 1})
    trace = sim.run_until_idle()
    assert [one.at for one in trace.of("failed")] == [0, 60, 180]
    assert trace.of("invoked")[0].data["printed"] == "trying t-a-f\n"
    (message,) = sim.queues["t-a-f-failures"]
    record = json.loads(message.body)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["detail"] == {"n": 1}
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert record["responsePayload"]["errorMessage"] == "no luck"
    assert sim.queues["t-a-t-dead-letters"] == []


def test_a_time_out_is_enforced_and_the_next_invocation_starts_anew(built: Built) -> None:
    code = """
import time
calls = []
def handle(event, context):
    calls.append(1)
    if event["detail"]["n"] == 1:
        time.sleep(60)
    if len(calls) != 1:
        raise ValueError("not a new process")
"""
    sim = built(direct, code=code)
    began = time.monotonic()
    send(sim, {"n": 1})
    trace = sim.run_until_idle()
    assert time.monotonic() - began < 10
    assert [one.words.split(": ")[0] for one in trace.of("failed")] == ["Sandbox.Timedout"] * 3
    send(sim, {"n": 2})
    sim.run_until_idle()
    assert len(sim.trace().of("failed")) == 3


def test_events_that_cause_each_other_without_end(built: Built) -> None:
    def build(service: Service) -> None:
        function = service.function("f", handler="code.handle", environment={"LOCAL": service.bus.arn})
        function.grant("loop", policies.put_events(service.bus.arn))
        service.subscribe("t", "T", to=function, buffer=False)

    code = """
import boto3, os
def handle(event, context):
    entry = {"Source": "a", "DetailType": "T", "Detail": "{}", "EventBusName": os.environ["LOCAL"]}
    boto3.client("events").put_events(Entries=[entry])
"""
    sim = built(build, code=code)
    send(sim, {})
    with pytest.raises(BackboneError, match="is the 101th event or call in a chain in which each causes the next"):
        sim.run_until_idle()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nothing_like_it", "Runtime.ImportModuleError"),
        ("def other(): pass", "Runtime.HandlerNotFound"),
        ("def handle(", "Runtime.UserCodeSyntaxError"),
        ("raise LookupError", "LookupError"),
        ("import os\ndef handle(event, context): os._exit(1)", "Runtime.ExitError"),
        ("def handle(event, context): return {1, 2}", "Runtime.MarshalError"),
        ("import sys\ndef handle(event, context): sys.exit(3)", "Runtime.ExitError"),
    ],
)
def test_functions_that_break(built: Built, code: str, words: str) -> None:
    sim = built(direct, code=code)
    send(sim, {})
    trace = sim.run_until_idle()
    assert {one.words.split(":")[0] for one in trace.of("failed")} == {words}
    assert len(sim.queues["t-a-f-failures"]) == 1


def test_a_function_sees_its_own_environment_only(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("PRIVATE", "x")
    code = "import os\ndef handle(event, context): raise ValueError(' '.join(sorted(os.environ)))"
    sim = built(direct, code=code)
    send(sim, {})
    (message,) = (sim.run_until_idle(), sim.queues["t-a-f-failures"])[1]
    seen = json.loads(message.body)["responsePayload"]["errorMessage"].split()
    assert "PRIVATE" not in seen
    assert "AWS_PROFILE" not in seen
    assert {"EVENT_BUS_ARN", "EVENT_SOURCE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION"} <= set(seen)


def test_calls_to_aws_that_are_not_simulated_go_nowhere(built: Built) -> None:
    code = "import boto3\ndef handle(event, context): boto3.client('s3').list_buckets()"
    sim = built(direct, code=code)
    send(sim, {})
    trace = sim.run_until_idle()
    assert any("s3" in one.place and "is not simulated" in one.words for one in trace.of("refused"))
    assert len(sim.queues["t-a-f-failures"]) == 1


def test_transactions_and_batches_need_their_permissions(built: Built) -> None:
    def build(service: Service) -> None:
        table = Table(service, "things", account=service.account, name="things", key="id")
        function = service.function("f", handler="code.handle", environment={"TABLE": table.name})
        function.grant("put", policies.allow(["dynamodb:PutItem"], table.arn))
        service.subscribe("t", "T", to=function, buffer=False)

    code = """
import boto3, os
def handle(event, context):
    table, client = os.environ["TABLE"], boto3.client("dynamodb")
    client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": {"id": {"S": "1"}}}}])
    client.batch_get_item(RequestItems={table: {"Keys": [{"id": {"S": "1"}}]}})
"""
    sim = built(build, code=code)
    send(sim, {})
    trace = sim.run_until_idle()
    assert sim.items("things") == [{"id": {"S": "1"}}]
    assert {one.words.split(":")[1] for one in trace.of("denied")} == {"BatchGetItem"}


def buffered(service: Service) -> None:
    function = service.function("f", handler="code.handle", timeout_seconds=2)
    service.subscribe("t", "T", to=function, max_receives=5)


def test_a_buffer_gives_back_what_failed_until_its_queue_has_it(built: Built) -> None:
    code = """
import json
def handle(event, context):
    bad = [one["messageId"] for one in event["Records"] if json.loads(one["body"])["detail"]["n"] == 1]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
"""
    sim = built(buffered, code=code)
    assert sim.findings == []
    send(sim, {"n": 0}, {"n": 1}, {"n": 2})
    trace = sim.run_until_idle()
    assert sim.queues["t-a-t-buffer"] == []
    (message,) = sim.queues["t-a-t-buffer-dead-letters"]
    assert json.loads(message.body)["detail"] == {"n": 1}
    assert message.receives == 5
    # Four more receives, each after the visibility timeout of six times two seconds, and a sixth that finds it spent.
    assert sim.now == 5 * 12
    assert len(trace.of("dead-lettered")) == 1


def test_a_buffer_keeps_events_while_the_function_fails(built: Built) -> None:
    sim = built(buffered, code="def handle(event, context): return None")
    sim.faults.append(Fault("timeout", "t-a-f", times=3))
    send(sim, {"n": 0})
    trace = sim.run_until_idle()
    assert len(trace.of("failed")) == 3
    assert not any(sim.queues.values())
    assert sim.now == 36


def test_a_stream_keeps_records_by_key_and_a_partner_is_called(built: Built) -> None:
    def build(service: Service) -> None:
        stream = Stream(service, "stream", account=service.account, name="stream")
        service.subscribe("streamed", "T", to=stream, partition_key_path="$.detail.id")
        partner = ApiDestination(
            service,
            "partner",
            account=service.account,
            name="partner",
            endpoint="https://partner.example",
            secret_variable="key",
        )
        service.subscribe("told", "T", to=partner)

    sim = built(build, code="")
    assert sim.findings == []
    send(sim, {"id": "a"}, {"id": "b"})
    sim.run_until_idle()
    assert [key for key, _ in sim.streams["stream"]] == ["a", "b"]
    assert [one["detail"]["id"] for one in sim.destinations["partner"]] == ["a", "b"]


def token(claims: dict[str, Any]) -> str:
    return "Bearer x." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".x"


def test_an_api_honours_its_authorizer(built: Built) -> None:
    def build(service: Service) -> None:
        direct(service)
        function = service.function("api", handler="code.answer")
        routes = {"GET /things/{id}": function, "ANY /files/{path+}": function, "$default": function}
        jwt = Jwt("https://issuer.example", ("shop",))
        HttpApi(
            service,
            "http-api",
            account=service.account,
            name="api",
            routes=routes,
            log_retention_days=7,
            authorization=jwt,
        )

    code = "def handle(e, c): pass\ndef answer(e, c): return {'statusCode': 200, 'body': __import__('json').dumps(e)}"
    sim = built(build, code=code)
    good = {"iss": "https://issuer.example", "aud": "shop", "sub": "s", "exp": time.time() + 60}
    answer = sim.http("GET", "/things/a%20b?x=1&x=2", headers={"Authorization": token(good)})
    assert answer.status == 200
    event = answer.body
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "s"
    assert event["routeKey"] == "GET /things/{id}"
    assert sim.http("PUT", "/files/a/b", headers={"Authorization": token(good)}).body["pathParameters"] == {
        "path": "a/b"
    }
    assert sim.http("GET", "/other", headers={"Authorization": token(good)}).body["routeKey"] == "$default"
    for change in ({"iss": "other"}, {"aud": "other"}, {"exp": 1}):
        assert sim.http("GET", "/things/1", headers={"Authorization": token(good | change)}).status == 401
    assert sim.http("GET", "/things/1").status == 401
    sim.stub_authorizers = True
    assert sim.http("GET", "/things/1").status == 200


def test_an_api_with_iam_wants_a_caller(load: Callable[..., Simulator]) -> None:
    sim = load()
    assert sim.http("POST", "/orders", ORDER).status == 403
    assert sim.http("GET", "/nothing", caller="order").status == 404
    sim.faults.append(Fault("throttle", "*http-api", times=1))
    assert sim.http("GET", "/health", caller="order").status == 429
    sim.faults.append(Fault("timeout", "*-api", times=1))
    assert sim.http("GET", "/health", caller="order").status == 500
    sim.faults.append(Fault("crash", "*-api", times=1))
    assert sim.http("GET", "/health", caller="order").status == 500
    assert load(stub_authorizers=True).http("GET", "/health").status == 200


@pytest.mark.parametrize("text", ["", "throttle", "melt:x", "throttle:x@y", "throttle:x%0.5"])
def test_faults_that_cannot_be_read(text: str) -> None:
    with pytest.raises(FaultError, match="allowed: KIND:TARGET, as in"):
        Fault.parse(text)


def test_a_fault_as_text() -> None:
    assert Fault.parse("delay:arn:aws:sqs:x@10-20.5%3") == Fault("delay", "arn:aws:sqs:x", 10, 20.5, 3)
    assert Fault.parse("crash:*on-event@5-") == Fault("crash", "*on-event", 5)


def test_a_worker_answers_calls_and_prints(tmp_path: Path) -> None:
    (tmp_path / "code.zip").write_bytes(
        zipped(code="def handle(e, c): print('hello'); return c.aws_request_id").content
    )
    worker = Worker(
        tmp_path / "code.zip",
        "code.handle",
        {},
        timeout_seconds=5,
        context={"function_name": "f", "function_arn": "a", "memory_mb": 1, "log_group": "g"},
    )
    outcome = worker.invoke({}, "r-1", lambda _: Reply(200, {}, b""), now=0)
    assert (outcome.result, outcome.printed) == ("r-1", "hello\n")
    worker.close()
