"""`backbone match`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backbone.cli.app import StacksFolder, about, app, errors, new_table, output, read_bytes
from backbone.cli.stacks import NoSynth, current
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from rich.table import Table

    from backbone.patterns import Explanation
    from backbone.system.model import Rule

__all__ = ["match"]


@app.command()
def match(
    event: Annotated[
        Path, typer.Option("--event", "-e", help="A file with events or entries of PutEvents; - reads it from stdin.")
    ],
    pattern: Annotated[
        Path | None,
        typer.Option("--pattern", "-p", help="A file with one pattern's JSON, or -.", show_default="every rule"),
    ] = None,
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether an event matches a pattern and why, or else which rules of the synthesized buses it matches.

    The exit status is 0 for a match, 1 for none. Of a file with several events each must match.
    """
    from backbone.cli import events

    if pattern is not None and str(pattern) == str(event) == "-":
        raise BackboneError("--pattern and --event are both -; allowed: one of them, and a file for the other")
    content = read_bytes(event)
    with about(event):
        given = [(read.path, read.as_event()) for read in events.read(content)]
    found: Sequence[list[Rule] | Explanation]
    values: Sequence[object]
    texts: list[Table | str]
    if pattern is None:
        found = rules = _matching([fields for _, fields in given], stacks, no_synth=no_synth)
        values = [[_rule_as_json(rule) for rule in matching] for matching in rules]
        texts = [_rule_table(matching) if matching else "no rule matches" for matching in rules]
    else:
        found = explanations = _explained([fields for _, fields in given], pattern)
        values, texts = [one.as_dict() for one in explanations], [str(one) for one in explanations]
    if as_json:
        output.print_json(data=values if given[0][0] else values[0])
    else:
        for (path, _), text in zip(given, texts, strict=True):
            if path:
                output.print(f"{path}:")
            output.print(text, soft_wrap=isinstance(text, str))
    raise typer.Exit(0 if all(found) else 1)


def _matching(given: list[dict[str, Any]], stacks: Path | None, *, no_synth: bool) -> list[list[Rule]]:
    """The rules of the synthesized buses that each event matches."""
    from backbone.system.reader import read

    with errors.status("Reading the stacks"):
        system = read(current(stacks, no_synth=no_synth)).system
        return [system.matching(event) for event in given]


def _explained(given: list[dict[str, Any]], file: Path) -> list[Explanation]:
    """Why each event matches the pattern of a file or does not."""
    from backbone.patterns import Pattern

    content = read_bytes(file)
    with about(file):
        pattern = Pattern.parse(content)
    return [pattern.explain(event) for event in given]


def _rule_as_json(rule: Rule) -> dict[str, object]:
    return {
        "bus": rule.bus_arn,
        "account": rule.account,
        "rule": rule.name,
        "address": rule.address,
        "targets": [target.arn for target in rule.targets],
    }


def _rule_table(found: list[Rule]) -> Table:
    table = new_table("account", "bus", "rule", "targets")
    for rule in found:
        targets = "\n".join(target.arn for target in rule.targets)
        table.add_row(rule.account, rule.bus_arn.rpartition("/")[2], rule.name, targets)
    return table
