"""When schedules fire: next times against the calendar, and against a search through all minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.system.schedule import Schedule, ScheduleError


def times(expression: str, since: str, count: int = 3) -> list[str]:
    schedule, moment = Schedule.parse(expression), datetime.fromisoformat(since).timestamp()
    found: list[str] = []
    while len(found) < count and (next_moment := schedule.next_after(moment)) is not None:
        moment = next_moment
        found.append(f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", ["2024-01-01 00:01", "2024-01-01 00:02", "2024-01-01 00:03"]),
        ("rate(2 days)", ["2024-01-03 00:00", "2024-01-05 00:00", "2024-01-07 00:00"]),
        ("cron(0 10 * * ? *)", ["2024-01-01 10:00", "2024-01-02 10:00", "2024-01-03 10:00"]),
        ("cron(0/15 8,20 ? * MON *)", ["2024-01-01 08:00", "2024-01-01 08:15", "2024-01-01 08:30"]),
        ("cron(0 8 1 * ? *)", ["2024-01-01 08:00", "2024-02-01 08:00", "2024-03-01 08:00"]),
        ("cron(0 8 L * ? *)", ["2024-01-31 08:00", "2024-02-29 08:00", "2024-03-31 08:00"]),
        ("cron(0 8 6W * ? *)", ["2024-01-05 08:00", "2024-02-06 08:00", "2024-03-06 08:00"]),
        ("cron(0 8 1W JUN ? *)", ["2024-06-03 08:00", "2025-06-02 08:00", "2026-06-01 08:00"]),
        ("cron(0 8 31W * ? *)", ["2024-01-31 08:00", "2024-02-29 08:00", "2024-03-29 08:00"]),
        ("cron(0 8 29 2 ? *)", ["2024-02-29 08:00", "2028-02-29 08:00", "2032-02-29 08:00"]),
        ("cron(15 10 ? * 6L 2024)", ["2024-01-26 10:15", "2024-02-23 10:15", "2024-03-29 10:15"]),
        ("cron(0 2 ? * SAT#3 *)", ["2024-01-20 02:00", "2024-02-17 02:00", "2024-03-16 02:00"]),
        ("cron(0 2 ? * FRI-MON *)", ["2024-01-01 02:00", "2024-01-05 02:00", "2024-01-06 02:00"]),
        ("cron(0 2 ? * L *)", ["2024-01-06 02:00", "2024-01-13 02:00", "2024-01-20 02:00"]),
        ("cron(0 0 1 1 ? 2024-2025)", ["2025-01-01 00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(15 10 ? * 6L 2002-2005)", []),
    ],
)
def test_next_times(expression: str, expected: list[str]) -> None:
    assert times(expression, "2024-01-01T00:00:00+00:00") == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "cron(0 1 * * *)",
        "cron(0 1 * * * *)",
        "cron(0 1 ? * ? *)",
        "cron(60 1 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 1 0 * ? *)",
        "cron(0 1 32 * ? *)",
        "cron(0 1 * 13 ? *)",
        "cron(0 1 ? * 8 *)",
        "cron(0 1 ? * SAT#6 *)",
        "cron(0 1 * * ? 1969)",
        "cron(0/0 1 * * ? *)",
        "cron(0/ 1 * * ? *)",
        "cron(1,,2 1 * * ? *)",
        "cron(1- 1 * * ? *)",
        "cron(0 1 W * ? *)",
        "cron(² 1 * * ? *)",
        "every day",
    ],
)
def test_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(expression)


numbers = st.integers(0, 59).map(str)
minutes = st.one_of(st.just("*"), numbers, st.builds("{}/{}".format, numbers, st.integers(1, 40)))
hours = st.sampled_from(["*", "3", "5-7", "22-2", "0/6"])
days = st.sampled_from(["* * ?", "L * ?", "15W * ?", "? * MON-FRI", "? 2,3 TUE", "? * 2#1"])


@settings(max_examples=50, deadline=None)
@given(minute=minutes, hour=hours, day=days, start=st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 1)))
def test_the_next_time_is_the_first_that_fits(minute: str, hour: str, day: str, start: datetime) -> None:
    schedule = Schedule.parse(f"cron({minute} {hour} {day} *)")
    found = schedule.next_after(start.replace(tzinfo=UTC).timestamp())
    assert found is not None
    # From a minute before it is the same, and from any time before that none comes in between.
    for before in (1, 61, 3600):
        earlier = max(start.replace(tzinfo=UTC), datetime.fromtimestamp(found, UTC) - timedelta(seconds=before))
        assert schedule.next_after(earlier.timestamp()) == found
