"""`backbone add-subscription` and `backbone add-account`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.cli import completion
from backbone.cli.app import AsJson, app, errors
from backbone.cli.development import print_files

__all__ = ["account", "subscription"]

MainFile = Annotated[
    Path | None,
    typer.Option(
        "--file", help="The file that declares the backbone.", show_default="$BACKBONE_FILE, else backbone.yaml here"
    ),
]


@app.command("add-subscription")
def subscription(
    service: Annotated[
        str, typer.Argument(help="The service that is to receive it.", autocompletion=completion.services)
    ],
    detail_type: Annotated[str, typer.Argument(help="The detail-type, such as Order.Created.")],
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="The only source to receive it from; repeatable.", show_default="every source"),
    ] = None,
    buses: Annotated[
        list[str] | None,
        typer.Option("--bus", help="A global bus for the service to be on as well; repeatable.", show_default="none"),
    ] = None,
    file: MainFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a service receive a detail-type: add it to `subscribes` in the file that declares the service.

    All else in the file stays as it is. When anything is wrong, nothing is written.
    """
    from backbone.development.additions import add_subscription, lines_to_add
    from backbone.topology import find

    main = file or find(Path())
    written, warnings = add_subscription(main, service, detail_type, sources or (), buses or ())
    for warning in warnings:
        errors.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    print_files([written], as_json)
    if (code := lines_to_add(main, service, detail_type)) is not None:
        errors.print(f"next: subscribe to it in {code.file}, then run `backbone diff`", soft_wrap=True)
        for line in code.lines:
            errors.print(f"  {line}", soft_wrap=True)
        if len(code.lines) > 1:
            errors.print("(one of these lines, by what is to receive it)")
    else:
        errors.print("next: run `backbone diff`")


@app.command("add-account")
def account(
    name: Annotated[str, typer.Argument(help="What the file is to call the account.")],
    ids: Annotated[
        list[str],
        typer.Option("--id", help="The account's id; or ENVIRONMENT=ID, repeatable.", metavar="[ENVIRONMENT=]ID"),
    ],
    deploy_role: Annotated[
        str | None, typer.Option(help="The role that deploys there.", show_default="that of all other accounts")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="The profile that deploys there, in place of a role.")] = None,
    file: MainFile = None,
    as_json: AsJson = False,
) -> None:
    """Add an account to the file.

    All else in the file stays as it is. When anything is wrong, nothing is written.
    """
    from backbone.development.additions import NewAccount, add_account
    from backbone.topology import find

    print_files(add_account(file or find(Path()), NewAccount(name, ids, deploy_role, profile)), as_json)
    errors.print("next: declare a service in it, or run `backbone new-service`")
