"""When schedules of EventBridge Scheduler are due, in time zones and at the changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.system.schedule import ScheduleError
from backbone.system.scheduler_times import Times, moment, zone

BERLIN = "Europe/Berlin"


def due(text: str, after: str, *, number: int = 1, timezone: str = "UTC", start: str = "", end: str = "") -> list[str]:
    """The times after one, at which the schedule was made."""
    begin, until = (moment(text) if text else None for text in (start, end))
    times = Times.parse(text, timezone=timezone, start=begin, end=until)
    found: list[str] = []
    made = now = moment(after)
    while len(found) < number and (at := times.next_after(now, made=made)) is not None:
        found.append(datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ"))
        now = at
    return found


@pytest.mark.parametrize(
    ("text", "timezone", "after", "times"),
    [
        ("at(2030-06-01T09:00:00)", "UTC", "2030-01-01T00:00:00Z", ["2030-06-01T09:00Z"]),
        ("at(2030-06-01T09:00:00)", BERLIN, "2030-01-01T00:00:00Z", ["2030-06-01T07:00Z"]),
        ("at(2030-06-01T09:00:00)", BERLIN, "2030-07-01T00:00:00Z", []),
        # On 31 March 2030 Berlin has no 02:30, on 27 October it has two.
        ("at(2030-03-31T02:30:00)", BERLIN, "2030-01-01T00:00:00Z", []),
        ("at(2030-10-27T02:30:00)", BERLIN, "2030-01-01T00:00:00Z", ["2030-10-27T00:30Z"]),
        (
            "cron(30 2 * * ? *)",
            BERLIN,
            "2030-03-29T12:00:00Z",
            ["2030-03-30T01:30Z", "2030-04-01T00:30Z", "2030-04-02T00:30Z"],
        ),
        (
            "cron(30 2 * * ? *)",
            BERLIN,
            "2030-10-25T12:00:00Z",
            ["2030-10-26T00:30Z", "2030-10-27T00:30Z", "2030-10-28T01:30Z"],
        ),
        (
            "cron(0 * * * ? *)",
            BERLIN,
            "2030-10-26T23:30:00Z",
            ["2030-10-27T00:00Z", "2030-10-27T02:00Z", "2030-10-27T03:00Z"],
        ),
        # Days of a rate have 24 hours, whatever the clocks do.
        ("rate(1 day)", BERLIN, "2030-03-30T12:00:00Z", ["2030-03-31T12:00Z", "2030-04-01T12:00Z"]),
        ("cron(0 9 ? * 2#1 *)", "America/New_York", "2030-01-01T00:00:00Z", ["2030-01-07T14:00Z", "2030-02-04T14:00Z"]),
        ("cron(0 9 1 1 ? 2029)", "UTC", "2030-01-01T00:00:00Z", []),
    ],
)
def test_times_are_local_and_clocks_skip_and_repeat(text: str, timezone: str, after: str, times: list[str]) -> None:
    assert due(text, after, number=max(1, len(times)), timezone=timezone) == times


@pytest.mark.parametrize(
    ("text", "start", "end", "times"),
    [
        ("rate(6 hours)", "2030-01-02T00:00:00Z", "2030-01-02T12:00:00Z", ["02T00", "02T06", "02T12"]),
        ("rate(6 hours)", "2029-12-31T23:00:00Z", "2030-01-01T12:00:00Z", ["01T05", "01T11"]),
        ("rate(6 hours)", "", "2030-01-01T13:00:00Z", ["01T06", "01T12"]),
        ("cron(0 0 * * ? *)", "2030-01-03T00:00:00+00:00", "2030-01-04T00:00:00Z", ["03T00", "04T00"]),
        ("at(2030-01-05T00:00:00)", "2030-02-01T00:00:00Z", "2030-03-01T00:00:00Z", ["05T00"]),
    ],
)
def test_a_start_and_an_end_hold_for_what_repeats(text: str, start: str, end: str, times: list[str]) -> None:
    found = due(text, "2030-01-01T00:00:00Z", number=5, start=start, end=end)
    assert [one[8:13] for one in found] == times


def test_a_rate_without_a_start_begins_when_it_is_made() -> None:
    made = moment("2030-01-01T00:00:00Z")
    assert Times.parse("rate(1 hour)").next_after(made - 1, made=made) == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "at(2030-01-01)",
        "at(2030-13-01T00:00:00)",
        "at(2030-01-01T00:00:00Z)",
        "rate(1 hours)",
        "rate(5 weeks)",
        "cron(* *)",
    ],
)
def test_other_expressions_are_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        Times.parse(text)


@pytest.mark.parametrize("text", ["2030-01-01", "2030-01-01T00:00:00", "tomorrow", ""])
def test_dates_need_a_time_and_an_offset(text: str) -> None:
    with pytest.raises(ScheduleError):
        moment(text)


@given(
    st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2034, 1, 1)),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.integers(0, 23),
    st.integers(0, 59),
)
def test_a_daily_time_is_due_at_that_time_on_every_day_that_has_it(
    after: datetime, name: str, hour: int, minute: int
) -> None:
    seconds = after.replace(tzinfo=UTC).timestamp()
    found = Times.parse(f"cron({minute} {hour} * * ? *)", timezone=name).next_after(seconds, made=seconds)
    assert found is not None
    assert found > seconds
    local = datetime.fromtimestamp(found, zone(name))
    assert (local.hour, local.minute, local.fold) == (hour, minute, 0)
    assert found - seconds <= timedelta(hours=50).total_seconds()
