"""Answers of an HTTP API: JSON, and problem documents (RFC 9457) for what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

__all__ = ["answer", "problem"]


def answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response[str]:
    """A JSON answer."""
    return Response(status, "application/json", json.dumps(body), headers=dict(headers or {}))


def problem(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    **members: str,
) -> Response[str]:
    """A problem document; `errors` names each bad field, and `members` are fields of its own."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail, **members}
    if errors:
        body["errors"] = errors
    return Response(status, "application/problem+json", json.dumps(body), headers=dict(headers or {}))
