"""From a topology to the Terraform JSON of all its stacks."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backbone.cdk import App
from backbone.errors import BackboneError
from backbone.synthesis.stacks import ASSETS, add_stacks
from backbone.topology import Topology

__all__ = ["Stack", "count_resources", "synth"]


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: the JSON is in `file`."""

    name: str
    file: Path


def synth(topology: Topology, folder: Path) -> list[Stack]:
    """Write the stacks into a folder, in the order to deploy them.

    What a stack that the topology no longer has left there is removed; other files beside it stay.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackboneError(f"{folder}: cannot be written: {error.strerror}; name another folder") from None
    app = App(outdir=str(folder))
    made = add_stacks(app, topology)
    app.synth()
    stacks = [Stack(name, folder / "stacks" / name / "cdk.tf.json") for name in made]
    assets = {
        folder / "stacks" / name / path: content for name, files in made.items() for path, content in files.items()
    }
    for path, content in assets.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    written = {one.file for one in stacks} | assets.keys()
    for pattern in ("*/cdk.tf.json", f"*/{ASSETS}/*.zip"):
        for stale in set((folder / "stacks").glob(pattern)) - written:
            stale.unlink()
    return stacks


def count_resources(stack: Stack) -> dict[str, Counter[str]]:
    """How many resources of which type a synthesized stack has, by the account of their provider."""
    found: dict[str, Counter[str]] = {}
    for kind, named in json.loads(stack.file.read_text(encoding="utf-8")).get("resource", {}).items():
        for body in named.values():
            account = body["provider"].removeprefix("aws.")
            found.setdefault(account, Counter())[kind] += 1
    return found
