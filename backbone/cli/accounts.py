"""`backbone adopt` and `backbone accounts`: what exists at AWS already."""

from __future__ import annotations

from typing import Annotated

import typer

from backbone.cli.app import AsJson, StacksFolder, app, errors, output, print_json
from backbone.cli.stacks import NoSynth, current
from backbone.errors import BackboneError

__all__ = ["accounts", "adopt"]


@app.command()
def adopt(stacks: StacksFolder = None, no_synth: NoSynth = False, as_json: AsJson = False) -> None:
    """Write import blocks for what the stacks make and AWS has already.

    Buses with their policies, rules and targets, archives, log groups, queues and roles are looked for by name, with
    the credentials that Terraform would use. Nothing at AWS changes; the next plan shows what it imports.
    """
    from backbone.deployment import adopt as adoption

    folder = current(stacks, no_synth=no_synth)
    with errors.status("Asking AWS"):
        found = adoption.adopt(folder)
    files = adoption.write(found, folder)
    for warning in found.warnings:
        errors.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    if as_json:
        print_json([{"stack": one.stack, "to": one.address, "id": one.id} for one in found.found])
        return
    for one in found.found:
        output.print(f"{one.stack}: {one.address} is {one.id}", soft_wrap=True)
    for file in files:
        output.print(f"written: {file}", soft_wrap=True)
    if not files:
        output.print("nothing of the stacks exists yet")


@app.command()
def accounts(
    from_organization: Annotated[
        bool, typer.Option("--from-organization", help="List the accounts of AWS Organizations.")
    ] = False,
    unit: Annotated[
        list[str] | None,
        typer.Option("--ou", help="Only those beneath this organizational unit, by its id; repeatable.", metavar="ID"),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only those with this tag; repeatable.", metavar="KEY=VALUE")
    ] = None,
    deploy_role: Annotated[str | None, typer.Option(help="The deploy role to write for each.")] = None,
    profile: Annotated[str | None, typer.Option(help="The profile whose credentials to use.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print accounts as the file has them, to copy from.

    Only the management account of an organization and delegated administrators may list its accounts.
    """
    import boto3

    from backbone.deployment.accounts import as_yaml, of_organization

    if not from_organization:
        raise BackboneError("accounts: say where from; allowed: --from-organization")
    found = of_organization(
        boto3.Session(profile_name=profile), units=tuple(unit or ()), tags=dict(map(_tag, tag or ()))
    )
    if as_json:
        print_json({account.name: account.id for account in found})
    else:
        output.print(as_yaml(found, deploy_role=deploy_role), soft_wrap=True, end="")


def _tag(entry: str) -> tuple[str, str]:
    key, separator, value = entry.partition("=")
    if not key or not separator:
        raise BackboneError(f"--tag: got {entry!r}; allowed: KEY=VALUE")
    return key, value
