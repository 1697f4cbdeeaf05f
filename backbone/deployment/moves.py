"""The way of resources from one state to another, when the layout changes or a service or an account is renamed.

Nothing at AWS changes: only where Terraform keeps what it knows. Source of the commands: Terraform's documentation of
`terraform state mv`, `pull` and `push`; OpenTofu has the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backbone import manifest
from backbone.aws.names import BUSES
from backbone.errors import BackboneError
from backbone.manifest import Manifest
from backbone.system.terraform import documents

__all__ = ["Move", "Moves", "MovesError", "find_moves", "script"]

GROUPS = {"services": "services", "forwarding": "services", "accounts": "accounts"}
"""The first step of a construct's path below its stack, and what the second step is the name of."""


class MovesError(BackboneError):
    """The stacks are not two forms of one backbone."""


@dataclass(frozen=True)
class Move:
    """A resource on its way: the stack and address where it is, and those where it will be."""

    from_stack: str
    from_address: str
    to_stack: str
    to_address: str


@dataclass(frozen=True)
class Moves:
    """What moves, and what is in one of the two forms only: it will be destroyed, or created."""

    moves: tuple[Move, ...]
    destroyed: tuple[str, ...]
    created: tuple[str, ...]
    backends: Mapping[str, Any]
    """Where each old stack has its state, as its Terraform says; of new stacks in `new_backends`."""
    new_backends: Mapping[str, Any]

    @property
    def are_none(self) -> bool:
        """Whether everything stays where it is."""
        stays = all((one.from_stack, one.from_address) == (one.to_stack, one.to_address) for one in self.moves)
        return stays and self.backends == self.new_backends and not (self.destroyed or self.created)


def find_moves(old: Path, new: Path, services: Mapping[str, str]) -> Moves:
    """How resources of the stacks in a folder come into the stacks of another; `services` has new names by old ones.

    Renamed accounts are known by their ids. MovesError when the two are of different backbones.
    """
    before, after = manifest.read(old), manifest.read(new)
    _check(before, after, services)
    by_id = {account_id: name for name, account_id in after.accounts.items()}
    names = {
        "services": services,
        "accounts": {name: by_id[found] for name, found in before.accounts.items() if found in by_id},
    }
    ours, theirs = ({file.parent.name: found for file, found in documents(place).items()} for place in (old, new))
    here = {replace(what, path=_renamed(what.path, names)): place for what, place in _resources(ours)}
    there = dict(_resources(theirs))
    ways = {what: _new(what, here, there) for what in here}
    aside = {  # a stack must have it to destroy it, at an address that no other resource has
        what: (there[what.beside][0], f"{here[what][1]}{BUSES}")
        for what, new in ways.items()
        if new is None and what.is_of_buses and what.beside in there
    }
    return Moves(
        moves=tuple(
            Move(*here[what], *to) for what, new in ways.items() if (to := there[new] if new else aside.get(what))
        ),
        destroyed=tuple("/".join(here[what]) for what, new in ways.items() if new is None),
        created=tuple("/".join(place) for what, place in there.items() if what not in ways.values()),
        backends={stack: document["terraform"]["backend"] for stack, document in ours.items()},
        new_backends={stack: document["terraform"]["backend"] for stack, document in theirs.items()},
    )


def _check(before: Manifest, after: Manifest, services: Mapping[str, str]) -> None:
    if before.backbone != after.backbone:
        raise MovesError(f"move-layout: the old stacks are of {before.backbone!r}, the new ones of {after.backbone!r}")
    for old, new in services.items():
        if old not in before.services:
            raise MovesError(f"--service: got {old!r}; allowed: {', '.join(before.services)}")
        if new not in after.services:
            raise MovesError(f"--service: got {new!r} as a new name; allowed: {', '.join(after.services)}")


@dataclass(frozen=True)
class _What:
    """A resource by its type and path. What belongs to an account is there twice where its buses have a stack."""

    kind: str
    path: str
    is_of_buses: bool

    @property
    def beside(self) -> _What:
        """What its account has of the same in the other of two stacks."""
        return replace(self, is_of_buses=not self.is_of_buses)


_Places = Mapping[_What, tuple[str, str]]


def _new(what: _What, here: _Places, there: _Places) -> _What | None:
    """Which of the new resources an old one is: of an account's, the only one where it has no other."""
    if what in there:
        return what
    return what.beside if what.beside in there and what.beside not in here else None


def _resources(stacks: Mapping[str, Any]) -> Iterator[tuple[_What, tuple[str, str]]]:
    """Every resource with its stack and address."""
    for stack, document in stacks.items():
        for kind, named in document.get("resource", {}).items():
            for name, body in named.items():
                path = body["//"]["metadata"]["path"].partition("/")[2]
                is_of_buses = stack.endswith(BUSES) and path.startswith("accounts/")
                yield _What(kind, path, is_of_buses), (stack, f"{kind}.{name}")


