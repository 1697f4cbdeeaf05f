"""`backbone move-layout`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from backbone.cli.app import AsJson, app, errors, load_topology, output, print_json
from backbone.errors import BackboneError

__all__ = ["move_layout"]


@app.command()
def move_layout(
    service: Annotated[
        list[str] | None, typer.Option(help="A service that was renamed, as OLD=NEW; repeatable.", metavar="OLD=NEW")
    ] = None,
    old: Annotated[
        Path | None,
        typer.Option("--from", help="The stacks as they are deployed.", show_default="the output folder of the file"),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here")
    ] = None,
    program: Annotated[str, typer.Option(help="The program that the steps call.")] = "terraform",
    as_json: AsJson = False,
) -> None:
    """Write the steps that move states after a change of `layout`, or a renamed account or service.

    Change the file first, and run this before any command that synthesizes. Accounts are known by their ids. Nothing
    at AWS changes: the script moves what Terraform knows of resources from the states where it is to those where it
    belongs. The exit status is 1 when something would be created or destroyed all the same.
    """
    from backbone.deployment.moves import find_moves, script
    from backbone.synthesis.output import synth
    from backbone.topology import find, output_folder

    path = file or find(Path())
    here = old or output_folder(path)
    there = here.with_name(f"{here.stem}.moved.out")
    renamed = dict(_renamed(entry) for entry in service or ())
    with errors.status("Synthesizing the stacks as they will be"):
        synth(load_topology(path), there)
    moves = find_moves(here, there, renamed)
    if moves.are_none:
        raise BackboneError(
            f"move-layout: the stacks in {here} are already what the file says, so that nothing moves; if they were "
            "synthesized after the change, take the sources as they were deployed (such as `git stash`), run "
            "`backbone synth --output deployed`, take the new ones again, and give --from deployed"
        )
    steps = there / "move.sh"
    steps.write_text(script(moves, old=str(here), new=str(there), program=program), encoding="utf-8")
    if as_json:
        each = [
            {"from": [move.from_stack, move.from_address], "to": [move.to_stack, move.to_address]}
            for move in moves.moves
        ]
        print_json({"script": str(steps), "moves": each, "destroyed": moves.destroyed, "created": moves.created})
    else:
        output.print(f"{steps}: moves {len(moves.moves)} resources", soft_wrap=True)
        for word, ids in (("destroyed", moves.destroyed), ("created", moves.created)):
            for resource in ids:
                output.print(f"{resource} will be {word}: it is in one of the two only", style="yellow", soft_wrap=True)
        final = output_folder(path)
        gone = shlex.join(str(each) for each in dict.fromkeys((here, final)))
        made = shlex.join((str(there), str(final)))
        output.print(f"run: sh {shlex.quote(str(steps))}", soft_wrap=True)
        output.print(f"then: rm -r {gone} && mv {made} && backbone deploy --plan-only", soft_wrap=True)
    raise typer.Exit(1 if moves.destroyed or moves.created else 0)


def _renamed(entry: str) -> tuple[str, str]:
    old, separator, new = entry.partition("=")
    if not (old and separator and new):
        raise BackboneError(f"--service: got {entry!r}; allowed: OLD=NEW, as in order-service=orders")
    return old, new
