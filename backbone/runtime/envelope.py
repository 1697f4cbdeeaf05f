"""The shape of every event's detail: `{"data": …, "meta": …}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["EventData", "MalformedError", "Meta", "Received", "RejectedError", "detail", "read"]


class EventData(BaseModel):
    """The data of one event type in one version. Fields may be added; any other change needs a new version."""

    model_config = ConfigDict(frozen=True)

    detail_type: ClassVar[str]
    version: ClassVar[int]


class Meta(BaseModel):
    """What is known about an event beside its data.

    `correlation_id` is the same for all events of one flow, `causation_id` is the id of the event that caused this
    event. `idempotency_key` is the same however often the event is published.
    """

    model_config = ConfigDict(frozen=True)

    correlation_id: str = Field(min_length=1)
    causation_id: str | None = None
    version: int
    idempotency_key: str = Field(min_length=1)


class RejectedError(Exception):
    """The event can never be handled: raised by a handler, it sends the event to the failure queue without a retry."""


class MalformedError(RejectedError):
    """The event is not what its detail-type promises; no retry will change that."""


Data = TypeVar("Data", bound=EventData)


@dataclass(frozen=True)
class Received(Generic[Data]):
    """An event that was received, with the fields of EventBridge's own that a handler needs."""

    id: str
    source: str
    data: Data
    meta: Meta


def detail(data: EventData, *, correlation_id: str, idempotency_key: str, causation_id: str | None) -> dict[str, Any]:
    """The detail of an event to be published."""
    meta = Meta(
        correlation_id=correlation_id,
        causation_id=causation_id,
        version=data.version,
        idempotency_key=idempotency_key,
    )
    return {"data": data.model_dump(mode="json"), "meta": meta.model_dump(mode="json")}


def read(event: dict[str, Any], model: type[Data]) -> Received[Data]:
    """An EventBridge event as its model; MalformedError says which fields are wrong."""
    content = event.get("detail")
    if not isinstance(content, dict):
        raise MalformedError(f"detail: got {type(content).__name__}; allowed: an object with data and meta")
    try:
        meta = Meta.model_validate(content.get("meta"))
        if meta.version != model.version:
            raise MalformedError(f"detail.meta.version: got {meta.version}; allowed: {model.version}")
        data = model.model_validate(content.get("data"))
    except ValidationError as error:
        part = "meta" if error.title == Meta.__name__ else "data"
        wrong = "; ".join(
            ".".join(("detail", part, *map(str, mistake["loc"]))) + f": {mistake['msg']}" for mistake in error.errors()
        )
        raise MalformedError(wrong) from None
    return Received(str(event.get("id", "")), str(event.get("source", "")), data, meta)
