"""EventBridge Pipes: what is read, filtered, enriched and sent, and what becomes of what fails."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.simulator import Simulator, SimulatorError
from backbone.simulator.faults import Fault
from backbone.simulator.page.map import Map
from backbone.synthesis import output
from backbone.topology import load
from tests.aws.systems import Terraform, arn, policy
from tests.conftest import TOPOLOGIES
from tests.simulator.clients import client

Made = Callable[..., Simulator]
HERE = "eu-central-1:111111111111"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:steps"
YEARS = f"arn:aws:firehose:{HERE}:deliverystream/years"
PIPE = f"arn:aws:pipes:{HERE}:pipe/p"
STARTED = [{"step_function_state_machine_parameters": [{"invocation_type": "FIRE_AND_FORGET"}]}]
QUEUES = {"jobs": {"dead_letters": "letters", "max_receives": 2}, "letters": {}, "inbox": {}}
KEEP = """import json
def handle(event, context):
    print(json.dumps(event))
"""
TABLE = {"orders": {"stream_enabled": True, "stream_view_type": "NEW_AND_OLD_IMAGES"}}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A system with the pipe `p`, of some words and further blocks."""
    found: list[Simulator] = []

    def make(
        pipe: dict[str, Any], *, blocks: dict[str, Any] | None = None, faults: list[Fault] | None = None, **more: Any
    ) -> Simulator:
        system = {"queue": QUEUES, "pipe": {"p": pipe}, **more}
        folder = Terraform(system, blocks).write(tmp_path / str(len(found)))
        found.append(Simulator.load(folder, faults=faults or []))
        return found[-1]

    yield make
    for one in found:
        one.close()


def send(sim: Simulator, *bodies: Any, to: str = "jobs", **more: Any) -> None:
    queues = client(sim, "sqs", sim.identity("a"))
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)
        queues.send_message(QueueUrl=f"https://sqs.eu-central-1.amazonaws.com/111111111111/{to}", MessageBody=text)


def put(sim: Simulator, **attributes: str) -> None:
    item = {name: {"S": value} for name, value in attributes.items()}
    client(sim, "dynamodb", sim.identity("a")).put_item(TableName="orders", Item=item)


def stream(sim: Simulator, *records: bytes, key: str = "k") -> None:
    streams = client(sim, "kinesis", sim.identity("a"))
    for record in records:
        streams.put_record(StreamName="clicks", Data=record, PartitionKey=key)


def bodies(sim: Simulator, queue: str) -> list[str]:
    return [message.body for message in sim.queues[queue]]


def found_of(sim: Simulator) -> list[str]:
    """What is found of the pipe, but for its names that are texts."""
    found = [one for one in sim.all_findings if one.address.endswith("aws_pipes_pipe.p") and one.severity != "note"]
    return [one.rule for one in found if one.rule != "BB111"]


# What is sent

TARGETS: dict[str, tuple[dict[str, Any], Callable[[Simulator], list[str]], bool]] = {
    "a function": ({"to": "function:f"}, lambda sim: [sim.trace().of("invoked")[0].data["printed"]], True),
    "a function that is not waited for": (
        {
            "to": "function:f",
            "target_parameters": [{"lambda_function_parameters": [{"invocation_type": "FIRE_AND_FORGET"}]}],
        },
        lambda sim: [sim.trace().of("invoked")[0].data["printed"]],
        True,
    ),
    "a queue": ({"to": "queue:inbox"}, lambda sim: bodies(sim, "inbox"), False),
    "a topic": ({"to": "topic:told"}, lambda sim: sim.topics["told"], False),
    "a log group": ({"to": "log:kept"}, lambda sim: [json.dumps(one) for one in sim.logs["kept"]], False),
    "a stream": (
        {"to": "stream:clicks", "target_parameters": [{"kinesis_stream_parameters": [{"partition_key": "$.body.id"}]}]},
        lambda sim: [json.dumps(data) for _, data in sim.streams["clicks"]],
        False,
    ),
    "a state machine": ({"to": MACHINE, "target_parameters": STARTED}, lambda sim: sim.inputs[MACHINE], True),
    "a delivery stream": ({"to": YEARS}, lambda sim: sim.inputs[YEARS], False),
}


