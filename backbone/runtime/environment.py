"""What every function uses: logger, tracer, metrics, settings and AWS clients."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer

__all__ = ["client", "logger", "metrics", "setting", "tracer"]

# Service and level come from the environment that the Function construct sets, and the namespace too.
logger = Logger()
tracer = Tracer()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "services"))


def setting(name: str) -> str:
    """A variable of the environment; RuntimeError when it is not set."""
    try:
        return os.environ[name]
    except KeyError:
        raise RuntimeError(f"the environment has no {name}; service.py sets it") from None


@cache
def client(service: str) -> Any:
    """The process's client of an AWS service, made when it is first needed.

    A call that hangs is given up well before the function's time-out: 1 s to connect, 3 s for an answer, and a second
    attempt.
    """
    # Imported here: boto3 is half of the time of a cold start, and not every invocation needs it.
    import boto3
    from botocore.config import Config

    create: Callable[..., Any] = boto3.client  # its stubs take literal names only
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
    return create(service, config=config)
