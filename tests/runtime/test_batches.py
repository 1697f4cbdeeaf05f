"""What of a batch is given back, when it comes again, and what is left where there is no time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from backbone.runtime import BusyError, Consumer, EventData, Received, RejectedError, budget
from backbone.runtime.batches import handle_messages, handle_records
from tests.services.conftest import CONTEXT, Surroundings

Handle = Callable[[dict[str, Any]], None]


class Happened(EventData):
    detail_type = "Happened"
    version = 1
    number: int


def event(number: int) -> dict[str, Any]:
    meta = {"correlation_id": "c-1", "version": 1, "idempotency_key": f"k-{number}"}
    return {"id": f"e-{number}", "detail-type": "Happened", "detail": {"data": {"number": number}, "meta": meta}}


class Queue:
    """A queue in moto, and what was received of it."""

    def __init__(self, sqs: Any, count: int, *, fifo: bool = False) -> None:
        self._sqs = sqs
        name, attributes = ("events.fifo", {"FifoQueue": "true"}) if fifo else ("events", {})
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
        for number in range(count):
            group = {"MessageGroupId": f"g-{number % 2}", "MessageDeduplicationId": str(number)} if fifo else {}
            self._sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(event(number)), **group)

    def receive(self, receives: int = 1) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"] | {"ApproximateReceiveCount": str(receives)},
                "eventSource": "aws:sqs",
                "eventSourceARN": self.arn,
            }
            for message in found
        ]


def numbers(records: list[dict[str, Any]], answer: dict[str, Any]) -> list[int]:
    """The numbers of the events whose messages an answer gives back."""
    given_back = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    return [
        json.loads(record["body"])["detail"]["data"]["number"]
        for record in records
        if record["messageId"] in given_back
    ]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The visibility time-outs that messages were given."""
    from backbone.runtime import batches

    found: list[int] = []

    class Sqs:
        meta = SimpleNamespace(endpoint_url="https://sqs")

        def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            assert QueueUrl == "https://sqs/123456789012/events"
            assert len(Entries) <= 10
            found.extend(entry["VisibilityTimeout"] for entry in Entries)
            return {}

    monkeypatch.setattr(batches, "client", lambda _: Sqs())
    return found


def record(number: int, *, receives: int = 1, group: str | None = None) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receives)} | ({"MessageGroupId": group} if group else {})
    arn = "arn:aws:sqs:eu-west-1:123456789012:events"
    return {"messageId": str(number), "receiptHandle": "r", "attributes": attributes, "eventSourceARN": arn}


def failing(*positions: int, error: Exception | None = None) -> Handle:
    def handle(record: dict[str, Any]) -> None:
        if int(record["messageId"]) in positions:
            raise error or ValueError("no luck")

    return handle


def test_messages_that_failed_come_again_later_and_later(pauses: list[int]) -> None:
    for receives, least, most in ((1, 15, 30), (2, 30, 60), (5, 240, 480), (6, 450, 900), (99, 450, 900)):
        pauses.clear()
        records = [record(number, receives=receives) for number in range(25)]
        answer = handle_messages(records, failing(*range(25)))
        assert len(answer["batchItemFailures"]) == len(pauses) == 25
        assert all(least <= pause <= most for pause in pauses)


def test_a_message_that_is_worked_on_elsewhere_comes_again_when_that_is_over(pauses: list[int]) -> None:
    handle_messages([record(0)], failing(0, error=BusyError("k", 12.3)))
    assert pauses == [13]


def test_nothing_of_a_group_is_handled_after_its_first_failure(pauses: list[int]) -> None:
    handled: list[str] = []

    def handle(record: dict[str, Any]) -> None:
        handled.append(record["messageId"])
        failing(1)(record)

    groups = ["a", "b", "b", "a", "b"]
    answer = handle_messages([record(number, group=group) for number, group in enumerate(groups)], handle)
    assert handled == ["0", "1", "3"]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["1", "2", "4"]
    assert pauses[1:] == [0, 0]


