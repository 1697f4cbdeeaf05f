"""`backbone new-service` and `backbone schemas`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.cli.app import File, app, errors, load_topology, output

__all__ = ["add_service", "write_schemas"]


@app.command("new-service")
def add_service(
    name: Annotated[str, typer.Argument(help="The service's name, such as invoice-service.")],
    account: Annotated[str, typer.Option(help="The account that it lives in, by its name in the file.")],
    account_id: Annotated[
        str | None, typer.Option(help="The id of an account that the file does not have yet.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
    ] = None,
) -> None:
    """Write a service that works: its module, a test, and its entry in the file."""
    from backbone.development import scaffold
    from backbone.topology import find

    for written in scaffold.new_service(file or find(Path()), name, account=account, account_id=account_id):
        output.print(str(written), soft_wrap=True)
    errors.print("next: backbone schemas, then backbone synth")


@app.command("schemas")
def write_schemas(
    file: File = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where a file differs from its model.")
    ] = False,
) -> None:
    """Write the JSON Schemas of the events that the modules of services publish, beside the modules.

    A change that would break consumers is refused: the event then needs a new version.
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
    if check:
        output.print(f"{len(schemas.check(models))} schemas are those of their models")
        return
    for written in schemas.export(models):
        output.print(str(written), soft_wrap=True)
