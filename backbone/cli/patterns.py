"""`backbone match`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backbone.cli.app import (
    AsJson,
    StacksFolder,
    about,
    app,
    errors,
    new_table,
    output,
    print_json,
    print_table,
    read_bytes,
)
from backbone.cli.stacks import NoSynth, current
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from rich.table import Table

    from backbone.patterns import Explanation
    from backbone.system.model import EventBus, Rule, System

__all__ = ["match"]


@app.command()
def match(
    event: Annotated[
        Path, typer.Option("--event", "-e", help="A file with events or entries of PutEvents; - is stdin.")
    ],
    pattern: Annotated[
        Path | None,
        typer.Option("--pattern", "-p", help="A file with a pattern; - is stdin.", show_default="every rule"),
    ] = None,
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    as_json: AsJson = False,
) -> None:
    """Say which rules an event reaches and matches.

    An event goes to the bus that its EventBusName names, else to the global bus, and from there to the buses that
    rules forward it to. An entry of PutEvents gets the account of the service whose source it has. With --pattern,
    say whether that pattern matches, and why. The exit status is 0 for a match and 1 for none; of a file with several
    events, each must match.
    """
    from backbone.cli import events

    if pattern is not None and str(pattern) == str(event) == "-":
        raise BackboneError(
            "--pattern and --event are both -; allowed: - for only one of them, and a file for the other"
        )
    content = read_bytes(event)
    with about(event):
        given = [(read.path, read.as_event(), read.bus) for read in events.read(content)]
    found: Sequence[list[Rule] | Explanation]
    values: Sequence[object]
    texts: list[Table | str]
    if pattern is None:
        found = rules = _reached([(fields, bus) for _, fields, bus in given], stacks, no_synth=no_synth)
        values = [[_rule_as_json(rule) for rule in matching] for matching in rules]
        texts = [_rule_table(matching) if matching else "no rule matches" for matching in rules]
    else:
        found = explanations = _explained([fields for _, fields, _ in given], pattern)
        values, texts = [each.as_dict() for each in explanations], [str(each) for each in explanations]
    if as_json:
        print_json(values if given[0][0] else values[0])
    else:
        for (path, *_), text in zip(given, texts, strict=True):
            if path:
                output.print(f"{path}:")
            if isinstance(text, str):
                output.print(text, soft_wrap=True)
            else:
                print_table(text)
    raise typer.Exit(0 if all(found) else 1)


def _reached(given: list[tuple[dict[str, Any], str]], stacks: Path | None, *, no_synth: bool) -> list[list[Rule]]:
    """The rules of the synthesized buses that each event reaches."""
    from backbone import manifest
    from backbone.system.reader import read

    with errors.status("Reading the stacks"):
        folder = current(stacks, no_synth=no_synth)
        system = read(folder).system
        declared = manifest.read(folder) if (folder / manifest.FILE_NAME).exists() else None
        found = []
        for event, bus in given:
            if declared and "account" not in event and isinstance(event.get("source"), str):
                event = event | declared.account_of(event["source"])
            found.append(system.reached(event, _bus(system, bus, event)))
        return found


def _bus(system: System, name: str, event: dict[str, Any]) -> EventBus:
    """The bus that an event names, or its global bus where it names none."""
    from backbone.cli import events
    from backbone.system.model import EventBus

    buses, account_id = system.of(EventBus), str(event.get("account", ""))
    if not name:
        return events.hub_of(system, event.get("detail-type"), event.get("source"))
    found = [bus for bus in buses if name == bus.arn or (name == bus.name and bus.account_id in ("", account_id))]
    found = found or [bus for bus in buses if name == bus.name]
    if len(found) != 1:
        known = ", ".join(bus.name for bus in buses if bus.name != "default")
        raise BackboneError(f"EventBusName: got {name!r}; allowed: the ARN of a bus, or one of {known}")
    return found[0]


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
