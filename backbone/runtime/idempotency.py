"""Work that is done once for each event, however often the event comes, and however many copies of it at once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from backbone.runtime import budget
from backbone.runtime.calls import is_aws_error
from backbone.runtime.environment import client, logger, metrics, setting

__all__ = ["BusyError", "Idempotency"]

CLOCK_MARGIN_SECONDS = 5
"""By how much the clocks of two functions' hosts may differ before a lease is taken away too early."""

KEEP_SECONDS = 15 * 24 * 3_600
"""A day longer than a queue can hold a copy of an event back."""


class BusyError(Exception):
    """Another invocation is at work on the same event; what it leaves undone, a later attempt does."""

    def __init__(self, key: str, seconds: float) -> None:
        self.seconds = seconds
        """After so many seconds the other invocation is over, whatever became of it."""
        super().__init__(f"{key}: another invocation is at work on it for up to {seconds:.1f} s more")


class Idempotency:
    """A DynamoDB table in which each event is claimed before the work for it begins, and marked when it is done.

    The key of the table is `id`, and `expires_at` is its time to live. A claim holds for as long as its invocation can
    last: after a crash the next attempt takes it over. Work that failed gives its claim back. `table` is by default
    what the environment says in IDEMPOTENCY_TABLE. `keep_seconds` is how long an event is known to be done.
    """

    def __init__(self, table: str | None = None, *, keep_seconds: int = KEEP_SECONDS) -> None:
        self._given_table = table
        self._keep_seconds = keep_seconds
        self._done: set[str] = set()

    def begin(self) -> None:
        """Ask the table about every key again; what is known without it are the copies in one batch."""
        self._done.clear()

    def once(self, key: str, work: Callable[[], None]) -> bool:
        """Do the work unless it was done before; whether it was done now.

        BusyError when another invocation is at work on the same key.
        """
        if key in self._done:
            return False
        owner = str(uuid.uuid4())  # not the request's id, which retries and copies of an event share
        if not self._claim(key, owner):
            self._done.add(key)
            return False
        try:
            work()
        except BaseException:
            self._mark(key, owner, "SET lease_until = :zero", {":zero": _number(0)})
            raise
        done = {":done": {"S": "DONE"}, ":end": self._expiry()}
        self._mark(key, owner, "SET claim_state = :done, expires_at = :end", done)
        self._done.add(key)
        return True

    @property
    def _table(self) -> str:
        return self._given_table or setting("IDEMPOTENCY_TABLE")

    def _expiry(self) -> dict[str, str]:
        return {"N": str(int(time.time()) + self._keep_seconds)}  # DynamoDB takes whole seconds

    def _claim(self, key: str, owner: str) -> bool:
        """Whether this invocation may do the work; False when it is done already."""
        now = time.time()
        until = now + min(budget.remaining_seconds() + budget.RESERVED_SECONDS, 900) + CLOCK_MARGIN_SECONDS
        dynamodb = client("dynamodb")
        try:
            dynamodb.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": key},
                    "claim_state": {"S": "CLAIMED"},
                    "claimed_by": {"S": owner},
                    "lease_until": _number(until),
                    "expires_at": self._expiry(),
                },
                # A claim of one's own is a call whose answer was lost: it was made, and is made again.
                ConditionExpression=(
                    "attribute_not_exists(id) OR expires_at < :now"
                    " OR (claim_state = :claimed AND (lease_until < :now OR claimed_by = :owner))"
                ),
                ExpressionAttributeValues={
                    ":now": _number(now),
                    ":claimed": {"S": "CLAIMED"},
                    ":owner": {"S": owner},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException as error:
            found = error.response["Item"]
            if found["claim_state"]["S"] == "DONE":
                return False
            raise BusyError(key, float(found["lease_until"]["N"]) - now) from None
        return True

    def _mark(self, key: str, owner: str, change: str, values: dict[str, Any]) -> None:
        """Change the claim if it is still this invocation's.

        The work's own outcome stands whatever becomes of the mark: without it, a copy of the event that comes when the
        lease is over does the work again.
        """
        dynamodb = client("dynamodb")
        try:
            dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": key}},
                UpdateExpression=change,
                ConditionExpression="claimed_by = :owner",
                ExpressionAttributeValues=values | {":owner": {"S": owner}},
            )
        except Exception as error:
            if not is_aws_error(error):
                raise
            metrics.add_metric(name="ClaimsNotMarked", unit="Count", value=1)
            logger.warning("the claim of an event could not be marked", exc_info=True, key=key)


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}
