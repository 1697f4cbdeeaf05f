"""`backbone bootstrap`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.cli.app import AsJson, StacksFolder, app, output, print_json
from backbone.cli.stacks import NoSynth, current

__all__ = ["bootstrap"]


@app.command()
def bootstrap(
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder to write.", show_default="bootstrap beside the file"),
    ] = None,
    backend: Annotated[
        bool, typer.Option("--backend", help="Keep the states of these stacks in the bucket too, once it is there.")
    ] = False,
    with_stack_set: Annotated[
        bool,
        typer.Option(
            "--stack-set", help="Also write a CloudFormation template that does it for whole organizational units."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the Terraform that lets a pipeline deploy: roles, their boundary, and the bucket for the states.

    Apply it with an administrator's credentials, the pipeline's stack first and then each account's. Write and apply it
    again when `backbone check` says so.
    """
    from backbone.deployment.bootstrap.facts import Facts
    from backbone.deployment.bootstrap.stacks import write, write_stack_set
    from backbone.manifest import bootstrap_folder

    place = current(stacks, no_synth=no_synth)
    facts, target = Facts.read(place), folder or bootstrap_folder(place)
    written = write(facts, target, backend=backend)
    if with_stack_set:
        written.append(write_stack_set(facts, target))
    if as_json:
        print_json([str(path) for path in written])
    else:
        for path in written:
            output.print(str(path), soft_wrap=True)
