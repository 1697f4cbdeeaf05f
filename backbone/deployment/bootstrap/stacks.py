"""The Terraform of a bootstrap: a stack for each account, and one for the pipeline's roles and the states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backbone.aws.policies import Document
from backbone.deployment.bootstrap.accounts import account_stack
from backbone.deployment.bootstrap.facts import BootstrapError, Facts
from backbone.deployment.bootstrap.pipeline import pipeline_stack
from backbone.deployment.bootstrap.stack_set import stack_set

__all__ = ["PIPELINE", "stacks", "write", "write_stack_set"]

PIPELINE = "_pipeline"
"""The stack of the pipeline's roles and the states' bucket: no account has this name."""


def stacks(facts: Facts) -> dict[str, Document]:
    """The documents of all stacks by name, in the order to apply them: the pipeline's first, if it has anything."""
    found = {PIPELINE: pipeline_stack(facts)} | {name: account_stack(facts, name) for name in facts.providers}
    return {name: document for name, document in found.items() if document["resource"]}


def write(facts: Facts, folder: Path, *, backend: bool) -> list[Path]:
    """Write the stacks below a folder, and say where each is; with `backend`, their states are in the bucket.

    A stack that has its state in the bucket keeps it there.
    """
    written = []
    for name, document in stacks(facts).items():
        place = folder / "stacks" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "cdk.tf.json").write_text(_text(document), encoding="utf-8")
        if backend:
            (place / "backend.tf.json").write_text(_text(_backend(facts, name)), encoding="utf-8")
        written.append(place)
    return written


def write_stack_set(facts: Facts, folder: Path) -> Path:
    """Write the template of a StackSet into a folder, and say where it is."""
    file = folder / "stack-set.json"
    file.write_text(_text(stack_set(facts)), encoding="utf-8")
    return file


def _backend(facts: Facts, name: str) -> Document:
    state = facts.state
    if state is None:
        raise BootstrapError("state: has no bucket; --backend needs state: {backend: s3, bucket: ...}")
    prefix = next(iter(state.keys.values())).rpartition("/")[0]
    body: dict[str, Any] = {"bucket": state.bucket, "encrypt": True, "key": f"{prefix}/bootstrap/{name}.tfstate"}
    body |= {"region": state.region, "use_lockfile": True} | ({"kms_key_id": state.kms_key} if state.kms_key else {})
    return {"terraform": {"backend": {"s3": body}}}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
