"""`backbone review`, and how reviews are printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import AsJson, app, output, print_json
from backbone.cli.check import STYLES
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.deployment.review import Review

__all__ = ["print_review", "review"]


@app.command()
def review(
    plans: Annotated[
        list[Path], typer.Argument(help="Plans as `terraform show -json` prints them.", metavar="PLAN.json…")
    ],
    stacks: Annotated[
        Path | None,
        typer.Option(
            "--stacks", "-s", help="The folder of the synthesized stacks.", show_default="that of `backbone deploy`"
        ),
    ] = None,
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a comment.")] = False,
    fail_on: Annotated[
        str, typer.Option(help="The least severity with an exit status of 1: error, warning, note or never.")
    ] = "warning",
) -> None:
    """Say what plans change for events, and what is dangerous in them.

    The exit status is 1 when there is a danger that is a warning or an error.
    """
    from backbone.deployment.plan_files import read_plans
    from backbone.deployment.review import review as review_plans
    from backbone.system.findings import SEVERITIES

    allowed: tuple[str, ...] = (*SEVERITIES, "never")
    if fail_on not in allowed:
        raise BackboneError(f"--fail-on: got {fail_on!r}; allowed: {', '.join(allowed)}")
    failing = () if fail_on == "never" else SEVERITIES[: allowed.index(fail_on) + 1]
    read = read_plans(plans, stacks)
    found = review_plans(read.plans, read.waves, read.accounts)
    if as_json:
        print_json(found.as_json())
    elif as_markdown:
        from backbone.deployment.markdown import markdown

        output.print(markdown(found), soft_wrap=True, end="")
    else:
        print_review(found)
    raise typer.Exit(1 if found.severity in failing else 0)


def print_review(found: Review) -> None:
    """Print a review: dangers with the gravest first, then what changes for each service."""
    from backbone.deployment.dangers import RULES

    for danger in found.dangers:
        rule = RULES[danger.rule]
        output.print(f"{danger.severity} {danger.rule}: {danger}", style=STYLES[danger.severity], soft_wrap=True)
        output.print(f"    {rule.effect} {rule.advice}", soft_wrap=True)
    for name, words in found.words.items():
        output.print(f"{name}:", soft_wrap=True)
        for line in words:
            output.print(f"  {line}", soft_wrap=True)
    if not found.changes:
        output.print("no resource changes")
