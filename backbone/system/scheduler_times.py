"""When a schedule of EventBridge Scheduler is due: `at(…)`, `rate(…)` and `cron(…)` in a time zone.

Sources: EventBridge Scheduler user guide, "Schedule types", with "Time zones" and "Daylight savings time"; API
reference, CreateSchedule.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from backbone.system.schedule import Schedule, ScheduleError

__all__ = ["Times", "moment", "zone"]

AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
ALLOWED = "at(2030-12-31T18:00:00), rate(1 hour), rate(5 minutes) and the like, or cron( ) of six fields"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(name: str) -> ZoneInfo:
    """A time zone of the IANA database, as this machine has it; ScheduleError when there is none of this name."""
    if name not in _zones():
        raise ScheduleError("a name of the IANA time zone database, such as UTC or Europe/Berlin")
    return ZoneInfo(name)


def moment(text: str) -> float:
    """A date in RFC 3339 as seconds since 1970; ScheduleError when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ScheduleError("a date in RFC 3339, such as 2030-12-31T18:00:00Z")
    return found.timestamp()


@dataclass(frozen=True)
class Times:
    """The times of a schedule: a single local time, or those of an expression from a start until an end."""

    local_zone: ZoneInfo
    at: datetime | None
    """The local time of a one-time schedule, written as if it were UTC."""
    expression: Schedule | None
    start: float | None
    end: float | None

    @classmethod
    def parse(cls, text: str, *, timezone: str = "UTC", start: float | None = None, end: float | None = None) -> Times:
        """Read an expression; ScheduleError when Scheduler refuses it. Start and end are seconds since 1970.

        Neither holds for a one-time schedule.
        """
        local_zone = zone(timezone)
        if once := AT.fullmatch(text):
            try:
                return cls(local_zone, datetime.fromisoformat(once[1]).replace(tzinfo=UTC), None, None, None)
            except ValueError:
                raise ScheduleError(ALLOWED) from None
        try:
            return cls(local_zone, None, Schedule.parse(text), start, end)
        except ScheduleError as error:
            raise ScheduleError(str(error) if text.startswith("cron(") else ALLOWED) from None

    def next_after(self, seconds: float, *, made: float) -> float | None:
        """When it is due next after a time, of a schedule that was made at a time; None when never again.

        A rate begins when the schedule is made, or at its start, and its days have 24 hours. A local time that the
        clocks leave out is skipped, and of one that they repeat the first counts.
        """
        if self.at is not None:
            due = self._utc(self.at)
            return due if due is not None and due > seconds else None
        found = self._by_rate(seconds, made) if self._period else self._by_cron(seconds)
        return None if found is None or (self.end is not None and found > self.end) else found

    @property
    def _period(self) -> int:
        return self.expression.period_seconds if self.expression else 0

    def _by_rate(self, seconds: float, made: float) -> float:
        begin = made if self.start is None else self.start
        return begin + self._period * max(0, math.floor((seconds - begin) / self._period) + 1)

    def _by_cron(self, seconds: float) -> float | None:
        after = seconds if self.start is None else max(seconds, self.start - 1)
        cron = self.expression.cron if self.expression else None
        local = datetime.fromtimestamp(after, self.local_zone).replace(tzinfo=UTC)
        while cron is not None and (found := cron.next_after(local)) is not None:
            due = self._utc(found)
            if due is not None and due > after:
                return due
            local = found
        return None

    def _utc(self, local: datetime) -> float | None:
        """A local time in seconds since 1970, the first where it comes twice; None where the clocks leave it out."""
        found = local.replace(tzinfo=self.local_zone, fold=0).timestamp()
        there = datetime.fromtimestamp(found, self.local_zone)
        return found if there.replace(tzinfo=UTC) == local.replace(fold=0) else None
