"""`backbone validate` and `backbone synth`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from backbone.cli.app import File, app, errors, load_topology, new_table, output

__all__ = ["synth", "validate"]


@app.command()
def validate(file: File = None) -> None:
    """Say everything that is wrong with the file, and what to know about it."""
    from backbone.topology import find

    path = file or find(Path())
    topology = load_topology(path)
    services, accounts = len(topology.services), len(topology.accounts_in_use)
    output.print(f"{path}: valid: {services} services in {accounts} accounts", soft_wrap=True)


@app.command()
def synth(
    file: File = None,
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write.", show_default="cdktf.out beside the file"),
    ] = None,
) -> None:
    """Write the Terraform of every stack."""
    from backbone.system.reader import read
    from backbone.topology import find, output_folder

    path = file or find(Path())
    topology = load_topology(path)
    with errors.status("Loading the AWS bindings (the first time they are unpacked: some 10 s more)") as status:
        from backbone.synthesis import output as application

        status.update(f"Synthesizing {len(topology.services)} services")
        written = folder or output_folder(path)
        stacks = application.synth(topology, written)
        findings = read(written).findings
    table = new_table("stack", "account", "resources", "file")
    for stack in stacks:
        for account, kinds in sorted(application.count_resources(stack).items()):
            table.add_row(stack.name, account, _by_type(kinds), str(stack.file))
    output.print(table)
    for finding in findings:
        errors.print(f"{finding.severity}: {finding}", style="red", soft_wrap=True)
    raise typer.Exit(1 if any(finding.severity == "error" for finding in findings) else 0)


def _by_type(kinds: Counter[str]) -> str:
    if not kinds:
        return "0: apply it to destroy what was there"
    names = ((kind.removeprefix("aws_").removeprefix("cloudwatch_"), count) for kind, count in kinds.items())
    each = ", ".join(f"{name}:{count}" for name, count in sorted(names))
    return f"{kinds.total()}: {each}"
