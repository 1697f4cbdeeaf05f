"""How long a function may still work, so that every AWS call ends before Lambda's time-out does.

The last second of an invocation belongs to its answer and to its metrics: no call may still be under way in it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

__all__ = [
    "CALL_SECONDS",
    "CONNECT_SECONDS",
    "READ_SECONDS",
    "RESERVED_SECONDS",
    "Context",
    "begin",
    "remaining_seconds",
]

CONNECT_SECONDS = 1
READ_SECONDS = 2
CALL_SECONDS = CONNECT_SECONDS + READ_SECONDS
"""The longest that one attempt of an AWS call takes."""

RESERVED_SECONDS = 1


class Context(Protocol):
    """What is needed of Lambda's context."""

    aws_request_id: str
    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""


_current: ContextVar[Context | None] = ContextVar("context", default=None)


def begin(context: Context) -> None:
    """Count from now on what is left of this invocation."""
    _current.set(context)


def remaining_seconds() -> float:
    """Seconds that AWS calls may still take; without end outside of an invocation."""
    context = _current.get()
    return float("inf") if context is None else context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
