"""The command `backbone`: parses, calls and prints."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backbone import BackboneError
from backbone.source import Problem
from backbone.topology import Topology, find, load

__all__ = ["app", "exit_on_error", "main"]

app = typer.Typer(
    help="The event backbone of many AWS accounts, from one file to Terraform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
output = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

File = Annotated[
    Path | None,
    typer.Argument(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
]


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print a user's mistake without a traceback, and exit with status 2."""
    try:
        yield
    except BackboneError as error:
        for line in str(error).splitlines():
            errors.print(f"error: {line}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)


@app.callback()
def _backbone() -> None:
    """Keep the commands by name, however few they are."""


@app.command()
def validate(file: File = None) -> None:
    """Say everything that is wrong with the file, and what to know about it."""
    path = file or find(Path())
    topology = _load(path)
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
    path = file or find(Path())
    topology = _load(path)
    with errors.status("Loading the AWS bindings (the first time they are unpacked: some 10 s more)") as status:
        # Imported here, so that commands that do without the bindings start at once.
        from backbone import app as application

        status.update(f"Synthesizing {len(topology.services)} services")
        stacks = application.synth(topology, folder or application.output_folder(path))
    table = Table("stack", "account", "resources", show_lines=True)
    table.add_column("file", overflow="fold")
    for stack in stacks:
        for account, kinds in sorted(application.count_resources(stack).items()):
            table.add_row(stack.name, account, _by_type(kinds), str(stack.file))
    output.print(table)


def main() -> None:
    """Run the command; a user's mistake ends with status 2."""
    with exit_on_error():
        app()


def _load(path: Path) -> Topology:
    topology = load(path)
    for warning in topology.warnings:
        _warn(warning)
    return topology


def _warn(problem: Problem) -> None:
    errors.print(f"warning: {problem}", style="yellow", markup=False, soft_wrap=True)


def _by_type(kinds: Counter[str]) -> str:
    names = ((kind.removeprefix("aws_").removeprefix("cloudwatch_"), count) for kind, count in kinds.items())
    each = ", ".join(f"{name}:{count}" for name, count in sorted(names))
    return f"{kinds.total()}: {each}"
