"""How long the delivery of an event is tried."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backbone.aws.limits import RETRY_MAX_AGE_SECONDS, RETRY_MAX_ATTEMPTS, RETRY_MIN_AGE_SECONDS
from backbone.topology.fields import Model


class Retry(Model):
    """How long EventBridge tries to deliver an event before it goes to the dead-letter queue."""

    max_age_seconds: Annotated[int, Field(ge=RETRY_MIN_AGE_SECONDS, le=RETRY_MAX_AGE_SECONDS)] = RETRY_MAX_AGE_SECONDS
    """The age of an event, in seconds, at which EventBridge gives up."""

    max_attempts: Annotated[int, Field(ge=0, le=RETRY_MAX_ATTEMPTS)] = RETRY_MAX_ATTEMPTS
    """The number of retries after which EventBridge gives up."""
