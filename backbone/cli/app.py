"""What all commands share: the Typer app, options, consoles and how errors end a command."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from backbone.cli import completion
from backbone.errors import BackboneError, MachineError
from backbone.sources import ENVIRONMENT_VARIABLE

if TYPE_CHECKING:
    from rich.table import Table

    from backbone.topology import Topology

__all__ = [
    "AsJson",
    "File",
    "StacksFolder",
    "about",
    "app",
    "errors",
    "exit_on_error",
    "load_topology",
    "new_table",
    "output",
    "print_json",
    "print_table",
    "read_bytes",
    "wide_output",
]

Command = TypeVar("Command", bound=Callable[..., Any])
Environment = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        help="The environment of the file.",
        show_default="$BACKBONE_ENV",
        autocompletion=completion.environments,
    ),
]


class _Commands(typer.Typer):
    """The commands. Each takes `--env`, since all of them read the file, or the stacks, of an environment."""

    def command(self, *args: Any, **options: Any) -> Callable[[Command], Command]:
        """Add a command."""
        register = super().command(*args, **options)

        def add(function: Command) -> Command:
            if "env" in inspect.signature(function).parameters:  # it has the option in a form of its own
                register(function)
                return function

            @functools.wraps(function)
            def run(*values: Any, env: str | None, **named: Any) -> Any:
                if env is not None:
                    os.environ[ENVIRONMENT_VARIABLE] = env
                return function(*values, **named)

            signature = inspect.signature(function, eval_str=True)
            option = inspect.Parameter("env", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Environment)
            run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
            register(run)
            return function

        return add


app = _Commands(
    help="A cross-account event backbone on Amazon EventBridge, from one file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
MACHINE_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
)
"""The error numbers of what a machine lacks or refuses, wherever it happens; others may be bugs."""

NARROW = 60
"""Columns of a terminal in which cells of tables become unreadable."""

output = Console(highlight=False, markup=False, emoji=False)
wide_output = Console(highlight=False, markup=False, emoji=False, width=1_000)
"""For lines at their full length: a terminal wraps them, and nothing is cut off."""
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)

File = Annotated[
    Path | None,
    typer.Argument(help="The file that declares the backbone.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
StacksFolder = Annotated[
    Path | None,
    typer.Option("--stacks", "-s", help="The folder of the synthesized stacks.", show_default="that of the file here"),
]


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print errors that are no bugs without a traceback, and exit with their status; 130 after Ctrl-C."""
    try:
        yield
    except BackboneError as error:
        _exit(str(error), error.exit_status)
    except OSError as error:
        if error.errno not in MACHINE_ERRORS:
            raise
        where = f"{error.filename}: " if error.filename else ""
        _exit(f"{where}{error.strerror}", MachineError.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)


def _exit(words: str, status: int) -> None:
    for line in words.splitlines():
        errors.print(f"error: {line}", style="red", soft_wrap=True)
    sys.exit(status)


def _print_version(wanted: bool) -> None:
    if wanted:
        from backbone.version import __version__

        output.print(f"backbone {__version__}")
        raise typer.Exit


@app.callback()
def _backbone(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The options that come before the name of a command."""


def load_topology(path: Path, environment: str | None = None) -> Topology:
    """The backbone that a file declares, after printing its warnings."""
    from backbone.topology import load

    sys.path.insert(0, str(path.parent.resolve()))  # where the modules of its services are
    topology = load(path, environment=environment)
    for warning in topology.warnings:
        errors.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    return topology


def print_json(data: object) -> None:
    """Print values as JSON, in ASCII where the terminal's encoding has nothing else."""
    output.print_json(data=data, ensure_ascii=not output.encoding.startswith("utf"))


def new_table(*headers: str) -> Table:
    """A table that cuts nothing off."""
    from rich.table import Table

    table = Table(show_lines=True)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table: as wide as it is where nobody reads it in a terminal, and as lines in a narrow one."""
    if not output.is_terminal and "COLUMNS" not in os.environ:
        wide_output.print(table)
    elif output.width >= NARROW:
        output.print(table)
    else:
        for row in zip(*(column.cells for column in table.columns), strict=True):
            for column, cell in zip(table.columns, row, strict=True):
                output.print(f"{column.header}: {cell}", soft_wrap=True)
            output.print()


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
