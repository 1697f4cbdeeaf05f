"""What a service publishes, as the file says it."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from backbone.topology.fields import BusNamed, DetailType, Model, PublishedSource

__all__ = ["Publication", "PublicationEntry", "publication"]


class Publication(NamedTuple):
    """Events of a detail-type under a source."""

    detail_type: str
    source: str


def publication(value: object) -> object:
    """An entry as a mapping: a detail-type alone stands for one."""
    return {"detail_type": value} if isinstance(value, str) else value


class PublicationEntry(Model):
    """Events that a service publishes. A detail-type alone stands for `{detail_type: ...}`."""

    detail_type: DetailType = Field(examples=["Order.Created"])
    """The detail-type to publish."""

    source: PublishedSource | None = None
    """The source to publish it under, where that is not the service's own. No two services have a source in common."""

    bus: BusNamed | None = None
    """The global bus to publish it on, where that is not the first that the service is on."""
