"""A relay, as a file declares it: what a service takes from its account's default bus, and what it makes of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from backbone.topology.fields import Allowed, DetailType, Model


class RelayEntry(Model):
    """Events of AWS services that a service takes from the default bus of its account, to publish them as its own.

    EventBridge forwards an event from bus to bus only once, and nobody but AWS may put events with a source of AWS. So
    a function publishes each event anew, under the service's source: `detail.data` is AWS's event as it was, and the
    `idempotency_key` in `detail.meta` is its id.
    """

    pattern: Annotated[
        dict[str, Any],
        Allowed("an event pattern, as in {source: [aws.s3], detail-type: [Object Created]}"),
    ] = Field(examples=["{source: [aws.s3], detail-type: [Object Created]}"])
    """The event pattern of what is taken from the default bus."""

    publishes: DetailType = Field(examples=["Upload.Received"])
    """The detail-type that the events are published as, one of those that the service publishes."""
