"""What every function uses: logger, tracer, metrics, settings and AWS clients."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer

from backbone.runtime import budget
from backbone.runtime.calls import retry_within_budget

__all__ = ["Handler", "buses_elsewhere", "client", "lambda_handler", "logger", "metrics", "setting", "tracer"]

Handler = Callable[[dict[str, Any], Any], Any]

# Service and level come from the environment that the Function construct sets, and the namespace too.
logger = Logger()
tracer = Tracer()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "services"))


def lambda_handler(handle: Handler) -> Handler:
    """Make a function what Lambda calls: its logs, traces and metrics are written, and its AWS calls end in time."""

    @wraps(handle)
    def within_budget(event: dict[str, Any], context: Any) -> Any:
        budget.begin(context)
        return handle(event, context)

    counted = metrics.log_metrics(within_budget, capture_cold_start_metric=True)
    traced = tracer.capture_lambda_handler(counted, capture_response=False)
    decorated: Handler = logger.inject_lambda_context(traced, clear_state=True)  # Powertools' decorators are untyped
    return decorated


def setting(name: str) -> str:
    """A variable of the environment; RuntimeError when it is not set."""
    try:
        return os.environ[name]
    except KeyError:
        raise RuntimeError(f"the environment has no {name}; service.py sets it") from None


def buses_elsewhere(source: str) -> dict[str, str]:
    """The ARN of the bus, by detail-type, for what is published under a source on another bus than EVENT_BUS_ARN."""
    return dict(json.loads(os.environ.get("EVENT_BUS_ARNS", "{}")).get(source, {}))


@cache
def client(service: str) -> Any:
    """The process's client of an AWS service, made when it is first needed.

    A call that fails for a transient reason is made again, up to four times in all, as long as the invocation has time.
    A call that might end in the last second of the invocation is not begun: LateError.
    """
    # Imported here: boto3 is half of the time of a cold start, and not every invocation needs it.
    import boto3
    from botocore.config import Config

    create: Callable[..., Any] = boto3.client  # its stubs take literal names only
    config = Config(
        connect_timeout=budget.CONNECT_SECONDS,
        read_timeout=budget.READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    made = create(service, config=config)
    retry_within_budget(made)
    return made
