"""`backbone handover`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from backbone.cli import completion
from backbone.cli.app import AsJson, app, errors, load_topology
from backbone.cli.development import Language, print_files

__all__ = ["To", "handover"]


class To(Enum):
    """What the events of a service go to."""

    FUNCTION = "function"
    QUEUE = "queue"


@app.command()
def handover(
    service: Annotated[
        str, typer.Argument(help="The name of the service in the file.", autocompletion=completion.services)
    ],
    folder: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into.")],
    to: Annotated[To, typer.Option(help="What of the team's own gets the events.")] = To.FUNCTION,
    models: Annotated[Language, typer.Option(help="The language of the events' types.")] = Language.PYTHON,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a team needs to deploy a service from a repository of its own.

    A Terraform module, the names of the buses, types of the events, sample events, and a test with the simulator: all
    of it, or nothing when something is wrong.
    """
    from backbone.topology import find

    topology = load_topology(file or find(Path()))
    with errors.status("Loading the AWS bindings; unpacking them, the first time only, takes about 10 s"):
        from backbone.development.handover import hand_over

        written = hand_over(topology, service, folder, to=to.value, language=models.value, force=force)
    print_files(written, as_json)
    errors.print(f"next: give {folder} to the team; its README.md says how to use it", soft_wrap=True)
