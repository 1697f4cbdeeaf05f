"""Edits of the synthesized example that stand in files, and what becomes of the edited example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from backbone.simulator import Simulator
from backbone.system import terraform
from backbone.system.reader import Reading, reading_of
from mutants.bases import ORDER
from mutants.documents import REMOVED, changed
from tests.synthesis import Json, Stacks

__all__ = ["EXAMPLE", "edited", "read_edits", "reading", "simulated"]

EXAMPLE = "direct"
"""The topology that is edited where an edit names no other: the example, with an order service without a buffer."""

ORDERING = (EXAMPLE, "hubs")
"""The topologies in which an order can be posted."""

RELAYING = "all-features"
UPLOADED = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"size": 5}}}

LONG = "a" * 4100
ASKED = {
    "EventBusName": "shop-global",
    "Source": "asker",
    "DetailType": "Work.Asked",
    "Detail": {"id": "w-1", "data": {}, "meta": {"correlation_id": "c-1", "version": 1, "idempotency_key": "k-1"}},
}


def read_edits(*parts: str) -> dict[str, Json]:
    """The edits of a file or of all files of a folder, by what each is called."""
    place = Path(__file__).parent.joinpath(*parts)
    files = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
    edits = [edit for file in files for edit in yaml.safe_load(file.read_text(encoding="utf-8"))]
    found = {str(edit["edit"]): edit for edit in edits}
    assert len(found) == len(edits), "two edits are called the same"
    return found


def edited(stacks: Stacks, edit: Mapping[str, Any]) -> Stacks:
    """The stacks after an edit: each of its places has another value, or is gone where none is given.

    They are the stacks of the example, or of the topology that the edit names by `of`. A place begins with `provider`,
    or with a resource type and a part of the resource's name; a name that no resource has makes a new resource.
    `(json)` steps into a text, and … stands for 4,100 letters.
    """
    for part in (edit, *edit.get("and", ())):
        after = part.get("to", REMOVED)
        place = _place(stacks, part["at"])
        stacks = changed(stacks, place, after.replace("…", LONG) if isinstance(after, str) else after)
    return stacks


def _place(stacks: Stacks, at: list[Any]) -> list[Any]:
    first = min(stacks)
    if at[0] in ("provider", "terraform", "output"):
        return [first, *at]
    kind, part, *within = at
    having = (
        stack for stack in sorted(stacks) if any(part in name for name in stacks[stack]["resource"].get(kind, ()))
    )
    stack = next(having, first)
    names = [name for name in stacks[stack]["resource"].setdefault(kind, {}) if part in name]
    assert names or not within, f"no {kind} has {part} in its name"
    return [stack, "resource", kind, names[0] if names else part, *within]


def reading(stacks: Stacks, folder: Path) -> Reading:
    """The system of some stacks, whose functions' code lies in a folder."""
    files = {folder / "stacks" / name / "cdk.tf.json": document for name, document in stacks.items()}
    return reading_of(terraform.parse(files), folder)


def simulated(read: Reading, of: str = EXAMPLE) -> list[str]:
    """What `backbone simulate` complains of when an order is posted, a file uploaded or some work asked for."""
    with Simulator(read) as simulator:
        if of in ORDERING:
            simulator.http("POST", "/orders", ORDER, caller="order")
        elif of == RELAYING:
            simulator.put_aws_event(UPLOADED, account="bus")
        else:
            simulator.put_events([ASKED], caller="bus")
        simulator.run_until_idle()
        return simulator.problems()
