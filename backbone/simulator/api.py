"""How AWS answers a call of its JSON APIs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backbone.simulator.processes import Reply

__all__ = ["error", "reply"]


def reply(content: Mapping[str, Any], status: int = 200) -> Reply:
    """An answer with JSON."""
    return Reply(status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(content).encode())


def error(code: str, message: str, status: int = 400, *, query_code: str | None = None) -> Reply:
    """An error with its code, as botocore reads it; `query_code` is the one that callers know from the query API."""
    answer = reply({"__type": code, "message": message}, status)
    if query_code is None:
        return answer
    return Reply(status, {**answer.headers, "x-amzn-query-error": f"{query_code};Sender"}, answer.body)
