"""What a function could not handle fits into its failure queue, whatever it is, and says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.runtime.failures import MAX_MESSAGE_BYTES, send_to_failure_queue
from tests.services.conftest import CONTEXT, Surroundings


def sent(aws: Surroundings, event: Any, reason: str = "it is wrong") -> dict[str, Any]:
    send_to_failure_queue(
        event, condition="Rejected", error="RejectedError", reason=reason, attempts=2, context=CONTEXT
    )
    answer = aws.sqs.receive_message(QueueUrl=aws.failures_url, MaxNumberOfMessages=10)
    (message,) = answer["Messages"]
    aws.sqs.delete_message(QueueUrl=aws.failures_url, ReceiptHandle=message["ReceiptHandle"])
    assert len(message["Body"].encode()) <= MAX_MESSAGE_BYTES
    record: dict[str, Any] = json.loads(message["Body"])
    return record


def test_the_shape_is_that_of_lambdas_own_records(aws: Surroundings) -> None:
    record = sent(aws, {"id": "e-1"})
    assert record.keys() == {"version", "timestamp", "requestContext", "requestPayload", "responsePayload"}
    assert record["requestContext"] == {
        "requestId": CONTEXT.aws_request_id,
        "functionArn": CONTEXT.invoked_function_arn,
        "condition": "Rejected",
        "approximateInvokeCount": 2,
    }
    assert record["requestPayload"] == {"id": "e-1"}
    assert record["responsePayload"] == {"errorType": "RejectedError", "errorMessage": "it is wrong"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.dictionaries(st.text(), st.text(st.characters(codec=None)) | st.integers() | st.none(), max_size=5))
def test_any_text_arrives_as_it_is(aws: Surroundings, event: dict[str, Any]) -> None:
    assert sent(aws, event)["requestPayload"] == event


@pytest.mark.parametrize("letter", ["x", "ж", "語", "😀"])
def test_an_event_is_whole_in_the_queue_as_long_as_its_bytes_fit(aws: Surroundings, letter: str) -> None:
    count = 250_000 // len(letter.encode())
    assert sent(aws, {"id": "e-1", "detail": letter * count})["requestPayload"]["detail"] == letter * count


@pytest.mark.parametrize("letter", ["x", "ж", "語", "😀"])
def test_of_an_event_that_is_too_large_there_is_a_reference(aws: Surroundings, letter: str) -> None:
    event = {"id": "e-1", "source": "s", "detail-type": "T", "time": "2024-01-01T00:00:00Z"}
    large = event | {"detail": letter * (1024 * 1024 // len(letter.encode()))}
    record = sent(aws, large, reason=letter * 500_000)
    assert record["requestPayload"] == event
    message = record["responsePayload"]["errorMessage"]
    assert message.startswith(letter * 1_000 + "; left out: the event, ")
    assert message.endswith("bytes with this record, which is more than a queue takes")
