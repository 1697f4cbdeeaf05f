"""`backbone validate`, `backbone schema` and `backbone synth`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import AsJson, File, app, errors, load_topology, new_table, output, print_json, print_table

if TYPE_CHECKING:
    from backbone.topology.source import Problem

__all__ = ["FileKind", "schema", "synth", "validate"]


class FileKind(Enum):
    """A kind of file that a user writes."""

    BACKBONE = "backbone"
    ENVIRONMENT = "environment"
    TEAM = "team"


@app.command()
def validate(file: File = None, as_json: AsJson = False) -> None:
    """Report everything that is wrong with the file.

    Of a file with environments all are validated, unless one is named. Warnings are about what is valid and yet needs
    attention. The exit status is 2 when the file is not valid.
    """
    from backbone.topology import TopologyError, environments, find, selected

    path = file or find(Path())
    wrong: set[Problem] = set()
    valid = []
    for environment in environments(path) if selected() is None else ():
        try:
            valid.append(load_topology(path, environment))
        except TopologyError as error:
            wrong |= set(error.problems)
    try:
        if wrong:
            raise TopologyError(wrong)
        valid = valid or [load_topology(path)]
    except TopologyError as error:
        if as_json:
            print_json({"valid": False, "errors": _as_json(error.problems), "warnings": []})
        raise
    if as_json:
        warnings = {warning: None for topology in valid for warning in topology.warnings}
        print_json({"valid": True, "errors": [], "warnings": _as_json(warnings)})
        return
    for topology in valid:
        services = _count(len(topology.services), "service")
        accounts = _count(len(topology.accounts_in_use), "account")
        where = f" in {topology.environment}" if topology.environment else ""
        output.print(f"{path}: valid{where}: {services} in {accounts}", soft_wrap=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@app.command()
def schema(
    kind: Annotated[
        FileKind,
        typer.Argument(help="Which file it is for: backbone.yaml, that of an environment, or one that is included."),
    ] = FileKind.BACKBONE,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write it to.", show_default="stdout")
    ] = None,
) -> None:
    """Print the JSON Schema of the file, by which editors complete and check it.

    Name it in the first line of the file: `# yaml-language-server: $schema=FILE`.
    """
    from backbone.development.files import write_all
    from backbone.topology import json_schema

    text = json_schema.text(kind.value)
    if to is None:
        sys.stdout.write(text)
        return
    write_all({to: text})
    output.print(str(to), soft_wrap=True)


@app.command()
def synth(
    file: File = None,
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder to write to.", show_default="cdktf.out beside the file"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the Terraform of every stack.

    The stacks are listed in the order to deploy them. The exit status is 1 when AWS would refuse something of it.
    """
    from backbone.system.reader import read
    from backbone.topology import find, output_folder

    path = file or find(Path())
    topology = load_topology(path)
    with errors.status("Loading the AWS bindings; unpacking them, the first time only, takes about 10 s") as status:
        from backbone.synthesis import output as application

        status.update(f"Synthesizing {len(topology.services)} services")
        written = folder or output_folder(path)
        stacks = application.synth(topology, written)
        findings = read(written).findings
    counts = [(stack, sorted(application.count_resources(stack).items())) for stack in stacks]
    if as_json:
        print_json(
            [{"stack": stack.name, "file": str(stack.file), "resources": dict(kinds)} for stack, kinds in counts]
        )
    else:
        table = new_table("stack", "account", "resources", "file")
        table.columns[2].max_width = 100
        for stack, accounts in counts:
            for account, kinds in accounts:
                table.add_row(stack.name, account, _by_type(kinds), str(stack.file))
        print_table(table)
    for finding in findings:
        errors.print(f"{finding.severity}: {finding}", style="red", soft_wrap=True)
    raise typer.Exit(1 if any(finding.severity == "error" for finding in findings) else 0)


def _as_json(problems: Iterable[Problem]) -> list[dict[str, object]]:
    from backbone.topology.source import dotted

    return [
        {"file": problem.file, "line": problem.line, "key": dotted(problem.path), "message": problem.message}
        for problem in problems
    ]


def _by_type(kinds: Counter[str]) -> str:
    if not kinds:
        return "0: apply it to destroy what was there"
    names = ((kind.removeprefix("aws_").removeprefix("cloudwatch_"), count) for kind, count in kinds.items())
    each = ", ".join(f"{name}:{count}" for name, count in sorted(names))
    return f"{kinds.total()}: {each}"
