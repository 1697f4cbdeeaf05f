"""What PutEvents makes of a call and of its entries: what is wrong with them, or the events.

Facts: EventBridge API reference, "PutEvents", and answers recorded on AWS, in `tests/aws/recorded/put-events.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from backbone.aws.events import is_reserved
from backbone.aws.limits import DETAIL_TYPE_CHARACTERS, PUT_EVENTS_BYTES, PUT_EVENTS_ENTRIES, SOURCE_CHARACTERS
from backbone.errors import BackboneError
from backbone.simulator.engine import SimulatorError
from backbone.system.iam import Decision, Identity, authorize
from backbone.system.model import EventBus

__all__ = ["Denial", "Entry", "Outcome", "PutEventsError", "decide", "entries_of", "of_aws"]

Outcome = Literal["refused", "denied"]
TIME_BYTES = 14
"""What an entry's time counts for in its size (user guide, "PutEvents event entry size")."""


class PutEventsError(BackboneError):
    """The call as a whole fails; `code` is AWS's, and the text has it too."""

    exit_status = 1

    def __init__(self, message: str, *, code: str = "ValidationException") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def entries_of(given: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """The entries of a call; PutEventsError when the call fails whatever the bus.

    That is for a wrong number of entries or too many bytes in all, and for a value of a type that no AWS client sends.
    """
    words = f"1 validation error detected: Value '[{', '.join(['PutEventsRequestEntry()'] * len(given))}]' at 'entries'"
    if len(given) > PUT_EVENTS_ENTRIES:
        limit = f"Member must have length less than or equal to {PUT_EVENTS_ENTRIES}"
        raise PutEventsError(f"{words} failed to satisfy constraint: {limit}")
    if not given:
        raise PutEventsError(
            f"{words} failed to satisfy constraint: Member must have length greater than or equal to 1"
        )
    entries = [Entry.of(entry, f"Entries[{number}]") for number, entry in enumerate(given)]
    if sum(entry.size for entry in entries) > PUT_EVENTS_BYTES:
        raise PutEventsError("Total size of the entries in the request is over the limit.")
    return entries


@dataclass(frozen=True)
class Entry:
    """An entry. `detail` is its JSON as it was given."""

    source: str
    detail_type: str
    detail: str
    bus: str
    time: datetime | None
    resources: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any], path: str) -> Entry:
        """An entry with the names of the API; its `Detail` may be an object as well as JSON.

        PutEventsError for an unknown name or a value of another type, which AWS's clients refuse to send.
        """
        known = ("Time", "Source", "Resources", "DetailType", "Detail", "EventBusName", "TraceHeader")
        for key in given.keys() - set(known):
            raise PutEventsError(f"{path}: got {key!r}; allowed: {', '.join(known)}", code="ParamValidationError")
        detail, resources = given.get("Detail"), given.get("Resources") or []
        if not isinstance(resources, list | tuple) or not all(isinstance(each, str) for each in resources):
            raise _wrong(f"{path}.Resources", resources, "a list of texts")
        return cls(
            source=_text(given, "Source", path),
            detail_type=_text(given, "DetailType", path),
            detail=json.dumps(detail) if isinstance(detail, Mapping) else _text(given, "Detail", path),
            bus=_text(given, "EventBusName", path) or "default",
            time=_time(given.get("Time"), path),
            resources=tuple(resources),
        )

    @property
    def size(self) -> int:
        """The bytes that count against the limit of the call."""
        texts = (self.source, self.detail_type, self.detail, *self.resources)
        return (TIME_BYTES if self.time else 0) + sum(len(text.encode("utf-8", "replace")) for text in texts)

    def problem(self) -> tuple[str, str] | None:
        """The error code and message that EventBridge answers for the entry; None when it is an event."""
        for key, value in (("Source", self.source), ("DetailType", self.detail_type), ("Detail", self.detail)):
            if not value:
                return "InvalidArgument", f"Parameter {key} is not valid. Reason: {key} is a required argument."
        if not isinstance(self._read(), dict):
            return "MalformedDetail", "Detail is malformed."
        if is_reserved(self.source):
            return "NotAuthorizedForSourceException", "Not authorized for the source."
        for key, value, limit in (
            ("Source", self.source, SOURCE_CHARACTERS),
            ("DetailType", self.detail_type, DETAIL_TYPE_CHARACTERS),
        ):
            if len(value) > limit:
                return "InvalidArgument", f"Parameter {key} is not valid. Reason: {key} is longer than {limit}."
        return None

    def event(self, event_id: str, account_id: str, region: str, now: str) -> dict[str, Any]:
        """The event that an entry without a problem becomes."""
        return {
            "version": "0",
            "id": event_id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": account_id,
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%SZ") if self.time else now,
            "region": region,
            "resources": list(self.resources),
            "detail": self._read(),
        }

    def _read(self) -> Any:
        try:
            return json.loads(self.detail, parse_constant=_no_json)
        except (ValueError, RecursionError):
            return None


