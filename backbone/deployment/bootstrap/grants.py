"""What deploying and planning needs of AWS, by the kind of resource, as `grants.yaml` says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

__all__ = ["PASSED_TO", "Grant", "Limit", "grants"]

Limit = Literal["", "region", "request-tag", "resource-tag", "no-request-tag", "key-of-aws", "function"]

PASSED_TO = tuple(
    f"{service}.amazonaws.com" for service in ("events", "firehose", "lambda", "pipes", "scheduler", "states")
)
"""The services that are given roles: rules have some for their targets; functions and others have theirs."""


@dataclass(frozen=True)
class Grant:
    """Actions on resources of one kind, as an entry of the file has them."""

    sid: str
    policy: str
    service: str
    kind: str
    names: tuple[str, ...]
    resources: str
    limit: Limit
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@cache
def grants() -> tuple[Grant, ...]:
    """All grants but those of roles and keys, which are limited otherwise."""
    text = (Path(__file__).parent / "grants.yaml").read_text(encoding="utf-8")
    return tuple(map(_grant, yaml.safe_load(text)))


def _grant(entry: dict[str, Any]) -> Grant:
    service, _, kind = entry.get("arns", f"{entry.get('service')}:").partition(":")
    reads, writes = (
        tuple(f"{service}:{word}" for word in entry.get(which, "").split()) for which in ("reads", "writes")
    )
    return Grant(
        sid=entry["sid"],
        policy=entry["policy"],
        service=service,
        kind=kind,
        names=tuple(entry.get("names", () if "resources" in entry else ("{}",))),
        resources=entry.get("resources", ""),
        limit=entry.get("limit", ""),
        reads=reads,
        writes=writes,
    )
