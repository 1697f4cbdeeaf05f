"""`backbone new-service` and `backbone schemas`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.cli.app import AsJson, File, app, errors, load_topology, output, print_json

__all__ = ["add_service", "write_schemas"]


@app.command("new-service")
def add_service(
    name: Annotated[str, typer.Argument(help="The name of the service, such as invoice-service.")],
    account: Annotated[str, typer.Option(help="The account that the service lives in, by its name in the file.")],
    account_id: Annotated[
        str | None, typer.Option(help="The id of the account, if the file does not have it yet.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="The file that declares the backbone.", show_default="$BACKBONE_FILE, else backbone.yaml here"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a service that works.

    Writes its module, a test, and its entry in the file: all of them, or nothing when something is wrong.
    """
    from backbone.development import scaffold
    from backbone.topology import find

    _print_files(scaffold.new_service(file or find(Path()), name, account=account, account_id=account_id), as_json)
    errors.print("next: run `backbone schemas`, then `backbone synth`")


@app.command("schemas")
def write_schemas(
    file: File = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file differs from its model.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the JSON Schemas of published events.

    They go into `schemas/` beside the modules of the services. The exit status is 1, and nothing is written, when a
    change would break consumers: give the event a new version.
    """
    from backbone.development import schemas
    from backbone.sources import folder_of
    from backbone.topology import find

    services = load_topology(file or find(Path())).services.values()
    models = {
        folder_of(service.module) / "schemas": schemas.published(service.module)
        for service in services
        if service.module
    }
    files = schemas.check(models) if check else schemas.export(models)
    if check and not as_json:
        output.print(f"{len(files)} schemas match their models")
    else:
        _print_files(files, as_json)


def _print_files(files: list[Path], as_json: bool) -> None:
    if as_json:
        print_json([str(file) for file in files])
    else:
        for file in files:
            output.print(str(file), soft_wrap=True)
