"""`backbone lock`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.cli import completion
from backbone.cli.app import AsJson, app, errors, load_topology
from backbone.cli.development import print_files
from backbone.errors import BackboneError

__all__ = ["lock"]


@app.command()
def lock(
    services: Annotated[
        list[str] | None,
        typer.Argument(help="Services by name.", show_default="all", autocompletion=completion.services),
    ] = None,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Take newer versions where there are any.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lock the packages that services need, and fetch them for Lambda and for this machine.

    A service's module names them in requirements.txt; requirements.lock beside it then has the exact versions with
    their hashes, and `backbone synth` packs them. Run it again on another machine to fetch what is locked.
    """
    from backbone.development.lock import lock as lock_packages
    from backbone.locked import REQUIREMENTS_FILE
    from backbone.sources import folder_of
    from backbone.topology import find

    found = file or find(Path())
    topology = load_topology(found)
    modules = {name: service.module for name, service in topology.services.items() if service.module}
    for name in services or ():
        if name not in modules:
            raise BackboneError(f"lock: got {name!r}; allowed: a service with a module: {', '.join(sorted(modules))}")
    folders = {name: folder_of(module) for name, module in modules.items() if name in (services or modules)}
    wanting = {name: folder for name, folder in folders.items() if (folder / REQUIREMENTS_FILE).is_file()}
    for name in services or ():
        if name not in wanting:
            raise BackboneError(f"lock: {name} has no {REQUIREMENTS_FILE} in {folders[name]}; name its packages there")
    written = []
    for name, folder in wanting.items():
        with errors.status(f"Locking the packages of {name}"):
            written.append(lock_packages(folder, found.absolute().parent, upgrade=upgrade))
    print_files(written, as_json)
