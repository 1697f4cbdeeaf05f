"""What boto3 is answered, service by service; `tests/judge.py` holds all of it against the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backbone.simulator import Simulator
from backbone.simulator.processes import Call, Reply
from tests.aws.systems import Terraform, url
from tests.judge import problems
from tests.simulator.clients import client

SYSTEM: dict[str, Any] = {"queue": {"inbox": {}, "failed": {}}, "stream": {"clicks": {}}, "table": {"orders": {}}}
KEY = {"id": {"S": "o-1"}}

CALLS: list[tuple[str, str, dict[str, Any], Any]] = [
    ("sqs", "get_queue_url", {"QueueName": "inbox"}, {"QueueUrl": url("inbox")}),
    ("sqs", "get_queue_url", {"QueueName": "nowhere"}, "AWS.SimpleQueueService.NonExistentQueue"),
    ("sqs", "list_queues", {"QueueNamePrefix": "in"}, {"QueueUrls": [url("inbox")]}),
    ("sqs", "list_queues", {"QueueNamePrefix": "x"}, {}),
    ("sqs", "list_dead_letter_source_queues", {"QueueUrl": url("failed")}, {"queueUrls": []}),
    ("sqs", "get_queue_attributes", {"QueueUrl": url("inbox"), "AttributeNames": ["Size"]}, "InvalidAttributeName"),
    ("sqs", "tag_queue", {"QueueUrl": url("inbox"), "Tags": {"a": "b"}}, "NotSimulated"),
    (
        "sqs",
        "send_message_batch",
        {"QueueUrl": url("inbox"), "Entries": []},
        "AWS.SimpleQueueService.EmptyBatchRequest",
    ),
    (
        "kinesis",
        "put_record",
        {"StreamName": "nowhere", "Data": b"x", "PartitionKey": "k"},
        "ResourceNotFoundException",
    ),
    ("dynamodb", "put_item", {"TableName": "orders", "Item": {**KEY, "total": {"N": "5"}}}, {}),
    ("dynamodb", "get_item", {"TableName": "orders", "Key": KEY}, {}),
    ("dynamodb", "put_item", {"TableName": "orders", "Item": {"id": {"N": "1"}}}, "ValidationException"),
    ("dynamodb", "put_item", {"TableName": "orders", "Item": {"id": {"S": ""}}}, "ValidationException"),
    (
        "dynamodb",
        "put_item",
        {"TableName": "orders", "Item": KEY, "ConditionExpression": "attribute_exists(id)"},
        "ConditionalCheckFailedException",
    ),
    ("dynamodb", "get_item", {"TableName": "nowhere", "Key": KEY}, "ResourceNotFoundException"),
    ("events", "put_rule", {"Name": "every", "ScheduleExpression": "rate(1 day)"}, "NotSimulated"),
    ("events", "put_events", {"Entries": [{"Source": "shop", "DetailType": "T"}] * 11}, "ValidationException"),
]


@pytest.fixture
def sim(tmp_path: Path) -> Simulator:
    return Simulator.load(Terraform(SYSTEM).write(tmp_path))


@pytest.mark.parametrize(("service", "operation", "arguments", "expected"), CALLS)
def test_an_answer(sim: Simulator, service: str, operation: str, arguments: dict[str, Any], expected: Any) -> None:
    call = getattr(client(sim, service, sim.identity("a")), operation)
    if isinstance(expected, str):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        assert caught.value.response["Error"]["Code"] == expected
        return
    assert {name: value for name, value in call(**arguments).items() if name != "ResponseMetadata"} == expected


def test_records_of_a_stream(sim: Simulator) -> None:
    kinesis = client(sim, "kinesis", sim.identity("a"))
    one = kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")
    more = kinesis.put_records(StreamName="clicks", Records=[{"Data": b"y", "PartitionKey": "k"}])
    assert one["ShardId"] == more["Records"][0]["ShardId"] == "shardId-000000000000"
    assert one["SequenceNumber"] < more["Records"][0]["SequenceNumber"]
    assert more["FailedRecordCount"] == 0


def test_entries_of_events(sim: Simulator) -> None:
    events = client(sim, "events", sim.identity("a"))
    entries = [{"Source": "shop", "DetailType": "T", "Detail": "{}"}, {"Source": "shop", "DetailType": "T"}]
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1]["ErrorCode"] == "InvalidArgument"


def test_a_message_keeps_the_trace_of_the_call_that_sent_it(sim: Simulator) -> None:
    body = json.dumps({"QueueUrl": url("inbox"), "MessageBody": "text"}).encode()
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage", "X-Amzn-Trace-Id": "Root=1-2-3"}
    sim.call(sim.identity("a"), Call("POST", "https://sqs.eu-central-1.amazonaws.com/", headers, body))
    received = client(sim, "sqs", sim.identity("a")).receive_message(
        QueueUrl=url("inbox"), MessageSystemAttributeNames=["AWSTraceHeader"]
    )
    assert received["Messages"][0]["Attributes"] == {"AWSTraceHeader": "Root=1-2-3"}


SEND = Call("POST", "", {"X-Amz-Target": "AmazonSQS.SendMessage"}, b'{"QueueUrl": "x", "MessageBody": "y"}')
PUT = Call("POST", "", {"X-Amz-Target": "AWSEvents.PutEvents"}, b'{"Entries": [{"Source": "a"}]}')
RECORD = Call(
    "POST",
    "",
    {"X-Amz-Target": "Kinesis_20131202.PutRecord"},
    b'{"StreamName": "s", "Data": "eA==", "PartitionKey": "k"}',
)


@pytest.mark.parametrize(
    ("call", "status", "answer", "found"),
    [
        (SEND, 200, {"MessageId": "m", "MD5OfMessageBody": "d"}, None),
        (SEND, 200, {"MessageId": 5}, ".MessageId: 5 is no string"),
        (SEND, 200, {"MessageId": None}, ".MessageId is null"),
        (SEND, 200, {"Id": "m"}, ".Id is no member of SendMessageResult"),
        (SEND, 400, {"__type": "com.amazonaws.sqs#NotAnError", "message": "m"}, "NotAnError is not documented"),
        (SEND, 400, {"__type": "com.amazonaws.sqs#InvalidMessageContents"}, "the error has no message"),
        (SEND, 399, {"__type": "com.amazonaws.sqs#InvalidMessageContents", "message": "m"}, "no status of an error"),
        (PUT, 200, {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}, None),
        (PUT, 200, {"FailedEntryCount": "0", "Entries": []}, ".FailedEntryCount: '0' is no integer"),
        (PUT, 200, {"FailedEntryCount": True, "Entries": []}, ".FailedEntryCount: True is no integer"),
        (PUT, 200, {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Wrong"}]}, "code Wrong is not documented"),
        (PUT, 200, {"FailedEntryCount": 0, "Entries": [{}]}, "either an id or an error"),
        (RECORD, 200, {"ShardId": "shardId-1", "SequenceNumber": "1"}, None),
        (RECORD, 200, {"SequenceNumber": "1"}, ".ShardId is missing"),
        (RECORD, 200, {"ShardId": "a b", "SequenceNumber": "1"}, "does not match"),
        (RECORD, 200, {"ShardId": "s", "SequenceNumber": "1", "EncryptionType": "AES"}, "is none of NONE, KMS"),
        (Call("POST", "", SEND.headers, b'{"QueueUrl": 5}'), 200, {}, "Missing required parameter"),
    ],
)
def test_the_judge_sees_what_is_wrong(call: Call, status: int, answer: Any, found: str | None) -> None:
    reply = Reply(status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(answer).encode())
    said = list(problems(call, reply))
    assert said == [] if found is None else any(found in one for one in said), said
