"""`backbone init`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import AsJson, app, errors
from backbone.cli.development import print_files
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.development.project import Draft

__all__ = ["Pipeline", "init"]

REGION = "eu-west-1"
SERVICES = ("order-service", "delivery-service")
"""What everybody knows from the example."""


class Pipeline(StrEnum):
    """The service whose pipeline is written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to write into; it is made where it is missing.")] = Path(),
    name: Annotated[
        str | None,
        typer.Option(help="The name of the backbone, which all resources begin with.", show_default="the folder's"),
    ] = None,
    region: Annotated[str | None, typer.Option(help="The AWS region.", show_default=REGION)] = None,
    accounts: Annotated[
        list[str] | None,
        typer.Option(
            "--account",
            metavar="NAME=ID",
            help="The id of an account; repeatable. `bus` is that of the global bus.",
            show_default="made up",
        ),
    ] = None,
    services: Annotated[
        list[str] | None,
        typer.Option(
            "--service",
            metavar="NAME[=ACCOUNT]",
            help="A service, by default in an account of its own; repeatable.",
            show_default=" and ".join(SERVICES),
        ),
    ] = None,
    pipeline: Annotated[
        Pipeline | None, typer.Option("--ci", help="The pipeline to write.", show_default="github")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the defaults.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin a project: a backbone with services that work, tests, and a pipeline that checks them.

    Asks for what no option says. Nothing that is there is replaced; when anything is wrong, nothing is written.
    """
    from backbone.development.project import Draft, new_project

    asks = not yes
    if asks and not sys.stdin.isatty():
        raise BackboneError("there is no terminal to ask on; give --yes, and options for what is not the default")
    draft = Draft.of(folder, dict(_pair(text) for text in accounts or ()), SERVICES, REGION)
    draft = _settled(draft.named, name, "Name of the backbone", draft.name, asks)
    draft = _settled(draft.within, region, "AWS region", REGION, asks)
    if services:
        draft = draft.with_services(services)
    else:
        question, names = "Services, as NAME or NAME=ACCOUNT", " ".join(SERVICES)
        draft = _settled(lambda answer: draft.with_services(answer.split()), None, question, names, asks)
    for account in draft.made_up:
        number = draft.accounts[account]
        draft = _settled(functools.partial(draft.with_id, account), None, f"Id of the account {account}", number, asks)
    draft = _settled(draft.checked_by, pipeline, "Pipeline: github, gitlab or none", "github", asks)
    print_files(new_project(folder, draft), as_json)
    errors.print("next: run `backbone synth` there, then `backbone check` and `pytest`")


def _settled(change: Callable[[str], Draft], given: str | None, question: str, default: str, asks: bool) -> Draft:
    """The draft with a change that an option, or an answer, says; a wrong answer is asked for again."""
    if given is not None or not asks:
        return change(default if given is None else given)
    while True:
        try:
            return change(errors.input(f"{question} [{default}]: ", markup=False, emoji=False).strip() or default)
        except BackboneError as error:
            errors.print(str(error), style="red", soft_wrap=True)
        except EOFError:
            raise BackboneError("the answers ended; nothing was written") from None


def _pair(text: str) -> tuple[str, str]:
    """The name and the id of an account."""
    name, equals, number = text.partition("=")
    if not equals:
        raise BackboneError(f"--account: got {text!r}; allowed: NAME=ID, as in bus=111111111111")
    return name, number
