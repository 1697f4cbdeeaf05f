"""Events from the files that people have.

These are events as rules see them (EventBridge's console and documentation, `sam local generate-event`), entries of
PutEvents, arrays of either (`aws events put-events --entries file://…`), and whole requests (`{"Entries": […]}`, as
`--cli-input-json` takes them).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backbone.aws.events import is_reserved
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.system.model import EventBus, System

__all__ = ["EventFileError", "GivenEvent", "hub_of", "read"]

EVENT_KEYS = frozenset({"source", "detail-type", "detail"})
ENTRY_KEYS = frozenset({"Source", "DetailType", "Detail"})
OTHER_ENTRY_KEYS = frozenset({"EventBusName", "Resources", "Time", "TraceHeader"})
KINDS = {dict: "an object", list: "an array", str: "text", bool: "a truth value", type(None): "null"}


class EventFileError(BackboneError):
    """A file does not hold events."""


@dataclass(frozen=True)
class GivenEvent:
    """An event, or an entry of PutEvents, with its path in the file; the path is empty when it is the whole file."""

    path: str
    fields: dict[str, Any]

    @property
    def is_entry(self) -> bool:
        """Whether it has the keys of an entry of PutEvents."""
        return not ENTRY_KEYS.isdisjoint(self.fields)

    @property
    def is_of_aws(self) -> bool:
        """Whether it is an event of an AWS service, which nobody can put by PutEvents."""
        return not self.is_entry and is_reserved(self.fields.get("source"))

    @property
    def account(self) -> str:
        """The account that an event says it is from; empty for an entry, which cannot say it."""
        return str(self.fields.get("account", ""))

    @property
    def bus(self) -> str:
        """The bus that it names; empty when it names none."""
        return str(self.fields.get("EventBusName") or "")

    def as_entry(self) -> dict[str, Any]:
        """What PutEvents would be given for it; EventFileError when it is no event.

        An entry is checked as the AWS CLI checks it, so values that only EventBridge refuses pass. The `id`,
        `account` and `region` of an event are left out: AWS sets them anew.
        """
        if self.is_entry:
            self._check_entry()
            return dict(self.fields)
        for key in ("source", "detail-type", "detail"):
            if key not in self.fields:
                raise self._error(key, "nothing", f"an event with source, detail-type and detail{self._hint()}")
        entry: dict[str, Any] = {
            "Source": self._text("source"),
            "DetailType": self._text("detail-type"),
            "Detail": json.dumps(self.fields["detail"]),
        }
        if self.fields.get("resources"):
            entry["Resources"] = self._texts("resources")
        if "time" in self.fields:
            entry["Time"] = self._text("time")
        if "EventBusName" in self.fields:
            entry["EventBusName"] = self._text("EventBusName")
        return entry

    def as_event(self) -> dict[str, Any]:
        """What a rule sees of it. An event is taken as it is; an entry lacks what AWS sets, the account above all."""
        if not self.is_entry:
            return self.fields
        self._check_entry()
        event: dict[str, Any] = {"resources": self.fields.get("Resources", [])}
        for key, name in (("Source", "source"), ("DetailType", "detail-type"), ("Time", "time")):
            if key in self.fields:
                event[name] = self.fields[key]
        if "Detail" in self.fields:
            event["detail"] = self._detail()
        return event

    def _check_entry(self) -> None:
        for key in self.fields:
            if key not in ENTRY_KEYS | OTHER_ENTRY_KEYS:
                raise self._error(key, "an unknown key", f"{', '.join(sorted(ENTRY_KEYS | OTHER_ENTRY_KEYS))}")
        for key in ("Source", "DetailType", "EventBusName", "TraceHeader"):
            if key in self.fields:
                self._text(key)
        if "Resources" in self.fields:
            self._texts("Resources")
        if not isinstance(self.fields.get("Detail", ""), str):
            raise self._error("Detail", KINDS[type(self.fields["Detail"])], 'JSON as text, as in "{\\"total\\": 5}"')

    def _detail(self) -> Any:
        try:
            detail = json.loads(self.fields["Detail"])
        except (ValueError, RecursionError) as error:
            raise self._error("Detail", "text that is not JSON", f"an object as JSON text; {error}") from None
        if not isinstance(detail, dict):
            raise self._error("Detail", f"{_kind(detail)} as JSON text", "an object as JSON text")
        return detail

    def _text(self, key: str) -> str:
        value = self.fields[key]
        if not isinstance(value, str):
            raise self._error(key, _kind(value), "text")
        return value

    def _texts(self, key: str) -> list[str]:
        value = self.fields[key]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(key, _kind(value), "an array of text")
        return value

    def _hint(self) -> str:
        """What to do about the events that functions receive from other services."""
        records = self.fields.get("Records")
        if not isinstance(records, list):
            return ""
        return "; a file with Records is what a function receives from a queue, topic or stream: give the event in it"

    def _error(self, key: str, got: str, allowed: str) -> EventFileError:
        return _error(f"{self.path}.{key}" if self.path else key, f"got {got}; allowed: {allowed}")


def read(content: bytes) -> list[GivenEvent]:
    """All events of a file, in its order; EventFileError when there is none or when it holds something else."""
    try:
        given = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise EventFileError(f"not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        what = "not JSON" if content.strip() else "empty"
        raise EventFileError(
            f"{what}: {error}; allowed: an event, an entry of PutEvents, or an array of them"
        ) from None
    path = ""
    if isinstance(given, dict) and "Entries" in given:
        path, given = "Entries", given["Entries"]
        if not isinstance(given, list):
            raise EventFileError(f"Entries: got {_kind(given)}; allowed: an array of entries of PutEvents")
    if not isinstance(given, list):
        return [_given(path, given)]
    if not given:
        raise _error(path, "got an empty array; allowed: one event or more")
    return [_given(f"{path}[{number}]", item) for number, item in enumerate(given)]


def hub_of(system: System, detail_type: object, source: object) -> EventBus:
    """The global bus of an event that names no bus; BackboneError when that cannot be told."""
    found = system.hub_of(str(detail_type), str(source))
    if found is None:
        known = ", ".join(bus.name for bus in system.hubs)
        raise BackboneError(
            "EventBusName: is missing, and no service is declared to publish such an event; allowed: "
            + (f"the ARN of a bus, or one of {known}" if known else "the ARN of a bus; there is no global bus")
        )
    return found


def _given(path: str, item: Any) -> GivenEvent:
    if not isinstance(item, dict):
        wanted = 'an object, as in {"source": "shop", "detail-type": "Order.Created", "detail": {}}'
        raise _error(path, f"got {_kind(item)}; allowed: {wanted}")
    event_keys, entry_keys = sorted(EVENT_KEYS & item.keys()), sorted(ENTRY_KEYS & item.keys())
    if event_keys and entry_keys:
        what = f"got {', '.join(event_keys)} of an event and {', '.join(entry_keys)} of an entry of PutEvents"
        raise _error(path, f"{what}; allowed: the keys of either")
    return GivenEvent(path, item)


def _kind(value: Any) -> str:
    return KINDS.get(type(value), "a number")


def _error(path: str, words: str) -> EventFileError:
    return EventFileError(f"{path}: {words}" if path else words)