@pytest.mark.parametrize("name", TARGETS)
def test_each_target_is_sent_what_it_takes(made: Made, name: str) -> None:
    """A function and a state machine get a batch as a list, everything else each message by itself."""
    pipe, sent, as_list = TARGETS[name]
    topic = {"aws_sns_topic": {"told": {"provider": "aws.a", "name": "told"}}}
    more: dict[str, Any] = {"function": {"f": {"code": KEEP}}, "log": {"kept": {}}, "stream": {"clicks": {}}}
    sim = made({"reads": {"from": "queue:jobs"}, **pipe}, blocks=topic, **more)
    assert found_of(sim) == []
    send(sim, {"id": 1}, {"id": 2})
    sim.run_until_idle()
    assert sim.problems(allow=["finding"]) == []
    found = [json.loads(text) for text in sent(sim)]
    batches = found if as_list else [found]
    records = [record for batch in batches for record in batch]
    assert all(isinstance(batch, list) for batch in batches)
    assert [json.loads(record["body"]) for record in records] == [{"id": 1}, {"id": 2}]
    assert {record["eventSource"] for record in records} == {"aws:sqs"}
    assert {record["eventSourceARN"] for record in records} == {arn("queue:jobs")}
    assert bodies(sim, "jobs") == bodies(sim, "letters") == []
    hops = [node for node in sim.trace().of("rule") if node.place == "p"]
    assert hops
    assert all(node.children for node in hops)


def test_a_stream_is_put_to_with_the_key_that_the_path_names(made: Made) -> None:
    pipe, _, _ = TARGETS["a stream"]
    sim = made({"reads": {"from": "queue:jobs"}, **pipe}, stream={"clicks": {}})
    send(sim, {"id": 7}, {"id": "x"})
    sim.run_until_idle()
    assert [key for key, _ in sim.streams["clicks"]] == ["7", "x"]


def test_a_bus_is_sent_an_event_under_the_pipes_own_or_a_given_source(made: Made) -> None:
    rule = {"every": {"bus": "own", "to": ["log:kept"]}}
    parameters = [
        {"eventbridge_event_bus_parameters": [{"source": "shop", "detail_type": "Asked"}], "input_template": "<$.body>"}
    ]
    for given, about in (
        (parameters, ("shop", "Asked")),
        ([{"input_template": "<$.body>"}], ("Pipe p", "Event from aws:sqs")),
    ):
        pipe = {"reads": {"from": "queue:jobs"}, "to": "bus:own", "target_parameters": given}
        sim = made(pipe, bus={"own": {}}, rule=rule, log={"kept": {}})
        send(sim, {"id": 1})
        sim.run_until_idle()
        (event,) = sim.logs["kept"]
        assert (event["source"], event["detail-type"]) == about
        assert event["detail"] == {"id": 1}


