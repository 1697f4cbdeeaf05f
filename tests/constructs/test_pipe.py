"""Pipes of a service: what is made for them, who may do what, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backbone.constructs.delivery_stream import DeliveryStream
from backbone.constructs.pipe import PipeTarget
from backbone.constructs.queue import Queue
from backbone.constructs.service import Service
from backbone.constructs.state_machine import StateMachine
from backbone.constructs.stream import Stream
from backbone.constructs.topic import Topic
from backbone.errors import BackboneError
from tests.constructs.test_service import TEXT, agreeing, built, only
from tests.synthesis import Stacks, resources

KEY = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PIPE = "aws_pipes_pipe"
READ_QUEUE = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]


def build(service: Service) -> None:
    agreeing(service)
    account, name = service.account, service.name_of
    function = service.function("report", handler="some.module.handle")
    letters = Queue(service, "unasked", account=account, name=name("unasked"))
    queue = Queue(service, "asked", account=account, name=name("asked"), dead_letters_arn=letters.arn)
    topic = Topic(service, "topic", account=account, name_of=name)
    machine = StateMachine(service, "steps", account=account, name_of=name, definition={}, log_retention_days=7)
    years = DeliveryStream(service, "years", account=account, name_of=name, log_retention_days=7)
    stream = Stream(service, "clicks", account=account, name=name("clicks"))
    table = service.table("notes", key="id", streamed=True)
    targets: dict[str, PipeTarget] = {
        "to-function": function,
        "to-queue": letters,
        "to-topic": topic,
        "to-machine": machine,
        "to-years": years,
    }
    for pipe, to in targets.items():
        service.pipe(pipe, source=queue, to=to)
    service.pipe(
        "changed",
        source=table,
        to=function,
        enrichment=function,
        pattern={"eventName": ["INSERT"]},
        input_template='{"id": <$.dynamodb.Keys.id.S>}',
        batch_size=50,
        window_seconds=5,
        starting_position="LATEST",
        max_retry_attempts=3,
    )
    service.pipe("clicked", source=stream, to=letters)


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    return built(build, tmp_path, monkeypatch)


def statements(stacks: Stacks, pipe: str) -> list[dict[str, Any]]:
    document = json.loads(only(stacks, "aws_iam_role_policy", f"{pipe}/role-policy").body["policy"])
    found: list[dict[str, Any]] = document["Statement"]
    return found


def allowed(stacks: Stacks, pipe: str) -> dict[str, Any]:
    """The actions of a pipe's role, each with its resource."""
    found: dict[str, Any] = {}
    for one in statements(stacks, pipe):
        assert one["Effect"] == "Allow"
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        found |= dict.fromkeys(actions, one["Resource"])
    return found


def test_a_pipe_is_what_was_asked_for(stacks: Stacks) -> None:
    body = only(stacks, PIPE, "changed/").body
    assert body["name"] == "shop-order-service-changed"
    parameters = body["source_parameters"]
    assert parameters["filter_criteria"] == {"filter": [{"pattern": '{"eventName":["INSERT"]}'}]}
    records = dict(parameters["dynamodb_stream_parameters"])
    letters = only(stacks, "aws_sqs_queue", "changed/dead-letters/")
    assert records.pop("dead_letter_config") == {"arn": f"${{aws_sqs_queue.{letters.name}.arn}}"}
    assert records == {
        "batch_size": 50,
        "maximum_batching_window_in_seconds": 5,
        "maximum_record_age_in_seconds": 79_200,
        "maximum_retry_attempts": 3,
        "on_partial_batch_item_failure": "AUTOMATIC_BISECT",
        "starting_position": "LATEST",
    }
    assert body["target_parameters"] == {
        "input_template": '{"id": <$.dynamodb.Keys.id.S>}',
        "lambda_function_parameters": {"invocation_type": "REQUEST_RESPONSE"},
    }
    assert body["enrichment"] == body["target"]
    assert body["log_configuration"]["level"] == "ERROR"
    (group,) = [
        one
        for one in resources(stacks, "aws_cloudwatch_log_group")
        if one.path.startswith("services/order-service/changed")
    ]
    assert group.body["name"] == "/aws/vendedlogs/pipes/shop-order-service-changed"
    assert group.body["retention_in_days"]


def test_a_pipe_by_default(stacks: Stacks) -> None:
    body = only(stacks, PIPE, "to-queue/").body
    assert body["source_parameters"] == {"sqs_queue_parameters": {"batch_size": 10}}
    assert "target_parameters" not in body
    assert "enrichment" not in body
    records = only(stacks, PIPE, "clicked/").body["source_parameters"]["kinesis_stream_parameters"]
    assert (records["starting_position"], records["batch_size"]) == ("TRIM_HORIZON", 10)
    assert "maximum_retry_attempts" not in records
    machine = only(stacks, PIPE, "to-machine/").body["target_parameters"]
    assert machine == {"step_function_state_machine_parameters": {"invocation_type": "FIRE_AND_FORGET"}}
    assert not [one for one in resources(stacks, "aws_sqs_queue") if "to-queue/dead-letters" in one.path]


