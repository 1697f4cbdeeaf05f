from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.runtime import Entry, Publisher, PublishError, UndeclaredError
from tests.services.conftest import MemoryBus


def publisher(bus: Any, **options: Any) -> tuple[Publisher, list[float]]:
    pauses: list[float] = []
    made = Publisher(bus="b", source="s", detail_types=["T"], client=bus, sleep=pauses.append, **options)
    return made, pauses


def test_batches_of_ten_with_ids_in_order() -> None:
    bus = MemoryBus()
    ids = publisher(bus)[0].publish(*(Entry("T", {"n": n}) for n in range(25)))
    assert bus.calls == [10, 10, 5]
    assert ids == [f"event-{n}" for n in range(1, 26)]
    assert bus.events[24] == {"EventBusName": "b", "Source": "s", "DetailType": "T", "Detail": {"n": 24}}


def test_batches_of_at_most_256_kb_and_events_of_up_to_1_mb() -> None:
    bus = MemoryBus()
    publisher(bus)[0].publish(*(Entry("T", {"x": "a" * 100_000}) for _ in range(5)), Entry("T", {"x": "a" * 900_000}))
    assert bus.calls == [2, 2, 1, 1]
    with pytest.raises(PublishError, match="1 events could not be published: T: TooLarge: 1,048,5") as caught:
        publisher(bus)[0].publish(Entry("T", {}), Entry("T", {"x": "ä" * 524_288}))
    assert len(caught.value.failures) == 1
    assert bus.calls[-1] == 1


def test_only_what_failed_is_sent_again_after_growing_pauses() -> None:
    bus = MemoryBus()
    bus.failures = ["ThrottlingException", "InternalFailure", "InternalFailure"]
    made, pauses = publisher(bus)
    assert made.publish(*(Entry("T", {"n": n}) for n in range(3))) == ["event-1", "event-2", "event-3"]
    assert bus.calls == [3, 3]
    assert len(pauses) == 1
    assert 0.05 <= pauses[0] <= 0.1


def test_what_stays_is_listed_and_what_is_permanent_is_not_sent_again() -> None:
    bus = MemoryBus()
    bus.failures = ["NotAuthorizedForSourceException", "InternalFailure", "InternalFailure", "InternalFailure"]
    made, pauses = publisher(bus)
    with pytest.raises(PublishError) as caught:
        made.publish(Entry("T", {"n": 0}), Entry("T", {"n": 1}))
    assert [(failure.entry.detail["n"], failure.code) for failure in caught.value.failures] == [
        (0, "NotAuthorizedForSourceException"),
        (1, "InternalFailure"),
    ]
    assert bus.calls == [2, 1, 1]
    assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2


def test_a_call_that_fails_as_a_whole_fails_each_entry() -> None:
    class Broken:
        def put_events(self, *, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
            raise TimeoutError("no answer")

    with pytest.raises(
        PublishError,
        match=r"2 events could not be published: T: TimeoutError: no answer \(it may be on the bus all the same\); T:",
    ):
        publisher(Broken())[0].publish(Entry("T", {}), Entry("T", {}))


def test_what_is_not_declared_is_refused_before_anything_is_sent() -> None:
    bus = MemoryBus()
    with pytest.raises(UndeclaredError, match="'U' is not published by s, only T"):
        publisher(bus)[0].publish(Entry("T", {}), Entry("U", {}))
    assert bus.calls == []


def test_payloads_are_logged_at_debug_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        publisher(MemoryBus())[0].publish(Entry("T", {"secret": "s3cret"}))
    assert "published T as event-1" in caplog.text
    assert "s3cret" not in caplog.text
    with caplog.at_level(logging.DEBUG):
        publisher(MemoryBus())[0].publish(Entry("T", {"secret": "s3cret"}))
    assert "s3cret" in caplog.text


@given(st.lists(st.integers(0, 90_000), max_size=30), st.lists(st.sampled_from(["Throttled", "MalformedDetail"])))
def test_every_entry_is_on_the_bus_or_listed(sizes: list[int], failures: list[str]) -> None:
    bus = MemoryBus()
    bus.failures = failures
    entries = [Entry("T", {"n": n, "x": "a" * size}) for n, size in enumerate(sizes)]
    lost: set[int] = set()
    try:
        publisher(bus)[0].publish(*entries)
    except PublishError as error:
        lost = {failure.entry.detail["n"] for failure in error.failures}
    sent = [event["Detail"]["n"] for event in bus.events]
    assert sorted([*sent, *lost]) == list(range(len(sizes)))
    assert all(count <= 10 for count in bus.calls)
