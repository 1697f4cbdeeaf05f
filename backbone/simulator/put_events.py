"""What PutEvents makes of an entry: what is wrong with it, or the event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backbone.aws.limits import DETAIL_TYPE_CHARACTERS, PUT_EVENTS_BYTES, PUT_EVENTS_ENTRIES

__all__ = ["Entry", "Outcome", "count_problem"]

Outcome = Literal["refused", "denied"]


def count_problem(count: int) -> str | None:
    """Why a call with so many entries fails; None when it does not."""
    return None if 1 <= count <= PUT_EVENTS_ENTRIES else f"Entries: got {count}; allowed: 1 to {PUT_EVENTS_ENTRIES}"


@dataclass(frozen=True)
class Entry:
    """An entry, with the names of the API. Its detail may be an object as well as JSON."""

    source: str
    detail_type: str
    detail: Any
    bus: str
    time: str | None
    resources: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Entry:
        """An entry as a caller gave it."""
        return cls(
            source=str(given.get("Source") or ""),
            detail_type=str(given.get("DetailType") or ""),
            detail=given.get("Detail"),
            bus=str(given.get("EventBusName") or "default"),
            time=str(given["Time"]) if given.get("Time") else None,
            resources=tuple(given.get("Resources") or ()),
        )

    @property
    def text(self) -> str:
        """The detail as JSON."""
        return self.detail if isinstance(self.detail, str) else json.dumps(self.detail)

    def problem(self) -> tuple[str, str] | None:
        """The error code and message that EventBridge answers; None when the entry is an event."""
        for key, value in (("Source", self.source), ("DetailType", self.detail_type), ("Detail", self.detail)):
            if not value and value != {}:
                return "InvalidArgument", f"Parameter {key} is not valid. Reason: {key} is a required argument."
        if not isinstance(self._read(), dict):
            return "MalformedDetail", "Detail is malformed."
        if self.source.startswith("aws."):
            return "NotAuthorizedForSourceException", "Not authorized for the source."
        size = len(self.text.encode("utf-8", "replace")) + len(self.source.encode()) + len(self.detail_type.encode())
        if size > PUT_EVENTS_BYTES:
            words = f"Total size of the entries in the request is over the limit: {size:,}"
            return "InvalidArgument", words
        if len(self.detail_type) > DETAIL_TYPE_CHARACTERS:
            return "InvalidArgument", "DetailType is longer than 128 characters."
        return None

    def event(self, event_id: str, account_id: str, region: str, now: str) -> dict[str, Any]:
        """The event that an entry without a problem becomes."""
        return {
            "version": "0",
            "id": event_id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": account_id,
            "time": self.time or now,
            "region": region,
            "resources": list(self.resources),
            "detail": self._read(),
        }

    def _read(self) -> Any:
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None
