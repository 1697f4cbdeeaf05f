"""`backbone match`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import StacksFolder, app, errors, output, read_bytes
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from rich.table import Table

    from backbone.system.rules import Rule

__all__ = ["match"]


@app.command()
def match(
    event: Annotated[Path, typer.Option("--event", "-e", help="A file with the event's JSON; - reads it from stdin.")],
    pattern: Annotated[
        Path | None,
        typer.Option("--pattern", "-p", help="A file with one pattern's JSON, or -.", show_default="every rule"),
    ] = None,
    stacks: StacksFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether an event matches a pattern and why, or else which rules of the synthesized buses it matches.

    The exit status is 0 for a match, 1 for none.
    """
    from backbone.patterns import Pattern, as_event
    from backbone.system import rules, terraform
    from backbone.topology import find, output_folder

    if pattern is not None and str(pattern) == str(event) == "-":
        raise BackboneError("--pattern and --event are both -; allowed: one of them, and a file for the other")
    with _about(event):
        given = as_event(read_bytes(event))
    if pattern is None:
        with errors.status("Reading the stacks"):
            found = rules.matching(rules.read(terraform.load(stacks or output_folder(find(Path())))), given)
        if as_json:
            output.print_json(data=[_rule_as_json(rule) for rule in found])
        else:
            output.print(_rule_table(found) if found else "no rule matches")
        raise typer.Exit(0 if found else 1)
    with _about(pattern):
        explanation = Pattern.parse(read_bytes(pattern)).explain(given)
    if as_json:
        output.print_json(data=explanation.as_dict())
    else:
        output.print(str(explanation), soft_wrap=True)
    raise typer.Exit(0 if explanation else 1)


@contextmanager
def _about(file: Path) -> Iterator[None]:
    """Put the name of a file before what is wrong with its content."""
    from backbone.patterns import PatternError

    try:
        yield
    except PatternError as error:
        raise BackboneError(f"{file}: {error}") from None


def _rule_as_json(rule: Rule) -> dict[str, object]:
    return {
        "bus": rule.bus,
        "account": rule.account,
        "rule": rule.name,
        "address": rule.address,
        "targets": list(rule.targets),
    }


def _rule_table(found: list[Rule]) -> Table:
    from rich.table import Table

    table = Table("account", show_lines=True)
    for column in ("bus", "rule", "targets"):
        table.add_column(column, overflow="fold")
    for rule in found:
        table.add_row(rule.account, rule.bus.rpartition("/")[2], rule.name, "\n".join(rule.targets))
    return table
