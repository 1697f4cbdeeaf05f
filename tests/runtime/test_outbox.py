"""Events that go along with items: what is written, what is too large for it, and what takes them to the bus."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.runtime import EventData, Outbox, Publisher, TooLargeError, UndeclaredError, relay
from backbone.runtime.outbox import MAX_EVENT_BYTES, MAX_ITEM_BYTES
from tests.services.conftest import CONTEXT, MemoryBus, Surroundings


class Noted(EventData):
    detail_type: ClassVar[str] = "Noted"
    version: ClassVar[int] = 1
    text: str


def item(text: str, **attributes: Any) -> dict[str, Any]:
    given = {"id": {"S": "o-1"}, **attributes}
    return Outbox(Noted).with_event(given, Noted(text=text), key="k-1", correlation_id="c-1")


@pytest.mark.parametrize("letter", ["x", "ж", "語", "😀"])
def test_an_item_that_is_too_large_is_refused_before_it_is_written(aws: Surroundings, letter: str) -> None:
    size = len(letter.encode())
    aws.dynamodb.put_item(TableName="orders", Item=item(letter * (250_000 // size)))
    bus = MemoryBus()
    outbox = Outbox(Noted, publisher=Publisher(bus="b", source="s", detail_types=None, client=bus))
    for count in (MAX_EVENT_BYTES // size, MAX_ITEM_BYTES // size, 1024 * 1024 // size):
        with pytest.raises(TooLargeError, match=r"Noted: .* bytes; the queues on its way take 258,048: keep the large"):
            item(letter * count)
        with pytest.raises(TooLargeError, match="Noted: "):
            outbox.publish(Noted(text=letter * count), key="k", correlation_id="c")
    assert bus.events == []


def test_the_rest_of_the_item_counts(aws: Surroundings) -> None:
    half = "ж" * 100_000
    item(half, document={"S": half[:90_000]})
    with pytest.raises(TooLargeError, match="with its event; an item of a table takes 409,600: keep the large part"):
        item(half, document={"S": half + "ж" * 4_800})


values = st.recursive(
    st.text(max_size=5).map(lambda text: {"S": text})
    | st.integers().map(lambda number: {"N": str(number)})
    | st.binary(max_size=5).map(lambda content: {"B": content})
    | st.booleans().map(lambda value: {"BOOL": value})
    | st.just({"NULL": True})
    | st.sets(st.text(min_size=1, max_size=5), min_size=1).map(lambda texts: {"SS": sorted(texts)}),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: {"L": found})
        | st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda found: {"M": found})
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values)
def test_any_attribute_has_a_size(aws: Surroundings, value: dict[str, Any]) -> None:
    written = item("text", other=value)
    assert written["other"] == value
    event = json.loads(written["outbox"]["S"])
    assert event["detail"]["data"] == {"text": "text"}


def test_an_event_that_is_not_declared_is_not_written() -> None:
    with pytest.raises(UndeclaredError, match=r"'Noted' is not among the events of this outbox: \['Other'\]"):
        Outbox(type("Other", (Noted,), {"detail_type": "Other"})).attribute(Noted(text=""), key="k", correlation_id="c")


def change(number: int, after: str | None, before: str | None = None) -> dict[str, Any]:
    """A record of a table's stream, whose item has these events after and before."""

    def image(text: str | None) -> dict[str, Any]:
        return {"id": {"S": f"o-{number}"}} | ({} if text is None else {"outbox": {"S": text}})

    return {
        "eventID": f"r-{number}",
        "eventName": "MODIFY",
        "dynamodb": {
            "SequenceNumber": f"n-{number}",
            "Keys": {"id": {"S": f"o-{number}"}},
            "NewImage": image(after),
            "OldImage": image(before),
            "ApproximateCreationDateTime": 1_732_432_162.0,
        },
    }


def written(number: int) -> str:
    return json.dumps({"detail_type": "Noted", "detail": {"n": number}})


def relayed(bus: MemoryBus, *records: dict[str, Any]) -> list[str]:
    """The checkpoint after records were given to the relay."""
    publisher = Publisher(bus="b", source="s", detail_types=None, client=bus, sleep=lambda _: None)
    with patch.object(relay, "publisher", lambda: publisher):
        answer = relay.on_stream({"Records": list(records)}, CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_each_event_that_was_written_is_published(aws: Surroundings) -> None:
    bus = MemoryBus()
    same = written(3)
    records = [change(1, written(1)), change(2, None), change(3, same, before=same), change(4, written(4), written(3))]
    assert relayed(bus, *records) == []
    assert [(event["Detail"]["n"], event["Time"], event["Source"]) for event in bus.events] == [
        (1, 1_732_432_162.0, "s"),
        (4, 1_732_432_162.0, "s"),
    ]


@pytest.mark.parametrize("code", ["InternalFailure", "ThrottlingException"])
def test_a_failure_that_may_pass_holds_the_stream_at_its_record(aws: Surroundings, code: str) -> None:
    bus = MemoryBus()
    bus.failures = ["", code, *[code] * 9]

    class First(MemoryBus):
        def put_events(self, *, Entries: Any) -> dict[str, Any]:  # noqa: N803
            results = [
                {"ErrorCode": code, "ErrorMessage": "no"} if json.loads(entry["Detail"])["n"] > 1 else {"EventId": "e"}
                for entry in Entries
            ]
            return {"Entries": results}

    assert relayed(First(), *[change(number, written(number)) for number in range(4)]) == ["n-2"]
    assert aws.rejected() == []


@pytest.mark.parametrize("code", ["NotAuthorizedForDetailTypeException", "AccessDeniedException", "MalformedDetail"])
def test_an_event_that_no_attempt_publishes_holds_back_no_other(aws: Surroundings, code: str) -> None:
    bus = MemoryBus()
    bus.failures = [code]
    assert relayed(bus, change(1, written(1)), change(2, written(2)), change(3, "no json")) == []
    assert [event["Detail"]["n"] for event in bus.events] == [2]
    rejected = {record["requestPayload"]["eventID"]: record for record in aws.rejected()}
    assert rejected.keys() == {"r-1", "r-3"}
    assert rejected["r-1"]["responsePayload"]["errorType"] == code
    assert rejected["r-3"]["responsePayload"]["errorMessage"].startswith("the item's outbox: JSONDecodeError")
    publisher = Publisher(bus="b", source="s", detail_types=None, client=bus)
    with patch.object(relay, "publisher", lambda: publisher):
        relay.on_stream(rejected["r-1"]["requestPayload"], CONTEXT)  # as a redrive gives it
    assert [event["Detail"]["n"] for event in bus.events] == [2, 1]


def test_an_event_under_another_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_BUS_ARN", "b")
    monkeypatch.setenv("EVENT_SOURCE", "orders")
    bus = MemoryBus()
    monkeypatch.setattr("boto3.client", lambda *_, **__: bus)
    Outbox(Noted, source="payments").publish(Noted(text="x"), key="k", correlation_id="c")
    Outbox(Noted).publish(Noted(text="x"), key="k", correlation_id="c")
    assert [event["Source"] for event in bus.events] == ["payments", "orders"]


def test_a_publisher_that_is_given_needs_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENT_SOURCE", raising=False)
    monkeypatch.delenv("EVENT_BUS_ARN", raising=False)
    bus = MemoryBus()
    outbox = Outbox(Noted, publisher=Publisher(bus="b", source="s", detail_types=None, client=bus))
    outbox.publish(Noted(text="x"), key="k", correlation_id="c")
    assert [event["Source"] for event in bus.events] == ["s"]