@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        ('{"n": <$.body.id>, "p": "<aws.pipes.pipe-name>"}', {"id": "x"}, '{"n": "x", "p": "p"}'),
        ('{"all": <$.body>}', {"id": [1, {"a": None}]}, '{"all": {"id":[1,{"a":null}]}}'),
        ('{"in": "no <$.body.id>!"}', {"id": 7}, '{"in": "no 7!"}'),
        ('{"of": <$.body.a[*].n>, "one": <$.body.a[0].n>}', {"a": [{"n": 1}, {"n": 2}]}, '{"of": [1,2], "one": 1}'),
        ('{"none": <$.body.other>}', {"id": 1}, '{"none": ""}'),
        ("<$.body.id>", {"id": "x"}, '"x"'),
        ("<$.body>", "not JSON", '"not JSON"'),
        ("Order <$.body.id> came over <aws.pipes.pipe-name>", {"id": 7}, "Order 7 came over p"),
        ('"Order <$.body.id>"', {"id": 7}, '"Order 7"'),
        ('["<aws.pipes.pipe-arn>", <aws.pipes.source-arn>]', {}, json.dumps([PIPE, arn("queue:jobs")])),
        ('["<aws.pipes.enrichment-arn>", <aws.pipes.target-arn>]', {}, json.dumps(["", arn("queue:inbox")])),
        ('{"at": <aws.pipes.event.ingestion-time>}', {}, '{"at": "2024-01-01T00:00:00.000Z"}'),
        ('{"fixed": true}', {"id": 7}, '{"fixed": true}'),
    ],
)  # fmt: skip
def test_a_template_is_filled_for_each_message(made: Made, template: str, body: Any, expected: str) -> None:
    pipe = {"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "target_parameters": [{"input_template": template}]}
    sim = made(pipe)
    send(sim, body)
    sim.run_until_idle()
    assert bodies(sim, "inbox") == [expected]


def test_the_event_of_a_template_is_as_it_came_or_read(made: Made) -> None:
    template = '{"raw": <aws.pipes.event>, "read": <aws.pipes.event.json>}'
    pipe = {"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "target_parameters": [{"input_template": template}]}
    sim = made(pipe)
    send(sim, {"id": 1})
    sim.run_until_idle()
    found = json.loads(bodies(sim, "inbox")[0])
    assert found["raw"]["body"] == '{"id": 1}'
    assert found["read"]["body"] == {"id": 1}
    assert found["raw"]["messageId"] == found["read"]["messageId"]


# Sources and filters


def test_messages_that_no_filter_matches_are_deleted(made: Made) -> None:
    filters = [{"body": {"kind": ["wanted"]}}, {"body": {"n": [{"numeric": [">", 10]}]}}]
    sim = made({"reads": {"from": "queue:jobs", "filters": filters}, "to": "queue:inbox"})
    send(sim, {"kind": "wanted"}, {"kind": "other"}, {"n": 11}, {"n": 10}, "text")
    sim.run_until_idle()
    assert [json.loads(json.loads(one)["body"]) for one in bodies(sim, "inbox")] == [{"kind": "wanted"}, {"n": 11}]
    assert bodies(sim, "jobs") == []
    assert len(sim.trace().of("filtered")) == 3


def test_a_batch_waits_for_its_window_and_is_as_large_as_allowed(made: Made) -> None:
    reads = {"from": "queue:jobs", "batch_size": 2, "maximum_batching_window_in_seconds": 30}
    sim = made({"reads": reads, "to": MACHINE, "target_parameters": STARTED})
    send(sim, *({"id": n} for n in range(3)))
    sim.run_until_idle()
    assert [len(json.loads(batch)) for batch in sim.inputs[MACHINE]] == [2, 1]
    assert [node.at for node in sim.trace().of("rule")] == [0, 30]


@pytest.mark.parametrize(("size", "batches"), [({}, [1, 1, 1]), ({"batch_size": 2}, [2, 1])])
def test_a_batch_of_a_table_is_one_record_unless_said(made: Made, size: dict[str, int], batches: list[int]) -> None:
    reads = {"from": "table:orders", "maximum_batching_window_in_seconds": 5, **size}
    sim = made({"reads": reads, "to": MACHINE, "target_parameters": STARTED}, table=TABLE)
    for name in "123":
        put(sim, id=name)
    sim.run_until_idle()
    assert [len(json.loads(batch)) for batch in sim.inputs[MACHINE]] == batches


def test_changes_of_a_table_are_sent_in_their_order(made: Made) -> None:
    filters = [{"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"state": {"S": ["open"]}}}}]
    template = '{"id": <$.dynamodb.NewImage.id.S>, "was": <$.eventName>}'
    pipe = {
        "reads": {"from": "table:orders", "filters": filters, "batch_size": 10},
        "to": "queue:inbox",
        "target_parameters": [{"input_template": template}],
    }
    sim = made(pipe, table=TABLE)
    for order, state in (("1", "open"), ("2", "new"), ("2", "open"), ("1", "done")):
        put(sim, id=order, state=state)
    sim.run_until_idle()
    assert bodies(sim, "inbox") == ['{"id": "1", "was": "INSERT"}', '{"id": "2", "was": "MODIFY"}']


def test_records_of_a_stream_have_their_fields_beside_each_other(made: Made) -> None:
    pipe = {"reads": {"from": "stream:clicks", "filters": [{"data": {"n": [1]}}]}, "to": "queue:inbox"}
    sim = made(pipe, stream={"clicks": {}})
    stream(sim, b'{"n": 1}', b'{"n": 2}', b"no JSON")
    sim.run_until_idle()
    (record,) = [json.loads(one) for one in bodies(sim, "inbox")]
    assert base64.b64decode(record["data"]) == b'{"n": 1}'
    assert (record["partitionKey"], record["eventSource"]) == ("k", "aws:kinesis")
    assert record["invokeIdentityArn"] == "arn:aws:iam::111111111111:role/pipe-p"
    assert "kinesis" not in record


def test_a_template_reads_the_data_of_a_stream(made: Made) -> None:
    parameters = [{"input_template": '{"n": <$.data.n>, "k": <$.partitionKey>}'}]
    pipe = {"reads": {"from": "stream:clicks", "batch_size": 1}, "to": "queue:inbox", "target_parameters": parameters}
    sim = made(pipe, stream={"clicks": {}})
    stream(sim, b'{"n": 1}', b"no JSON")
    sim.run_until_idle()
    assert bodies(sim, "inbox") == ['{"n": 1, "k": "k"}', '{"n": "", "k": "k"}']


def test_a_pipe_that_is_stopped_reads_nothing(made: Made) -> None:
    sim = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "desired_state": "STOPPED"})
    send(sim, {"id": 1})
    sim.run_until_idle()
    assert bodies(sim, "inbox") == []
    assert "the pipe p is stopped" in sim.trace().lost[0].words


# The enrichment

ANSWERS = {
    "each item": ("return [{'id': one['body']} for one in event]", ['{"id":"1"}', '{"id":"2"}']),
    "an item in place of all": ("return {'many': len(event)}", ['{"many":2}']),
    "more items": ("return [1, 2, 3]", ["1", "2", "3"]),
    "nothing": ("return []", []),
    "null": ("return None", []),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_target_is_sent_what_the_enrichment_answers(made: Made, name: str) -> None:
    code, expected = ANSWERS[name]
    function = {"f": {"code": f"def handle(event, context):\n    {code}"}}
    sim = made(
        {"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "enrichment": arn("function:f")}, function=function
    )
    send(sim, "1", "2")
    sim.run_until_idle()
    assert bodies(sim, "inbox") == expected
    assert bodies(sim, "jobs") == bodies(sim, "letters") == []


def test_templates_of_the_enrichment_and_of_the_target(made: Made) -> None:
    code = "def handle(event, context):\n    return [{'n': one + 1} for one in event]"
    pipe = {
        "reads": {"from": "queue:jobs"},
        "to": "queue:inbox",
        "enrichment": arn("function:f"),
        "enrichment_parameters": [{"input_template": "<$.body.n>"}],
        "target_parameters": [{"input_template": '{"more": <$.n>}'}],
    }
    sim = made(pipe, function={"f": {"code": code}})
    send(sim, {"n": 1}, {"n": 5})
    sim.run_until_idle()
    assert bodies(sim, "inbox") == ['{"more": 2}', '{"more": 6}']


def test_an_enrichment_that_is_not_simulated_is_recorded_and_said(made: Made) -> None:
    sim = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "enrichment": MACHINE})
    assert any("not simulated" in str(one) and "answers" in str(one) for one in sim.all_findings)
    send(sim, {"id": 1})
    sim.run_until_idle()
    assert json.loads(json.loads(sim.inputs[MACHINE][0])[0]["body"]) == {"id": 1}
    assert bodies(sim, "inbox") == bodies(sim, "jobs") == []


# What fails

FAIL = "def handle(event, context): raise ValueError('no luck')"
SOME = """def handle(event, context):
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in event if one["body"] == "bad"]}
"""


def test_messages_that_fail_go_to_the_dead_letter_queue_of_the_queue(made: Made) -> None:
    for pipe in ({"to": "function:f"}, {"to": "queue:inbox", "enrichment": arn("function:f")}):
        sim = made({"reads": {"from": "queue:jobs"}, **pipe}, function={"f": {"code": FAIL}})
        send(sim, {"id": 1})
        sim.run_until_idle()
        assert len(sim.trace().of("invoked")) == 2
        assert bodies(sim, "letters") == ['{"id": 1}']
        assert bodies(sim, "jobs") == bodies(sim, "inbox") == []


def test_a_function_names_what_failed(made: Made) -> None:
    sim = made({"reads": {"from": "queue:jobs"}, "to": "function:f"}, function={"f": {"code": SOME}})
    send(sim, "good", "bad", "good")
    sim.run_until_idle()
    assert bodies(sim, "letters") == ["bad"]


def test_a_function_that_is_not_waited_for_fails_by_itself(made: Made) -> None:
    pipe, _, _ = TARGETS["a function that is not waited for"]
    sim = made({"reads": {"from": "queue:jobs"}, **pipe}, function={"f": {"code": FAIL}})
    send(sim, {"id": 1})
    sim.run_until_idle()
    assert len(sim.trace().of("invoked")) == 3
    assert bodies(sim, "letters") == []


def test_records_that_fail_are_halved_tried_again_and_told_of(made: Made) -> None:
    code = """def handle(event, context):
    if any(one["dynamodb"]["Keys"]["id"]["S"] == "bad" for one in event):
        raise ValueError("no luck")
"""
    reads = {
        "from": "table:orders",
        "on_partial_batch_item_failure": "AUTOMATIC_BISECT",
        "maximum_retry_attempts": 2,
        "batch_size": 10,
        "maximum_batching_window_in_seconds": 1,
        "dead_letter_config": [{"arn": arn("queue:letters")}],
    }
    sim = made({"reads": reads, "to": "function:f"}, table=TABLE, function={"f": {"code": code}})
    for name in ("1", "bad", "2"):
        put(sim, id=name)
    sim.run_until_idle()
    told = json.loads(bodies(sim, "letters")[0])
    assert told["context"] == {"partnerResourceArn": PIPE, "condition": "RetryAttemptsExhausted"}
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1
    assert told["DDBStreamBatchInfo"]["streamArn"] == arn("table:orders")
    assert (told["version"], "requestContext" in told) == ("1.0", False)
    batches = [[one["dynamodb"]["Keys"]["id"]["S"] for one in node.payload] for node in sim.trace().of("invoked")]
    assert batches == [["1", "bad", "2"], ["1"], ["bad", "2"], ["bad"], ["bad"], ["bad"], ["2"]]


def test_records_of_a_stream_that_are_too_old_are_told_of(made: Made) -> None:
    reads = {
        "from": "stream:clicks",
        "maximum_record_age_in_seconds": 60,
        "dead_letter_config": [{"arn": arn("queue:letters")}],
    }
    sim = made({"reads": reads, "to": "function:f"}, stream={"clicks": {}}, function={"f": {"code": FAIL}})
    stream(sim, b"1")
    sim.run_until_idle()
    told = json.loads(bodies(sim, "letters")[0])
    assert told["context"]["partnerResourceArn"] == PIPE
    assert told["KinesisBatchInfo"]["batchSize"] == 1


def without(resources: dict[str, Any], action: str) -> dict[str, Any]:
    """Blocks in which the pipe's role may do everything but one thing."""
    deny = policy({"Effect": "Deny", "Action": action, "Resource": "*"})
    return resources | {"aws_iam_role_policy": {"deny": {"provider": "aws.a", "role": "pipe-p", "policy": deny}}}


@pytest.mark.parametrize(
    ("pipe", "action"),
    [
        ({"to": "queue:inbox"}, "sqs:SendMessage"),
        ({"to": "function:f"}, "lambda:InvokeFunction"),
        ({"to": "topic:told"}, "sns:Publish"),
        ({"to": "bus:own"}, "events:PutEvents"),
        ({"to": YEARS}, "firehose:PutRecordBatch"),
        ({"to": MACHINE, "target_parameters": STARTED}, "states:StartExecution"),
        ({"to": MACHINE}, "states:StartSyncExecution"),
        ({"to": "queue:inbox", "enrichment": arn("function:f")}, "lambda:InvokeFunction"),
    ],
)
def test_what_the_role_may_not_do_is_denied_and_found(made: Made, pipe: dict[str, Any], action: str) -> None:
    topic = {"aws_sns_topic": {"told": {"provider": "aws.a", "name": "told"}}}
    more: dict[str, Any] = {"function": {"f": {"code": KEEP}}, "bus": {"own": {}}}
    sim = made({"reads": {"from": "queue:jobs"}, **pipe}, blocks=without(topic, action), **more)
    assert found_of(sim) == ["BB226"]
    send(sim, {"id": 1})
    sim.run_until_idle()
    denied = sim.trace().of("denied")
    assert len(denied) == 2
    assert {node.place for node in denied} == {"p"}
    assert bodies(sim, "letters") == ['{"id": 1}']
    assert sim.trace().of("delivered") == []


@pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage"])
def test_a_queue_that_the_role_may_not_read(made: Made, action: str) -> None:
    sim = made({"reads": {"from": "queue:jobs"}, "to": "log:kept"}, blocks=without({}, action), log={"kept": {}})
    assert found_of(sim) == ["BB225"]
    send(sim, {"id": 1})
    sim.run_until_idle()
    if action == "sqs:DeleteMessage":
        assert bodies(sim, "letters") == ['{"id": 1}']
        assert len(sim.logs["kept"]) == 2
    else:
        assert sim.logs["kept"] == []
        assert action in sim.trace().lost[0].words


def test_faults_of_the_pipe_and_of_its_target(made: Made) -> None:
    for fault in ("throttle:inbox%1", "timeout:p%1", "deny:p%1", "deny:inbox%1"):
        sim = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox"}, faults=[Fault.parse(fault)])
        send(sim, {"id": 1})
        sim.run_until_idle()
        assert len(sim.queues["inbox"]) == 1
        assert sim.faults[0].struck == 1
        assert bool(sim.trace().of("denied")) == fault.startswith("deny")
        assert bool(sim.trace().of("retry")) != fault.startswith("deny")


def test_what_a_queue_does_not_take_fails_by_itself(made: Made) -> None:
    queues = {**QUEUES, "inbox": {"max_message_size": 1024}}
    template = [{"input_template": "<$.body>"}]
    sim = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "target_parameters": template}, queue=queues)
    send(sim, "x" * 2000, "short")
    sim.run_until_idle()
    assert bodies(sim, "inbox") == ['"short"']
    assert [len(body) for body in bodies(sim, "letters")] == [2000]


