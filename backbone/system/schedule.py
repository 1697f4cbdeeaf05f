"""Schedules of rules: when `rate(…)` and `cron(…)` fire, always in UTC.

Source: EventBridge user guide, "Schedule types", and what PutRule was seen to take and to refuse.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

__all__ = ["Schedule", "ScheduleError"]

RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\(([^()]+)\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = {
    "minutes": (0, 59, ()),
    "hours": (0, 23, ()),
    "day of month": (1, 31, ()),
    "month": (1, 12, MONTHS),
    "day of week": (1, 7, WEEKDAYS),
    "year": (1970, 2199, ()),
}
"""The least and the greatest value of each field of `cron(…)`, and the names of values from the least on."""


class ScheduleError(ValueError):
    """A schedule expression that EventBridge refuses; the text says why."""


@dataclass(frozen=True)
class Schedule:
    """When a rule fires: every so many seconds, or at the times of a cron expression."""

    period_seconds: int
    """0 for a cron expression."""
    cron: _Cron | None = None

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule expression; ScheduleError when EventBridge refuses it."""
        if rate := RATE.fullmatch(text):
            number = int(rate[1])
            if (number == 1) == (rate[3] == ""):
                return cls(number * SECONDS[rate[2]])
        if cron := CRON.fullmatch(text):
            fields = cron[1].split()
            if len(fields) == len(FIELDS):
                return cls(0, _Cron.of(dict(zip(FIELDS, fields, strict=True))))
        raise ScheduleError("rate(1 hour), rate(5 minutes) and the like, or cron( ) of six fields")

    def next_after(self, seconds: float) -> float | None:
        """When it fires next, having fired or begun at a time in seconds since 1970; None when never again."""
        if self.cron is None:
            return seconds + self.period_seconds
        found = self.cron.next_after(datetime.fromtimestamp(seconds, UTC))
        return None if found is None else found.timestamp()


@dataclass(frozen=True)
class _Cron:
    """The values of each field. Days are by the month or, when `days_of_month` is `?`, by the week."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    days_of_month: str
    days_of_week: str

    @classmethod
    def of(cls, fields: dict[str, str]) -> _Cron:
        by_month, by_week = fields["day of month"], fields["day of week"]
        if (by_month == "?") == (by_week == "?"):
            raise ScheduleError("? as the day of month or as the day of week, and in one of them only")
        cron = cls(
            minutes=_values("minutes", fields["minutes"]),
            hours=_values("hours", fields["hours"]),
            months=_values("month", fields["month"]),
            years=_values("year", fields["year"]),
            days_of_month=by_month,
            days_of_week=by_week,
        )
        cron._days(2024, 1)  # reads the days, which may be wrong too
        return cron

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time of the expression after another one."""
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._days_from(moment.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if found >= moment:
                        return found
        return None

    def _days_from(self, first: date) -> Iterator[date]:
        for year in self.years:
            for month in self.months:
                if (year, month) >= (first.year, first.month):
                    days = (date(year, month, day) for day in self._days(year, month))
                    yield from (day for day in days if day >= first)

    def _days(self, year: int, month: int) -> list[int]:
        """The days of a month on which it fires."""
        last = calendar.monthrange(year, month)[1]
        if self.days_of_month == "?":
            found = {day for part in self.days_of_week.split(",") for day in _by_week(part, year, month)}
        else:
            found = {day for part in self.days_of_month.split(",") for day in _by_month(part, year, month)}
        return sorted(day for day in found if 1 <= day <= last)


def _by_month(part: str, year: int, month: int) -> Iterator[int]:
    """The days of a month that a part means: `L` is the last one, `15W` the weekday nearest to the 15th."""
    last = calendar.monthrange(year, month)[1]
    if part == "L":
        yield last
    elif part.endswith("W") and part != "W":
        (day,) = _values("day of month", part[:-1])
        day = min(day, last)
        weekday = date(year, month, day).weekday()
        if weekday == calendar.SATURDAY:
            day += 2 if day == 1 else -1
        elif weekday == calendar.SUNDAY:
            day += -2 if day == last else 1
        yield day
    else:
        yield from _values("day of month", part)


def _by_week(part: str, year: int, month: int) -> Iterator[int]:
    """The days of a month that are the days of the week of a part: `6L` is the last Friday, `6#3` the third one."""
    last = calendar.monthrange(year, month)[1]
    name, _, which = part.partition("#")
    if not which and part.endswith("L") and part != "L":
        name, which = part[:-1], "L"
    wanted = {7} if part == "L" else set(_values("day of week", name))
    if which and which not in ("L", "1", "2", "3", "4", "5"):
        raise ScheduleError(f"1 to 5 after # in the day of week, got {part!r}")
    days = [day for day in range(1, last + 1) if date(year, month, day).isoweekday() % 7 + 1 in wanted]
    if which == "L":
        yield days[-1]
    elif which:
        yield from days[int(which) - 1 : int(which)]
    else:
        yield from days


def _values(field: str, text: str) -> tuple[int, ...]:
    """The values of a field: numbers and names, ranges, steps, and lists of them."""
    least, most, _ = FIELDS[field]
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, end = span.partition("-")
        begin = least if span == "*" else _value(field, first)
        until = _value(field, end) if dash else most if slash or span == "*" else begin
        if slash and not re.fullmatch(r"[1-9]\d*", step):
            raise ScheduleError(f"a number after / in the {field}, got {part!r}")
        every = int(step) if slash else 1
        values = range(begin, until + 1) if begin <= until else (*range(begin, most + 1), *range(least, until + 1))
        found |= {*values[::every]}
    return tuple(sorted(found))


def _value(field: str, text: str) -> int:
    least, most, names = FIELDS[field]
    if text.upper() in names:
        return least + names.index(text.upper())
    if re.fullmatch(r"\d{1,4}", text) and least <= int(text) <= most:
        return int(text)
    named = f" or {names[0]} to {names[-1]}" if names else ""
    raise ScheduleError(f"{least} to {most}{named} in the {field}, got {text!r}")
