"""The same calls of SQS, asked of the simulator and of moto, at the same times.

They answer alike but for what `DIFFERENCES` explains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import moto.sqs.models
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from backbone.simulator import Simulator
from tests.aws.systems import Terraform, arn
from tests.simulator.clients import client, session

DIFFERENCES = {
    "ids": "message ids, receipt handles, sequence numbers and times are each side's own",
    "errors": "of an error its code is compared: moto words some messages otherwise",
    "entries too large": "moto refuses the whole batch, AWS the entry (recorded); batches here have small bodies",
    "stale receipts": "moto takes the handle of an earlier receipt as the last; AWS promises nothing, and here nothing "
    "is deleted: the calls use handles of last receipts only",
    "deleted messages": "to hide one is InvalidParameterValue to AWS (recorded) but not to moto; nobody tries",
    "repeated messages": "moto forgets what was sent once it is deleted, AWS does not (documented); ids are new then",
    "late receipts": "moto deletes from a FIFO queue when the visibility timeout has ended, AWS does not (recorded)",
    "receipts of groups": "of a group that was received before moto gives one message at a time, AWS as many as asked "
    "for (documented); from FIFO queues one is asked for",
    "waiting": "moto waits in real time; nobody asks to wait",
    "empty bodies": "moto takes them; AWS does not (recorded)",
    "no visibility timeout": "with a VisibilityTimeout of 0 moto counts a receipt twice; nobody asks for that",
}
QUEUES = {
    "inbox": {"visibility_timeout_seconds": 20, "dead_letters": "failed", "max_receives": 2},
    "slow": {"delay_seconds": 5, "max_message_size": 1024},
    "failed": {},
    "inbox.fifo": {"fifo_queue": True, "visibility_timeout_seconds": 20},
}
ATTRIBUTES = {
    "inbox": {
        "VisibilityTimeout": "20",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("queue:failed"), "maxReceiveCount": 2}),
    },
    "slow": {"DelaySeconds": "5", "MaximumMessageSize": "1024"},
    "failed": {},
    "inbox.fifo": {"FifoQueue": "true", "VisibilityTimeout": "20"},
}

LONG = "1025 x"
SENT = (("Name", "String", "tea"), ("N", "Number", "6"))

Call = tuple[str, str, Any]
"""An operation, a queue and what else it takes; `wait` lets time pass."""

bodies = st.sampled_from(["a", "b", "c"])
calls = st.one_of(
    st.tuples(
        st.just("send"), st.sampled_from(sorted(QUEUES)), st.tuples(bodies | st.just(LONG), st.sampled_from(["g", "h"]))
    ),
    st.tuples(st.just("batch"), st.sampled_from(sorted(QUEUES)), st.lists(bodies, max_size=11)),
    st.tuples(
        st.just("receive"),
        st.sampled_from(sorted(QUEUES)),
        st.tuples(st.integers(1, 10), st.sampled_from([None, 7])),
    ),
    st.tuples(st.just("delete"), st.just(""), st.integers(0, 5)),
    st.tuples(st.just("hide"), st.just(""), st.tuples(st.integers(0, 5), st.sampled_from([0, 3, 43_201]))),
    st.tuples(st.just("count"), st.sampled_from(sorted(QUEUES)), st.none()),
    st.tuples(st.just("wait"), st.just(""), st.sampled_from([1, 6, 21])),
)


class Side:
    """One of the two, with what it gave."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        self._received: dict[str, tuple[str, str]] = {}
        """The queue and the handle of the last receipt of each message, by its id."""
        self._deleted = 0

    def do(self, call: Call, number: int) -> Any:
        operation, queue, more = call
        try:
            return getattr(self, f"_{operation}")(queue, more, number)
        except ClientError as error:
            return error.response["Error"]["Code"]

    def forget_fifo(self) -> None:
        """Forget the receipts of FIFO queues, which may have ended."""
        self._received = {key: receipt for key, receipt in self._received.items() if not receipt[0].endswith("fifo")}

    def _url(self, queue: str) -> str:
        return f"https://sqs.eu-central-1.amazonaws.com/111111111111/{queue}"

    def _fifo(self, queue: str, group: str, number: int) -> dict[str, str]:
        if not queue.endswith("fifo"):
            return {}
        return {"MessageGroupId": group, "MessageDeduplicationId": f"d-{self._deleted}-{number % 7}"}

    def _send(self, queue: str, more: Any, number: int) -> Any:
        body, group = more
        attributes = {
            "Name": {"DataType": "String", "StringValue": "tea"},
            "N": {"DataType": "Number", "StringValue": "6"},
        }
        answer = self._sqs.send_message(
            QueueUrl=self._url(queue),
            MessageBody=body,
            MessageAttributes=attributes,
            **self._fifo(queue, group, number),
        )
        return answer["MD5OfMessageBody"], answer["MD5OfMessageAttributes"], "SequenceNumber" in answer

    def _batch(self, queue: str, more: Any, number: int) -> Any:
        entries = [
            {"Id": f"e-{place}", "MessageBody": body, **self._fifo(queue, "g", number + place)}
            for place, body in enumerate(more)
        ]
        answer = self._sqs.send_message_batch(QueueUrl=self._url(queue), Entries=entries)
        return [one["Id"] for one in answer.get("Successful", [])], [one["Id"] for one in answer.get("Failed", [])]

    def _receive(self, queue: str, more: Any, _: int) -> Any:
        count, hidden = more
        asked = {} if hidden is None else {"VisibilityTimeout": hidden}
        answer = self._sqs.receive_message(
            QueueUrl=self._url(queue),
            MaxNumberOfMessages=1 if queue.endswith("fifo") else count,
            MessageAttributeNames=["Name"],
            AttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
            **asked,
        )
        found = []
        for message in answer.get("Messages", []):
            self._received.pop(message["MessageId"], None)
            self._received[message["MessageId"]] = queue, message["ReceiptHandle"]
            attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
            found.append((message["Body"], message["MD5OfBody"], message["Attributes"], attributes))
        return found

    def _of(self, place: int) -> tuple[str, str] | None:
        received = list(self._received.values())
        return received[place] if place < len(received) else None

    def _delete(self, _: str, place: int, __: int) -> Any:
        if (receipt := self._of(place)) is not None:
            self._sqs.delete_message(QueueUrl=self._url(receipt[0]), ReceiptHandle=receipt[1])
            self._deleted += 1
            del self._received[list(self._received)[place]]

    def _hide(self, _: str, more: Any, __: int) -> Any:
        place, seconds = more
        if (receipt := self._of(place)) is not None:
            url = self._url(receipt[0])
            self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt[1], VisibilityTimeout=seconds)
            if seconds == 0:
                self.forget_fifo()

    def _count(self, queue: str, _: Any, __: int) -> Any:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=names)
        return answer["Attributes"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Terraform({"queue": QUEUES}).write(tmp_path_factory.mktemp("queues"))


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_ACCOUNT_ID", "111111111111")
        with mock_aws():
            yield session("eu-central-1").client("sqs")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(calls, min_size=1, max_size=25))
def test_both_answer_alike(folder: Path, moto_client: Any, asked: list[Call]) -> None:
    simulator = Simulator.load(folder)
    ours, theirs = Side(client(simulator, "sqs", simulator.identity("a"))), Side(moto_client)
    moto.sqs.models.sqs_backends.reset()
    for queue in ("failed", "inbox", "slow", "inbox.fifo"):
        moto_client.create_queue(QueueName=queue, Attributes=ATTRIBUTES[queue])
    with pytest.MonkeyPatch.context() as patch:
        ticks = count()  # a message that was just sent is visible to moto in the next millisecond
        patch.setattr(moto.sqs.models, "unix_time_millis", lambda: 1e9 + 1000 * simulator.now + next(ticks))
        patch.setattr(moto.sqs.models, "unix_time", lambda: 1e6 + simulator.now)
        for number, call in enumerate(asked):
            if call[0] == "wait":
                simulator.run_until_idle(at_most=call[2])
                ours.forget_fifo()
                theirs.forget_fifo()
            else:
                assert ours.do(call, number) == theirs.do(call, number), call