def _renamed(path: str, names: Mapping[str, Mapping[str, str]]) -> str:
    group, *rest = path.split("/")
    named = GROUPS.get(group.partition("-")[0])  # forwarding-payments: from a global bus of that name
    if rest and named:
        rest[0] = names[named].get(rest[0], rest[0])
    return "/".join([group, *rest])


def script(moves: Moves, *, old: str, new: str, program: str) -> str:
    """A shell script that moves the states; `old` and `new` are folders of stacks, from where the script is run."""
    return "\n".join(_lines(moves, old, new, program)) + "\n"


def _lines(moves: Moves, old: str, new: str, program: str) -> Iterator[str]:
    yield "#!/bin/sh"
    yield "# Moves the states of a backbone. Nothing at AWS changes. Let nobody deploy while it runs."
    yield "# The states as they were stay in the folder: to go back, push them with `state push -force`."
    yield "set -eu"
    yield f"tf={shlex.quote(program)}"
    yield "umask 077   # states have secrets in them"
    yield 'work=$(pwd)/states-$(date +%Y%m%d-%H%M%S); mkdir "$work"'
    yield ""
    yield "move() {   # STATE ADDRESS STATE ADDRESS"
    yield '  if ! grep -qxF "$2" "$work/$1.list"; then echo "not in the state of $1: $2"; return; fi'
    yield '  set -- "$1" "$2" "$3" "$4" -state="$work/$1.tfstate" -backup="$work/backup"'
    yield "  # within a state without -state-out: as two states, the file would be written twice, and lose the resource"
    yield '  if [ "$1" != "$3" ]; then set -- "$@" -state-out="$work/$3.tfstate" -backup-out="$work/backup"; fi'
    yield '  from=$2 to=$4; shift 4; "$tf" state mv "$@" "$from" "$to"'
    yield "}"
    states = _States(moves)
    yield ""
    for folder in (*(f"{old}/stacks/{stack}" for stack in moves.backends), *_folders(moves, new)):
        yield f'"$tf" -chdir={shlex.quote(folder)} init -input=false'
    yield ""
    yield "# the states as they are"
    for name, folder in states.pulled(old, new):
        yield f'"$tf" -chdir={shlex.quote(folder)} state pull > "$work/{name}.tfstate"'
        yield f'if [ -s "$work/{name}.tfstate" ]; then'
        yield f'  "$tf" state list -state="$work/{name}.tfstate" > "$work/{name}.list"'
        yield f'  cp "$work/{name}.tfstate" "$work/{name}.before.tfstate"'
        yield f'else rm "$work/{name}.tfstate"; : > "$work/{name}.list"; fi'
    yield ""
    yield "# the moves"
    for move in moves.moves:
        one, other = states.old(move.from_stack), states.new(move.to_stack)
        if one != other or move.from_address != move.to_address:
            yield f"move {one} {shlex.quote(move.from_address)} {other} {shlex.quote(move.to_address)}"
    yield ""
    yield "# the states as they will be: the new ones first, so that nothing is ever in none"
    for name, folder in states.pushed(old, new):
        yield f'"$tf" -chdir={shlex.quote(folder)} state push "$work/{name}.tfstate"'
    yield ""
    yield "# outputs are not moved: this reads what is there and writes them, and changes nothing at AWS. Where nothing"
    yield "# but outputs differs, Terraform calls that a plan that it cannot apply: they come with the next deployment"
    for folder in _folders(moves, new):
        apply = "apply -refresh-only -auto-approve -input=false"
        yield f'"$tf" -chdir={shlex.quote(folder)} {apply} || echo "outputs are left"'


def _folders(moves: Moves, new: str) -> list[str]:
    return [f"{new}/stacks/{stack}" for stack in moves.new_backends]


class _States:
    """The states by names for their files: an old and a new stack may share a state."""

    def __init__(self, moves: Moves) -> None:
        self._moves = moves

    def old(self, stack: str) -> str:
        """The file of an old stack's state."""
        return f"old-{stack}"

    def new(self, stack: str) -> str:
        """The file of a new stack's state: that of the old stack with the same backend, if there is one."""
        backend = self._moves.new_backends[stack]
        same = [name for name, other in self._moves.backends.items() if other == backend]
        return f"old-{same[0]}" if same else f"new-{stack}"

    def pulled(self, old: str, new: str) -> Iterator[tuple[str, str]]:
        """Every state once, with a stack's folder to reach it from."""
        for stack in self._moves.backends:
            yield self.old(stack), f"{old}/stacks/{stack}"
        for stack in self._moves.new_backends:
            if self.new(stack).startswith("new-"):
                yield self.new(stack), f"{new}/stacks/{stack}"

    def pushed(self, old: str, new: str) -> Iterator[tuple[str, str]]:
        """Every state once: those that get resources come before those that lose them."""
        order: dict[str, str] = {}
        for stack in self._moves.new_backends:
            order[self.new(stack)] = f"{new}/stacks/{stack}"
        for stack in self._moves.backends:
            order.setdefault(self.old(stack), f"{old}/stacks/{stack}")
        yield from order.items()
