"""Plans in files, with the stacks that they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone import manifest
from backbone.deployment.waves import waves
from backbone.manifest import Manifest
from backbone.system.plan import Plan, PlanError, declared, read_plan
from backbone.system.reader import Reading, reading_of
from backbone.system.terraform import Configuration

__all__ = ["Plans", "read_plans"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Plans:
    """Plans, and what is known of the stacks that they are of; `folder` is where these are."""

    plans: Sequence[Plan]
    folder: Path
    manifest: Manifest | None

    @property
    def waves(self) -> list[list[str]]:
        """The stacks in the order to deploy them; empty when that is not known."""
        return [[stack.name for stack in wave] for wave in waves(self.manifest)] if self.manifest else []

    @property
    def accounts(self) -> list[str]:
        """The ids of the backbone's accounts; empty when they are not known."""
        return list(self.manifest.accounts.values()) if self.manifest else []

    @property
    def reading(self) -> Reading:
        """The system as it will be, with what is wrong with it."""
        return reading_of(Configuration(plan.after for plan in self.plans), self.folder)


def read_plans(files: Sequence[Path], stacks: Path | None) -> Plans:
    """The plans of files that `terraform show -json` wrote; PlanError when one is none.

    What a plan does not tell of an argument that is known after the apply only is read from the synthesized stacks: in
    the folder `stacks`, else in that of the deployment that made the plans.
    """
    folder = stacks or next(
        (file.parent.parent for file in files if (file.parent.parent / manifest.FILE_NAME).exists()), None
    )
    documents = {
        file.parent.name: _load(file) for file in sorted(folder.glob("stacks/*/cdk.tf.json") if folder else ())
    }
    found: dict[str, Plan] = {}
    for file in files:
        document = _load(file)
        stack = _stack(document, file, documents)
        if stack in found:
            raise PlanError(f"{file}: this is a second plan of the stack {stack}; give the plans of one deployment")
        found[stack] = read_plan(document, stack, synthesized=documents.get(stack))
    known = manifest.read(folder) if folder and (folder / manifest.FILE_NAME).exists() else None
    return Plans(tuple(found.values()), folder or Path(), known)


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise PlanError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        hint = "; this may be the plan itself: run `terraform show -json PLAN`" if file.suffix != ".json" else ""
        raise PlanError(f"{file}: is not JSON{hint}") from None


def _stack(document: Any, file: Path, documents: Mapping[str, Json]) -> str:
    """The stack that a plan is of: the one that the file is named after, else the one with the same resources."""
    name = file.name.partition(".")[0]
    if name in documents:
        return name
    planned = declared(document, name)
    same = [
        stack
        for stack, found in documents.items()
        if planned == {f"{kind}.{one}" for kind, named in found.get("resource", {}).items() for one in named}
    ]
    return same[0] if len(same) == 1 else name
