"""What all commands share: the Typer app, options, consoles and how errors end a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.topology import Topology

__all__ = ["File", "StacksFolder", "about", "app", "errors", "exit_on_error", "load_topology", "output", "read_bytes"]

app = typer.Typer(
    help="The event backbone of many AWS accounts, from one file to Terraform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
output = Console(highlight=False, markup=False, emoji=False)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)

File = Annotated[
    Path | None,
    typer.Argument(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
]
StacksFolder = Annotated[
    Path | None,
    typer.Option("--stacks", "-s", help="The synthesized stacks.", show_default="those of the file here"),
]


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print a user's mistake without a traceback, and exit with status 2."""
    try:
        yield
    except BackboneError as error:
        for line in str(error).splitlines():
            errors.print(f"error: {line}", style="red", soft_wrap=True)
        sys.exit(2)


@app.callback()
def _backbone() -> None:
    """Keep the commands by name, however few they are."""


def load_topology(path: Path) -> Topology:
    """The backbone that a file declares, after printing its warnings."""
    from backbone.topology import load

    sys.path.insert(0, str(path.parent.resolve()))  # where the modules of its services are
    topology = load(path)
    for warning in topology.warnings:
        errors.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    return topology


def read_bytes(file: Path) -> bytes:
    """The content of a file, or of stdin for `-`."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BackboneError(f"{file}: cannot be read: {error.strerror}; name a file, or - for stdin") from None


@contextmanager
def about(file: Path) -> Iterator[None]:
    """Put the name of a file before each line that says what is wrong with its content."""
    try:
        yield
    except BackboneError as error:
        raise BackboneError("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None
