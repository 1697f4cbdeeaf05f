"""From a topology to the Terraform JSON of all its stacks."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from backbone.cdk import App
from backbone.stacks import add_stacks
from backbone.topology import FILE_NAME, Topology

__all__ = ["Stack", "build", "output_folder", "synth"]


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: the JSON is in `file`."""

    name: str
    file: Path


def build(app: App, topology: Topology) -> list[str]:
    """Give the app all stacks of a backbone; returns their names in the order to deploy them."""
    return add_stacks(app, topology)


def output_folder(file: Path) -> Path:
    """Where the stacks of a file go: `cdktf.out` beside it, or `cdktf.prod.out` for a `prod.yaml`.

    The CDKTF command line decides instead where it runs the program: it says so by CDKTF_OUTDIR.
    """
    if given := os.environ.get("CDKTF_OUTDIR"):
        return Path(given)
    return file.parent / ("cdktf.out" if file.name == FILE_NAME else f"cdktf.{file.stem}.out")


def synth(topology: Topology, folder: Path) -> list[Stack]:
    """Write the stacks into a folder, in the order to deploy them.

    The JSON of a stack that the topology no longer has is removed; other files beside it stay.
    """
    app = App(outdir=str(folder))
    names = build(app, topology)
    app.synth()
    stacks = [Stack(name, folder / "stacks" / name / "cdk.tf.json") for name in names]
    written = {one.file for one in stacks}
    for stale in (folder / "stacks").glob("*/cdk.tf.json"):
        if stale not in written:
            stale.unlink()
    return stacks


def resources(stack: Stack) -> dict[str, dict[str, dict[str, object]]]:
    """The resources of a synthesized stack, by type and name."""
    found: dict[str, dict[str, dict[str, object]]] = json.loads(stack.file.read_text()).get("resource", {})
    return found
