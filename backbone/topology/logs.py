"""What is logged, and for how long."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from backbone.topology.fields import Model, RetentionDays

ReportLevel = Literal["ERROR", "INFO", "TRACE"]
ReportDetail = Literal["NONE", "FULL"]


class BusLog(Model):
    """What every bus reports of its own work: reception, rule matches and deliveries of events."""

    level: ReportLevel = Field(examples=["ERROR"])
    """How much is reported. `INFO` includes `ERROR`, and `TRACE` includes both."""

    detail: ReportDetail = "NONE"
    """Whether reports show the events (`FULL`) or not."""

    @property
    def levels(self) -> tuple[ReportLevel, ...]:
        """The levels that are reported, each of which AWS delivers as a log type of its own."""
        every: tuple[ReportLevel, ...] = get_args(ReportLevel)
        return every[: every.index(self.level) + 1]


class Logs(Model):
    """The logs of all buses and services, in CloudWatch Logs."""

    retention_days: RetentionDays = 7
    """For how many days logs are kept."""

    bus: BusLog | None = None
    """What buses report of their own work, beside the log of the events on them. The default is nothing."""
