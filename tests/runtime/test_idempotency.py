"""Work is done once, whatever comes twice, at once, or after a crash, and whatever clocks say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.runtime import BusyError, Consumer, Idempotency, budget
from backbone.runtime.idempotency import CLOCK_MARGIN_SECONDS, KEEP_SECONDS
from services.delivery.events import OrderCreated
from tests.services.conftest import CONTEXT, Surroundings, load_event

BEGIN = 1_732_432_162.0


class Crash(BaseException):
    """The process ends: nothing after it happens."""


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN


@pytest.fixture
def clock(aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock of the functions, in invocations that may take 15 seconds."""
    it = Clock()
    monkeypatch.setattr("time.time", lambda: it.now)
    token = budget._current.set(CONTEXT)
    yield it
    budget._current.reset(token)


def crash(key: str) -> None:
    """Claim a key, and die at work: the claim stays."""
    it = Idempotency()

    def work() -> None:
        it._mark = lambda *_: None  # type: ignore[method-assign]
        raise Crash

    with contextlib.suppress(Crash):
        it.once(key, work)


def test_work_is_done_once(clock: Clock) -> None:
    done: list[int] = []
    assert Idempotency().once("k", lambda: done.append(1))
    assert not Idempotency().once("k", lambda: done.append(2))
    assert Idempotency().once("other", lambda: done.append(3))
    assert done == [1, 3]


def test_an_invocation_asks_the_table_once_for_copies(clock: Clock, aws: Surroundings) -> None:
    it = Idempotency()
    assert it.once("k", lambda: None)
    aws.dynamodb.delete_item(TableName="handled", Key={"id": {"S": "k"}})
    assert not it.once("k", lambda: None)
    it.begin()
    assert it.once("k", lambda: None)


def test_a_copy_that_comes_at_the_same_time_waits(clock: Clock) -> None:
    done: list[str] = []

    def work() -> None:
        with pytest.raises(BusyError) as busy:
            Idempotency().once("k", lambda: done.append("copy"))
        assert busy.value.seconds == 15 + CLOCK_MARGIN_SECONDS
        done.append("first")

    assert Idempotency().once("k", work)
    assert done == ["first"]


def test_work_that_failed_is_done_at_once_when_it_comes_again(clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError):
        Idempotency().once("k", lambda: print(1 / 0))
    assert Idempotency().once("k", lambda: None)


@pytest.mark.parametrize(("seconds", "free"), [(0, False), (15, False), (19.9, False), (20.1, True), (900, True)])
def test_a_crash_frees_the_claim_after_the_lease(clock: Clock, seconds: float, free: bool) -> None:
    crash("k")
    clock.now += seconds
    if free:
        assert Idempotency().once("k", lambda: None)
    else:
        with pytest.raises(BusyError):
            Idempotency().once("k", lambda: None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(skew=st.floats(-CLOCK_MARGIN_SECONDS + 0.01, CLOCK_MARGIN_SECONDS - 0.01), into=st.floats(0, 14.9))
def test_a_host_whose_clock_differs_takes_no_claim_away(clock: Clock, skew: float, into: float) -> None:
    key = f"{skew} {into}"
    clock.now = BEGIN

    def work() -> None:
        clock.now = BEGIN + into + skew
        with pytest.raises(BusyError):
            Idempotency().once(key, lambda: None)

    assert Idempotency().once(key, work)


def test_what_was_done_is_known_for_as_long_as_a_queue_can_keep_a_copy(clock: Clock, aws: Surroundings) -> None:
    Idempotency().once("k", lambda: None)
    (item,) = aws.dynamodb.scan(TableName="handled")["Items"]
    assert item["expires_at"] == {"N": str(int(BEGIN) + KEEP_SECONDS)}
    assert KEEP_SECONDS > 14 * 24 * 3_600
    clock.now += KEEP_SECONDS + 1  # DynamoDB may delete the item days later
    assert Idempotency().once("k", lambda: None)


def test_the_work_stands_when_its_mark_is_lost(clock: Clock, aws: Surroundings) -> None:
    done: list[int] = []
    with aws.failing("dynamodb.UpdateItem", *[ReadTimeoutError(endpoint_url="x")] * 4):
        assert Idempotency().once("k", lambda: done.append(1))
    with pytest.raises(BusyError):
        Idempotency().once("k", lambda: done.append(2))
    assert done == [1]


def test_a_claim_whose_answer_was_lost_is_made_again(clock: Clock, aws: Surroundings) -> None:
    from backbone.runtime import client

    lost = [1]

    def lose(**given: Any) -> None:
        if lost and given["exception"] is None:
            lost.pop()
            given["parsed_response"]["Error"] = {"Code": "InternalServerError"}
            given["parsed_response"]["ResponseMetadata"]["HTTPStatusCode"] = 500

    client("dynamodb").meta.events.register("response-received.dynamodb.PutItem", lose)
    assert Idempotency().once("k", lambda: None)
    assert lost == []


def test_a_replay_is_handled_and_another_function_too(aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[str] = []
    it = Consumer(idempotency=Idempotency())
    it.on(OrderCreated)(lambda event: handled.append(event.id))
    handle, event = it.handler(), load_event("order-created")
    for change in ({}, {"id": "another"}, {"replay-name": "r-1"}, {"replay-name": "r-1"}, {"replay-name": "r-2"}):
        handle(event | change, CONTEXT)
    assert len(handled) == 3
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "other")
    handle(event, CONTEXT)
    assert len(handled) == 4