def of_aws(
    given: Mapping[str, Any], new_id: Callable[[], str], account_id: str, region: str, now: str
) -> dict[str, Any]:
    """An event of an AWS service as rules see it; SimulatorError when it is none."""
    source, detail_type, detail = given.get("source"), given.get("detail-type"), given.get("detail")
    if not is_reserved(source):
        raise SimulatorError(f"source: got {source!r}; allowed: that of an AWS service, as in aws.s3")
    if not isinstance(detail_type, str) or not isinstance(detail, dict):
        raise SimulatorError(f"{source}: an event of AWS has a detail-type, which is text, and a detail, an object")
    return {
        "version": "0",
        "id": str(given.get("id") or new_id()),
        "detail-type": detail_type,
        "source": source,
        "account": account_id,
        "time": str(given.get("time") or now),
        "region": region,
        "resources": list(given.get("resources") or ()),
        "detail": detail,
    }


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _wrong(path: str, value: object, allowed: str) -> PutEventsError:
    return PutEventsError(f"{path}: got {value!r}; allowed: {allowed}", code="ParamValidationError")


def _text(given: Mapping[str, Any], key: str, path: str) -> str:
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"{path}.{key}", value, "text")
    return value or ""


def _time(value: object, path: str) -> datetime | None:
    """A time as boto3 takes and sends it: a datetime, seconds since 1970, or ISO 8601."""
    if value is None:
        return None
    try:
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return _time(datetime.fromisoformat(value), path)
    except (ValueError, OverflowError, OSError):
        pass
    raise _wrong(f"{path}.Time", value, "a time, as in 2024-02-03T04:05:06Z, or seconds since 1970")


@dataclass(frozen=True)
class Denial:
    """Why a bus does not take an entry, with the code that the entry is answered with."""

    code: str
    why: str


def decide(who: Identity, bus: EventBus, entry: Entry, context: Mapping[str, str]) -> Decision | Denial:
    """Whether an identity may put an entry on a bus.

    A condition on source or detail-type that is not met has a code of its own; without any permission it is
    AccessDeniedException.
    """

    def ask(keys: Mapping[str, str], *, ahead: bool = False) -> Decision:
        known = {**context, "events:eventBusInvocation": "false", **keys}
        policies = [bus.policy] if bus.policy else []
        return authorize(
            who, "events:PutEvents", bus.arn, owner=bus.account_id, policies=policies, context=known, ahead=ahead
        )

    source, detail_type = {"events:source": entry.source}, {"events:detail-type": entry.detail_type}
    decision = ask(source | detail_type)
    if decision:
        return decision
    if not ask({}, ahead=True):
        return Denial("AccessDeniedException", decision.why)
    if ask(source, ahead=True):
        return Denial("NotAuthorizedForDetailTypeException", decision.why)
    return Denial("NotAuthorizedForSourceException", decision.why)
