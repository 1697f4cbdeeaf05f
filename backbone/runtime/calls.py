"""Which AWS calls are tried again: those that may succeed then, for as long as the invocation has time."""

from __future__ import annotations

import random
from typing import Any

from backbone.runtime import budget

__all__ = ["LateError", "is_aws_error", "is_transient", "retry_within_budget"]

ATTEMPTS = 4
PAUSE_SECONDS = 0.05
"""The longest pause before the second attempt; it doubles from attempt to attempt."""

TRANSIENT = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "InternalFailure",
    "InternalServerError",
    "KMSThrottlingException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
"""Error codes that the next attempt may not meet (AWS SDKs and tools reference, "Retry behavior")."""


class LateError(Exception):
    """There was no time left to begin an AWS call; nothing was sent."""


def is_aws_error(error: BaseException) -> bool:
    """Whether an AWS call failed, for whatever reason."""
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, BotoCoreError | ClientError | LateError)


def is_transient(error: BaseException) -> bool:
    """Whether the same AWS call may succeed later."""
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response.get("Error", {}).get("Code") in TRANSIENT
    return isinstance(error, aws.ConnectionError | aws.HTTPClientError | LateError)


def retry_within_budget(client: Any) -> None:
    """Have a client of boto3, made for one attempt a call, try again what may succeed, as long as there is time."""
    client.meta.events.register_first("before-send", _refuse_when_late)
    client.meta.events.register("needs-retry", _pause)


def _refuse_when_late(**_: Any) -> None:
    if budget.remaining_seconds() < budget.CALL_SECONDS:
        raise LateError(f"an AWS call takes up to {budget.CALL_SECONDS} s, and the invocation has less left")


def _pause(
    *, response: tuple[Any, dict[str, Any]] | None, attempts: int, caught_exception: Exception | None, **_: Any
) -> float | None:
    """The seconds to wait before the next attempt; None for no more attempts."""
    if attempts >= ATTEMPTS or not _may_succeed(response, caught_exception):
        return None
    pause = PAUSE_SECONDS * 2 ** (attempts - 1) * random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing
    return pause if budget.remaining_seconds() >= pause + budget.CALL_SECONDS else None


def _may_succeed(response: tuple[Any, dict[str, Any]] | None, caught: Exception | None) -> bool:
    if response is not None:
        answer, parsed = response
        return answer.status_code >= 500 or parsed.get("Error", {}).get("Code") in TRANSIENT
    return caught is not None and is_transient(caught) and not isinstance(caught, LateError)