def test_a_template_that_is_broken_by_what_is_filled_in_fails(made: Made) -> None:
    template = [{"input_template": '{"text": "<$.body.text>"}'}]
    sim = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "target_parameters": template})
    send(sim, {"text": 'a "quote"'}, {"text": "none"})
    sim.run_until_idle()
    assert bodies(sim, "inbox") == ['{"text": "none"}']
    assert len(sim.queues["letters"]) == 1


def test_pipes_that_lead_back_to_where_they_began(made: Made) -> None:
    sim = made({"reads": {"from": "queue:jobs"}, "to": "queue:jobs", "target_parameters": [{"input_template": "1"}]})
    send(sim, "1")
    with pytest.raises(SimulatorError, match="the chain would never end"):
        sim.run_until_idle()


# Beside


def test_a_pipe_is_on_the_map_between_its_source_and_its_target(made: Made) -> None:
    for source, name in (("queue:jobs", "jobs"), ("table:orders", "orders")):
        pipe = {"reads": {"from": source}, "to": "queue:inbox", "enrichment": arn("function:f")}
        sim = made(pipe, table=TABLE, function={"f": {"code": KEEP}})
        found = Map(sim.system).as_json()
        places = [place["name"] for place in found["places"]]
        edges = {(places[begin], places[end]) for begin, end in found["edges"]}
        assert {(name, "p"), ("p", "f"), ("p", "inbox")} <= edges


