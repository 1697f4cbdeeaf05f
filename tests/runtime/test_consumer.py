"""What logs and metrics tell of events that arrive, are handled, fail or are rejected."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from typing import Any

import pytest

from backbone.runtime import BusyError, Consumer, PublishError, Received, RejectedError, logger
from backbone.runtime.publisher import Entry, Failure
from services.delivery.events import OrderCreated
from tests.services.conftest import CONTEXT, Surroundings, load_event

ENTRY = Entry("T", {})


class Told:
    """What a function printed, as Lambda would keep it."""

    def __init__(self, metrics: str, logs: str = "") -> None:
        lines = [json.loads(line) for line in metrics.splitlines()]
        self.logs = [json.loads(line) for line in logs.splitlines()]
        self.metrics: dict[str, float] = {}
        for line in lines:
            for group in line.get("_aws", {}).get("CloudWatchMetrics", ()):
                self.metrics |= {each["Name"]: sum(line[each["Name"]]) for each in group["Metrics"]}
        self.metrics.pop("ColdStart", None)
        self.metrics.pop("EventAge", None)


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the logger writes from now on; it has kept the standard output that was there when it was made."""
    text = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", text)
    return text


def run(error: Exception | None, event: dict[str, Any]) -> None:
    consumer = Consumer()

    @consumer.on(OrderCreated)
    def handle(_: Received[OrderCreated]) -> None:
        if error is not None:
            raise error

    consumer.handler()(event, CONTEXT)


@pytest.mark.parametrize(
    ("error", "raised", "metric", "level"),
    [
        (None, False, "EventsHandled", "INFO"),
        (ZeroDivisionError("by zero"), True, "EventsFailed", "ERROR"),
        (RejectedError("never"), False, "EventsRejected", "ERROR"),
        (BusyError("k", 3), True, "EventsBusy", "INFO"),
        (PublishError([Failure(ENTRY, "ThrottlingException", "slow")]), True, "EventsFailed", "ERROR"),
        (PublishError([Failure(ENTRY, "AccessDeniedException", "no")]), True, "EventsFailed", "ERROR"),
        (PublishError([Failure(ENTRY, "MalformedDetail", "no")]), False, "EventsRejected", "ERROR"),
    ],
)
def test_what_is_told_of_an_event(
    aws: Surroundings,
    capsys: pytest.CaptureFixture[str],
    logs: io.StringIO,
    error: Exception | None,
    raised: bool,
    metric: str,
    level: str,
) -> None:
    event = load_event("order-created")
    with pytest.raises(type(error)) if raised and error is not None else nullcontext():
        run(error, event)
    told = Told(capsys.readouterr().out, logs.getvalue())
    assert told.metrics == {"EventsReceived": 1, metric: 1}
    log = told.logs[-1]
    assert (log["level"], log["event_id"], log["detail_type"]) == (level, event["id"], "Order.Created")
    assert (log["source"], log["correlation_id"]) == (event["source"], event["detail"]["meta"]["correlation_id"])
    assert len(aws.rejected()) == (metric == "EventsRejected")


def test_each_failure_of_a_batch_counts(aws: Surroundings, capsys: pytest.CaptureFixture[str]) -> None:
    template = load_event("sqs-batch")["Records"][0]
    body = json.dumps(load_event("order-created"))
    run(ZeroDivisionError(), {"Records": [template | {"messageId": str(number), "body": body} for number in range(3)]})
    assert Told(capsys.readouterr().out).metrics == {"EventsReceived": 3, "EventsFailed": 3}


@pytest.mark.parametrize(("happened", "age"), [(-90.0, 90.0), (0.0, 0.0), (60.0, 0.0)])
def test_the_age_of_an_event_is_never_less_than_nothing(
    aws: Surroundings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, happened: float, age: float
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_704_067_200.0 - happened)
    run(None, load_event("order-created") | {"time": "2024-01-01T00:00:00Z"})
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "EventAge" in line]
    assert json.loads(line)["EventAge"] == [age]


@pytest.mark.parametrize("event", [{}, {"detail": 1}, {"detail": {"meta": 1}}, {"time": "never"}, {"Records": []}])
def test_what_is_no_event_is_rejected(aws: Surroundings, event: dict[str, Any]) -> None:
    run(None, event)
    (rejected,) = aws.rejected()
    assert rejected["requestPayload"] == event
    assert rejected["responsePayload"]["errorType"] == "MalformedError"


def test_an_event_over_a_topic_is_handled_without_its_envelope() -> None:
    consumer, seen = Consumer(), list[str]()

    @consumer.on(OrderCreated)
    def handle(event: Received[OrderCreated]) -> None:
        seen.append(event.id)

    event = load_event("order-created")
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "Sns": {"Type": "Notification", "Message": json.dumps(event)},
    }
    assert consumer.handler()({"Records": [record]}, CONTEXT) is None
    assert seen == [event["id"]]
