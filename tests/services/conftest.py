"""The surroundings of a function: its environment, moto for what it stores, and a bus in memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "DELIVERIES_TABLE": "deliveries",
    "EVENT_BUS_ARN": "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global",
    "EVENT_SOURCE": "order-service",
    "IDEMPOTENCY_TABLE": "handled",
    "ORDERS_TABLE": "orders",
    "POWERTOOLS_METRICS_NAMESPACE": "shop",
    "POWERTOOLS_SERVICE_NAME": "service",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "WORK_SECONDS": "0",
}
os.environ.update(ENVIRONMENT)  # read when the handlers are imported

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402
from moto.dynamodb.models import dynamodb_backends  # noqa: E402

from backbone.runtime import Publisher, client, environment, relay  # noqa: E402
from services.delivery import handlers as delivery  # noqa: E402
from services.order import handlers as order  # noqa: E402

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-west-1:222222222222:function:function",
    aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    get_remaining_time_in_millis=lambda: 15_000,
)
TABLES = {"orders": "id", "deliveries": "order_id", "handled": "id"}


class MemoryBus:
    """A bus that keeps what it is given. The next `failures` entries fail with the code that stands there."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.failures: list[str] = []

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(len(Entries))
        results = []
        for entry in Entries:
            if self.failures:
                results.append({"ErrorCode": self.failures.pop(0), "ErrorMessage": "said so"})
                continue
            self.events.append({**entry, "Detail": json.loads(entry["Detail"])})
            results.append({"EventId": f"event-{len(self.events)}"})
        return {"Entries": results, "FailedEntryCount": sum("ErrorCode" in result for result in results)}

    def of(self, detail_type: str) -> list[dict[str, Any]]:
        return [event["Detail"] for event in self.events if event["DetailType"] == detail_type]


class Surroundings:
    """What the handlers of both services find."""

    def __init__(self) -> None:
        self.dynamodb = boto3.client("dynamodb", region_name="eu-west-1")
        self.sqs = boto3.client("sqs", region_name="eu-west-1")
        self.make_tables()
        self.failures_url = self.sqs.create_queue(QueueName="failures")["QueueUrl"]
        os.environ["FAILURE_QUEUE_URL"] = self.failures_url
        self.order_bus, self.delivery_bus = MemoryBus(), MemoryBus()

    def make_tables(self) -> None:
        self.read = dict.fromkeys(TABLES, 0)
        for name, key in TABLES.items():
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            )

    def clear(self) -> None:
        for name in TABLES:
            self.dynamodb.delete_table(TableName=name)
        self.make_tables()
        for bus in (self.order_bus, self.delivery_bus):
            bus.events.clear()
            bus.failures.clear()

    def new_records(self, table: str) -> list[dict[str, Any]]:
        """The records of a table's stream that were not read before."""
        shard = dynamodb_backends["123456789012"]["eu-west-1"].tables[table].stream_shard
        records: list[dict[str, Any]] = [record.to_json() for record in shard.items] if shard else []
        new, self.read[table] = records[self.read[table] :], len(records)
        for record in new:  # as Lambda gives it: a number
            record["dynamodb"]["ApproximateCreationDateTime"] = 1_732_432_162.0
        return new

    def relay(self) -> list[dict[str, Any]]:
        """Give the relay of each service what is new in its table's stream; returns what it answers."""
        answers = []
        for table, source, bus in (
            ("orders", "order-service", self.order_bus),
            ("deliveries", "delivery-service", self.delivery_bus),
        ):
            publisher = Publisher(bus="bus", source=source, detail_types=None, client=bus, sleep=lambda _: None)
            with patch.object(relay, "publisher", lambda publisher=publisher: publisher):
                answers.append(relay.on_stream({"Records": self.new_records(table)}, CONTEXT))
        return answers

    @contextmanager
    def failing(self, call: str, *errors: Exception) -> Iterator[list[Exception]]:
        """Have the next calls of a service's operation, such as `dynamodb.PutItem`, fail before they are sent."""
        left, events = list(errors), client(call.partition(".")[0]).meta.events

        def fail(**_: Any) -> None:
            if left:
                raise left.pop(0)

        events.register_first(f"before-send.{call}", fail)
        try:
            yield left
        finally:
            events.unregister(f"before-send.{call}", fail)

    def rejected(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.failures_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def count(self, table: str) -> int:
        return int(self.dynamodb.scan(TableName=table)["Count"])


@pytest.fixture
def aws() -> Iterator[Surroundings]:
    cached = (environment.client, order.orders, delivery.deliveries)
    with mock_aws():
        for function in cached:
            function.cache_clear()
        yield Surroundings()
        for function in cached:
            function.cache_clear()


def load_event(name: str) -> dict[str, Any]:
    text = (Path(__file__).parent.parent / "events" / f"{name}.json").read_text(encoding="utf-8")
    event: dict[str, Any] = json.loads(text)
    return event