def test_messages_are_with_the_pipe_after_a_change_of_the_system(made: Made) -> None:
    before = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox", "desired_state": "STOPPED"})
    send(before, {"id": 1})
    after = made({"reads": {"from": "queue:jobs"}, "to": "queue:inbox"})
    after.take_over(before)
    after.run_until_idle()
    assert len(after.queues["inbox"]) == 1


# With everything beside it


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("everything")
    output.synth(load(TOPOLOGIES / "everything.yaml"), folder)
    return folder


def test_pipes_of_a_service_send_what_they_read(everything: Path) -> None:
    with Simulator.load(everything) as sim:
        worker = sim.identity("worker")
        queues = client(sim, "sqs", worker, region="eu-west-1")
        url = "https://sqs.eu-west-1.amazonaws.com/222222222222/shop-worker-asked"
        for body in ('{"id": 1}', '{"other": 1}'):
            queues.send_message(QueueUrl=url, MessageBody=body)
        notes = client(sim, "dynamodb", worker, region="eu-west-1")
        notes.put_item(TableName="shop-worker-notes", Item={"id": {"S": "n"}})
        sim.run_until_idle()
        assert sim.problems() == []
        (batch,) = sim.inputs["arn:aws:states:eu-west-1:222222222222:stateMachine:shop-worker-steps"]
        assert [record["body"] for record in json.loads(batch)] == ['{"id": 1}']
        (sent,) = sim.inputs["arn:aws:firehose:eu-west-1:222222222222:deliverystream/shop-worker-years"]
        assert sent == '{"pipe": "shop-worker-noted", "id": "n"}'


def test_what_a_pipe_sends_may_be_lost_behind_its_target(everything: Path, tmp_path: Path) -> None:
    folder = tmp_path / "edited"
    shutil.copytree(everything, folder)
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    document = json.loads(file.read_text())
    policies = document["resource"]["aws_iam_role_policy"]
    (name,) = [name for name in policies if "worker_years_role-policy" in name]
    policies[name]["policy"] = policies[name]["policy"].replace("s3:PutObject", "s3:PutObjectTagging")
    file.write_text(json.dumps(document))
    with Simulator.load(folder) as sim:
        notes = client(sim, "dynamodb", sim.identity("worker"), region="eu-west-1")
        notes.put_item(TableName="shop-worker-notes", Item={"id": {"S": "n"}})
        sim.run_until_idle()
        (lost,) = sim.trace().lost
        assert lost.place.endswith("deliverystream/shop-worker-years")
        assert "may not s3:PutObject" in lost.words
