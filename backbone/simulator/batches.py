"""What a function's answer says of a batch, and what its role must be allowed for it to get one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from backbone.simulator.engine import Engine
from backbone.simulator.processes import Outcome
from backbone.system.iam import Policy, authorize
from backbone.system.model import Function, Role

__all__ = ["failed_ids", "refusal"]


def failed_ids(ids: Collection[str], outcome: Outcome, *, partial: bool, empty_text: bool = False) -> Collection[str]:
    """The records of a batch that a function did not do.

    With `partial` its answer may name them; an answer that AWS cannot read fails all. `empty_text` says whether an
    empty text counts as an answer that names none.
    """
    if outcome.error is not None:
        return ids
    if not partial or outcome.result is None or (empty_text and outcome.result == ""):
        return ()
    if not isinstance(outcome.result, dict):
        return ids
    failures: Any = outcome.result.get("batchItemFailures")
    if failures is None:
        return ()
    if not isinstance(failures, list):
        return ids
    named: set[Any] = {failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures}
    return named if named <= set(ids) else ids


def refusal(
    engine: Engine, function: Function, actions: Collection[str], arn: str, owner: str, policy: Policy | None = None
) -> str | None:
    """Why a function's role may not do something to a queue or stream; None when it may."""
    role = engine.system.get(Role, function.role_arn)
    if role is None:
        return f"{function.name} has no role"
    for action in actions:
        decision = authorize(
            role.identity, action, arn, owner=owner, policies=filter(None, [policy]), context=engine.context
        )
        if not decision:
            return f"{role.name} may not {action}: {decision.why}"
    return None
