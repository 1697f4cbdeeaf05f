"""Every AWS call ends before the function does, and is made again only where that may help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from backbone.runtime import LateError, Publisher, PublishError, budget, client, is_aws_error, is_transient
from backbone.runtime.publisher import DENIED, Entry
from tests.services.conftest import CONTEXT, Surroundings

STALL = ReadTimeoutError(endpoint_url="x")


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Say how many seconds the invocation has left; pauses and calls take from them."""
    seconds = [15.0]

    def begin(value: float) -> None:
        seconds[0] = value

    budget_begun = SimpleNamespace(**vars(CONTEXT) | {"get_remaining_time_in_millis": lambda: int(seconds[0] * 1_000)})
    token = budget._current.set(budget_begun)
    monkeypatch.setattr("time.sleep", lambda pause: begin(seconds[0] - pause))
    yield begin
    budget._current.reset(token)


def answering(*outcomes: int | Exception) -> tuple[list[int | Exception], Callable[[], Any]]:
    """Have the calls of DynamoDB end in these ways: with a status, or with an error of the connection."""
    remaining, made = list(outcomes), client("dynamodb")

    def send(request: Any, **_: Any) -> Any:
        outcome = remaining.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        code = {500: "InternalServerError", 400: "ThrottlingException", 403: "AccessDeniedException"}.get(outcome, "")
        body = b'{"__type": "%b"}' % code.encode()

        class Raw:
            def stream(self, **_: Any) -> Any:
                yield body

        return AWSResponse(request.url, 400 if outcome == 403 else outcome, HTTPHeaders(), Raw())

    made.meta.events.register_first("before-send", send)  # after what refuses a late call, before moto
    return remaining, made.list_tables


@pytest.mark.parametrize(
    ("outcomes", "unused", "error"),
    [
        ((200,), 0, None),
        ((500, 400, STALL, 200), 0, None),
        ((EndpointConnectionError(endpoint_url="x"), ConnectTimeoutError(endpoint_url="x"), 200), 0, None),
        ((500, 500, 500, 500, 200), 1, ClientError),
        ((403, 200), 1, ClientError),
        ((STALL, 403, 200), 1, ClientError),
    ],
)
def test_what_may_succeed_is_tried_again(
    aws: Surroundings,
    left: Callable[[float], None],
    outcomes: tuple[int | Exception, ...],
    unused: int,
    error: type[Exception] | None,
) -> None:
    remaining, call = answering(*outcomes)
    if error is None:
        call()
    else:
        with pytest.raises(error):
            call()
    assert len(remaining) == unused


@pytest.mark.parametrize(("seconds", "attempts"), [(15, 4), (4.2, 4), (4.06, 2), (3.99, 0), (0.5, 0)])
def test_no_call_may_end_in_the_last_second(
    aws: Surroundings, left: Callable[[float], None], seconds: float, attempts: int
) -> None:
    remaining, call = answering(*[500] * 9)
    left(seconds)
    with pytest.raises(ClientError if attempts else LateError):
        call()
    assert 9 - len(remaining) <= attempts
    assert bool(9 - len(remaining)) == bool(attempts)


def test_what_is_transient() -> None:
    def refused(code: str, status: int = 400) -> ClientError:
        return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "X")  # type: ignore[typeddict-item]

    assert all(map(is_transient, [STALL, LateError(), refused("Throttling"), refused("Unheard", 503)]))
    assert not any(map(is_transient, [refused("AccessDeniedException"), refused("ValidationException"), ValueError()]))
    assert all(map(is_aws_error, [STALL, LateError(), refused("AccessDeniedException")]))
    assert not is_aws_error(ValueError())


class Bus:
    """Denies a call as a whole when an entry of a denied type is in it, as IAM does."""

    def __init__(self) -> None:
        self.calls = 0
        self.put: list[str] = []

    def put_events(self, *, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
        self.calls += 1
        if any(entry["DetailType"] == "Denied" for entry in Entries):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents")
        self.put += [entry["Detail"] for entry in Entries]
        return {"Entries": [{"EventId": "e"} for _ in Entries]}


@given(st.lists(st.sampled_from(["Allowed", "Denied"]), max_size=25))
def test_an_entry_that_is_denied_takes_no_other_with_it(types: list[str]) -> None:
    bus = Bus()
    publisher = Publisher(bus="b", source="s", detail_types=None, client=bus, sleep=lambda _: None)
    entries = [Entry(kind, {"n": number}) for number, kind in enumerate(types)]
    denied = [entry for entry in entries if entry.detail_type == "Denied"]
    if denied:
        with pytest.raises(PublishError) as caught:
            publisher.publish(*entries)
        assert [failure.entry for failure in caught.value.failures] == denied
        assert {failure.code for failure in caught.value.failures} <= DENIED
    else:
        publisher.publish(*entries)
    assert len(bus.put) == types.count("Allowed")
    assert bus.calls <= 3 + 8 * types.count("Denied")


def test_a_put_that_would_end_too_late_is_not_begun() -> None:
    bus = Bus()
    publisher = Publisher(bus="b", source="s", detail_types=None, client=bus, remaining_seconds=lambda: 2.9)
    with pytest.raises(PublishError, match="NoTimeLeft") as caught:
        publisher.publish(Entry("Allowed", {}))
    assert not caught.value.permanent
    assert not caught.value.failures[0].maybe_published
    assert bus.calls == 0
