"""The order to deploy stacks in: in waves, each of stacks that need not wait for each other."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from backbone.manifest import Manifest, ManifestError, ManifestStack

__all__ = ["waves"]


def waves(manifest: Manifest) -> tuple[tuple[ManifestStack, ...], ...]:
    """The stacks in waves: each stack comes in the first wave that is after all stacks that it depends on.

    To destroy, take them from the last to the first. ManifestError when stacks wait for each other, or for a stack that
    is not there.
    """
    by_name = {stack.name: stack for stack in manifest.stacks}
    for stack in manifest.stacks:
        for name in stack.depends_on:
            if name not in by_name:
                raise ManifestError(f"stack {stack.name}: depends_on: got {name!r}; allowed: {', '.join(by_name)}")
    sorter = TopologicalSorter({stack.name: stack.depends_on for stack in manifest.stacks})
    try:
        sorter.prepare()
    except CycleError as error:
        circle: Sequence[str] = error.args[1]
        raise ManifestError(f"the stacks {', '.join(circle)} wait for each other; run `backbone synth`") from None
    found = []
    while ready := sorter.get_ready():
        found.append(tuple(stack for stack in manifest.stacks if stack.name in ready))
        sorter.done(*ready)
    return tuple(found)
