"""The review of a deployment as files: what a pipeline shows, has approved, and compares with what it applies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from backbone.deployment.deploy import StackPlan
from backbone.deployment.markdown import markdown
from backbone.deployment.review import Review

__all__ = ["differences", "forget", "write"]

JSON, MARKDOWN = "review.json", "review.md"


def forget(folder: Path) -> None:
    """Remove the files of an earlier deployment, so that nobody takes them for this one's."""
    for name in (JSON, MARKDOWN):
        (folder / name).unlink(missing_ok=True)


def write(folder: Path, review: Review, plans: Sequence[StackPlan]) -> dict[str, Any]:
    """Write `review.json` and `review.md`; returns the former.

    Beside the review it has a digest of everything that the plans change, down to the values, so that two plans with
    the same review are the same changes. It has no time, no version and no order of planning in it.
    """
    found = review.as_json() | {"digest": _digest(plans)}
    (folder / JSON).write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / MARKDOWN).write_text(markdown(review), encoding="utf-8")
    return found


def differences(approved: Path, now: dict[str, Any]) -> list[str]:
    """In what a review differs from the approved one, in words; empty when it does not."""
    try:
        before = json.loads(approved.read_bytes())
    except FileNotFoundError:
        return [f"{approved}: there is no such file, so nothing was approved"]
    except (OSError, ValueError) as error:
        return [f"{approved}: is no review that was written by deploy: {error}"]
    if before == now:
        return []
    old, new = set(_lines(before)), set(_lines(now))
    lines = [f"approved, and not planned any more: {line}" for line in sorted(old - new)]
    lines += [f"planned, and not approved: {line}" for line in sorted(new - old)]
    return lines or ["the same resources change, but to other values than was approved"]


def _lines(review: Any) -> Iterator[str]:
    """What a review says, line by line; nothing for what is no review."""
    found = review if isinstance(review, dict) else {}
    for change in found.get("changes", ()):
        yield f"{change['action']} {change['resource']}"
    for danger in found.get("dangers", ()):
        yield f"{danger['severity']} {danger['rule']}: {danger['resource']}: {danger['message']}"


def _digest(plans: Sequence[StackPlan]) -> str:
    changes = [
        [plan.stack, change["address"], *(change["change"].get(key) for key in ("actions", "after", "after_unknown"))]
        for plan in plans
        for change in plan.document.get("resource_changes", [])
        if not {"no-op", "read"} & {*change["change"]["actions"]}
    ]
    changes.sort(key=lambda change: (change[0], change[1]))
    return hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()
