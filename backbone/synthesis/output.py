"""From a topology to the Terraform JSON of all its stacks."""

from __future__ import annotations

import errno
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backbone import manifest
from backbone.aws.names import BUSES
from backbone.cdk import App
from backbone.errors import BackboneError, MachineError
from backbone.manifest import Manifest, ManifestError
from backbone.synthesis.declared import manifest_of
from backbone.synthesis.replace import replacing
from backbone.synthesis.stacks import ASSETS, BackboneStack, add_stacks
from backbone.topology import Topology

__all__ = ["Stack", "count_resources", "synth"]

OURS = ("stacks/*/cdk.tf.json", f"stacks/*/{ASSETS}/*.zip")
NODE_ERROR = re.compile(r"\b(E[A-Z]+): ([^,\n]+)")


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: the JSON is in `file`."""

    name: str
    file: Path


def synth(topology: Topology, folder: Path) -> list[Stack]:
    """Write the stacks into a folder, in the order to deploy them, and the manifest beside them.

    What a stack that the topology no longer has left there is removed; other files beside it stay. When anything
    fails, all files are what they were. BackboneError when the folder cannot be written, when a module fails, or
    when an account left the topology that the folder's stacks have services in.
    """
    with _writing(folder), replacing(folder, ours=OURS, last=manifest.FILE_NAME) as new:
        _refuse_to_forget(topology, folder)
        _refuse_to_forget_buses(topology, folder)
        app = App(outdir=str(new.absolute()))
        made = add_stacks(app, topology)
        app.synth()
        _write_files(new, made)
        manifest.write(manifest_of(topology, made), new)
    return [Stack(name, folder / "stacks" / name / "cdk.tf.json") for name in made]


def _write_files(folder: Path, stacks: Mapping[str, BackboneStack]) -> None:
    for name, stack in stacks.items():
        for path, package in stack.files.items():
            file = folder / "stacks" / name / path
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(package.content)


def _refuse_to_forget(topology: Topology, folder: Path) -> None:
    """BackboneError when an account with services left the topology: nothing could destroy its resources any more."""
    try:
        before = manifest.read(folder)
    except ManifestError:
        return  # nothing is known of what was there, and the manifest is about to be written anew
    left = sorted(_in_use(before) - topology.accounts.keys()) if before.backbone == topology.name else []
    if left:
        names = ", ".join(map(repr, left))
        raise BackboneError(
            f"accounts: {names} left the file, but the stacks in {folder} have resources there, which no stack could "
            f"destroy any more. Put {names} back under accounts, without services; synth and apply: that destroys "
            f"them. Then take {names} out. If nothing was ever applied there, delete {folder} and synth again"
        )


def _refuse_to_forget_buses(topology: Topology, folder: Path) -> None:
    """BackboneError when a stack of global buses would go, of which nothing is in the file any more."""
    try:
        before = manifest.read(folder)
    except ManifestError:
        return  # nothing is known of what was there
    if (before.backbone, before.layout) != (topology.name, topology.layout):
        return
    here = {f"{hub.account}{BUSES}" for hub in topology.hubs.values() if hub.is_further}
    for name in (stack.name for stack in before.stacks if stack.name.endswith(BUSES) and stack.name not in here):
        stack = folder / "stacks" / name
        raise BackboneError(
            f"buses: the last bus of the stack {name} left the file, and no stack could destroy it any more. Destroy "
            f"it first, by `terraform -chdir={stack} destroy`; then delete {stack.parent.parent} and synth again"
        )


def _in_use(before: Manifest) -> set[str]:
    own = {hub.account for hub in before.buses if hub.account and hub.policy is None}
    return own | {service.account for service in before.services.values()}


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raise what the file system refuses, to Python or to Node, as a MachineError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
    except RuntimeError as error:
        found = NODE_ERROR.search(str(error))
        if found is None or not hasattr(errno, found[1]):
            raise
        reason = found[2]
    else:
        return
    raise MachineError(
        f"{folder}: cannot be written: {reason}; nothing in it was changed. Make room for it, or name another folder"
    )


def count_resources(stack: Stack) -> dict[str, Counter[str]]:
    """How many resources of which type a synthesized stack has, by the account of their provider."""
    document = json.loads(stack.file.read_text(encoding="utf-8"))
    found: dict[str, Counter[str]] = {provider["alias"]: Counter() for provider in document["provider"]["aws"]}
    for kind, named in document.get("resource", {}).items():
        for body in named.values():
            found[body["provider"].removeprefix("aws.")][kind] += 1
    return found