def test_what_would_not_be_done_in_time_is_handed_back(pauses: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    left = 30_000
    monkeypatch.setattr(budget, "remaining_seconds", lambda: left / 1_000 - budget.RESERVED_SECONDS)
    moments = iter(range(0, 10_000, 8))
    monkeypatch.setattr("time.monotonic", lambda: next(moments))
    handled: list[str] = []

    def handle(record: dict[str, Any]) -> None:
        nonlocal left
        handled.append(record["messageId"])
        left -= 8_000

    answer = handle_messages([record(number) for number in range(6)], handle)
    assert handled == ["0", "1"]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["2", "3", "4", "5"]
    assert pauses == [0, 0, 0, 0]


def test_a_visibility_that_cannot_be_changed_is_the_queues_own(aws: Surroundings) -> None:
    assert numbers([record(0) | {"body": json.dumps(event(0))}], handle_messages([record(0)], failing(0))) == [0]


@pytest.mark.parametrize(("failing_at", "checkpoint"), [(None, []), (0, ["n-0"]), (2, ["n-2"])])
def test_a_stream_is_read_again_from_the_first_failure(failing_at: int | None, checkpoint: list[str]) -> None:
    handled: list[int] = []

    def handle(record: dict[str, Any]) -> None:
        handled.append(record["n"])
        if record["n"] == failing_at:
            raise ValueError("no luck")

    answer = handle_records([{"n": number} for number in range(4)], handle, number=lambda one: f"n-{one['n']}")
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == checkpoint
    assert handled == list(range(4 if failing_at is None else failing_at + 1))


def consumer(*, fails: Exception | None = None) -> tuple[Any, list[int]]:
    handled: list[int] = []
    it = Consumer()

    @it.on(Happened)
    def handle(received: Received[Happened]) -> None:
        if received.data.number == 1 and fails is not None:
            raise fails
        handled.append(received.data.number)

    return it.handler(), handled


def test_events_of_a_queue(aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFER_MAX_RECEIVES", "3")
    queue = Queue(aws.sqs, 3)
    handle, handled = consumer(fails=ReadTimeoutError(endpoint_url="x"))
    records = queue.receive()
    assert numbers(records, handle({"Records": records}, CONTEXT)) == [1]
    assert handled == [0, 2]
    assert aws.rejected() == []
    last = [one | {"attributes": one["attributes"] | {"ApproximateReceiveCount": "3"}} for one in records[1:2]]
    assert handle({"Records": last}, CONTEXT) == {"batchItemFailures": []}
    (rejected,) = aws.rejected()
    assert rejected["requestContext"]["condition"] == "RetriesExhausted"
    assert rejected["requestContext"]["approximateInvokeCount"] == 3
    assert rejected["requestPayload"] == event(1)
    assert rejected["responsePayload"]["errorType"] == "ReadTimeoutError"


def test_events_of_a_fifo_queue_keep_the_order_of_their_group(aws: Surroundings) -> None:
    queue = Queue(aws.sqs, 6, fifo=True)
    handle, handled = consumer(fails=ValueError("no luck"))
    records = queue.receive()
    assert numbers(records, handle({"Records": records}, CONTEXT)) == [1, 3, 5]
    assert handled == [0, 2, 4]


def test_events_of_a_stream(aws: Surroundings) -> None:
    def stream(*numbers: int) -> dict[str, Any]:
        return {
            "Records": [
                {
                    "eventSource": "aws:kinesis",
                    "kinesis": {
                        "sequenceNumber": f"n-{number}",
                        "data": base64.b64encode(json.dumps(event(number)).encode()).decode(),
                    },
                }
                for number in numbers
            ]
        }

    handle, handled = consumer(fails=ValueError("no luck"))
    assert handle(stream(0, 1, 2), CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "n-1"}]}
    assert handled == [0]
    handle, handled = consumer(fails=RejectedError("never"))
    assert handle(stream(0, 1, 2), CONTEXT) == {"batchItemFailures": []}
    assert handled == [0, 2]
    (rejected,) = aws.rejected()
    assert rejected["responsePayload"] == {"errorType": "RejectedError", "errorMessage": "never"}