@pytest.mark.parametrize(
    ("pipe", "actions"),
    [
        ("to-function", {"lambda:InvokeFunction"}),
        ("to-queue", {"sqs:SendMessage"}),
        ("to-topic", {"sns:Publish"}),
        ("to-machine", {"states:StartExecution"}),
        ("to-years", {"firehose:PutRecord", "firehose:PutRecordBatch"}),
    ],
)
def test_a_role_may_read_the_source_and_send_to_the_target(pipe: str, actions: set[str], stacks: Stacks) -> None:
    body, found = only(stacks, PIPE, f"{pipe}/").body, allowed(stacks, pipe)
    assert {*found} == {*READ_QUEUE, *actions}
    assert {found[action] for action in READ_QUEUE} == {body["source"]}
    assert {found[action] for action in actions} == {body["target"]}


def test_a_role_may_read_a_stream_send_what_fails_and_enrich(stacks: Stacks) -> None:
    body, found = only(stacks, PIPE, "changed/").body, allowed(stacks, "changed")
    assert {action for action, resource in found.items() if resource == body["source"]} == {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
    }
    assert found["dynamodb:ListStreams"] == "*"
    assert found["lambda:InvokeFunction"] == body["enrichment"]
    letters = body["source_parameters"]["dynamodb_stream_parameters"]["dead_letter_config"]["arn"]
    assert found["sqs:SendMessage"] == letters
    clicked = allowed(stacks, "clicked")
    assert "kinesis:GetRecords" in clicked
    assert not any(action.startswith(("dynamodb", "kms")) for action in clicked)


def test_a_role_is_assumed_for_its_pipe_only(stacks: Stacks) -> None:
    (trust,) = json.loads(only(stacks, "aws_iam_role", "to-queue/role").body["assume_role_policy"])["Statement"]
    assert trust["Principal"] == {"Service": "pipes.amazonaws.com"}
    assert trust["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "arn:aws:pipes:eu-west-1:222222222222:pipe/shop-order-service-to-queue"},
        "StringEquals": {"aws:SourceAccount": "222222222222"},
    }


def test_a_role_may_use_the_key_of_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT.replace('order: {id: "222222222222"}', f'order: {{id: "222222222222", kms_key: "{KEY}"}}')
    stacks = built(build, tmp_path, monkeypatch, text)
    found = allowed(stacks, "to-queue")
    assert {action for action, resource in found.items() if resource == KEY} == {"kms:Decrypt", "kms:GenerateDataKey"}


def to_local_bus(service: Service) -> None:
    letters = Queue(service, "letters", account=service.account, name=service.name_of("letters"))
    queue = Queue(
        service, "asked", account=service.account, name=service.name_of("asked"), dead_letters_arn=letters.arn
    )
    service.pipe("p", source=queue, to=service.bus)  # type: ignore[arg-type]


def to_detail_type(service: Service) -> None:
    service.pipe("p", source=service.table("t", key="id", streamed=True), to="Order.Created")  # type: ignore[arg-type]


def of_a_queue_without_dead_letters(service: Service) -> None:
    queue = Queue(service, "asked", account=service.account, name=service.name_of("asked"))
    service.pipe("p", source=queue, to=queue)


def of_a_table_without_a_stream(service: Service) -> None:
    queue = Queue(service, "asked", account=service.account, name=service.name_of("asked"))
    service.pipe("p", source=service.table("t", key="id"), to=queue)


def of_a_topic(service: Service) -> None:
    topic = Topic(service, "topic", account=service.account, name_of=service.name_of)
    service.pipe("p", source=topic, to=topic)  # type: ignore[arg-type]


def with_a_wrong_pattern(service: Service) -> None:
    queue = Queue(service, "inbox", account=service.account, name=service.name_of("inbox"))
    service.pipe("p", source=service.table("t", key="id", streamed=True), to=queue, pattern={"eventName": "INSERT"})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (to_local_bus, ["to: got EventBus", "no bus of another account", "an outbox", "Publisher"]),
        (to_detail_type, ["to: got str", "no bus of another account", "an outbox", "Publisher"]),
        (of_a_queue_without_dead_letters, ["source: its queue has no dead_letters_arn"]),
        (of_a_table_without_a_stream, ["source: its table tells no changes; give it streamed=True"]),
        (with_a_wrong_pattern, ['pattern: $.eventName: got "INSERT"; allowed: an array']),
        (of_a_topic, ["source: got Topic; allowed: a queue, a stream, or a table that is streamed"]),
    ],
)
def test_what_no_pipe_can_do_is_refused(
    wrong: Any, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackboneError) as refused:
        built(wrong, tmp_path, monkeypatch)
    assert "the pipe shop-order-service-p: " in str(refused.value)
    for one in words:
        assert one in str(refused.value)
