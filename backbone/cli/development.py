"""`backbone new-service` and `backbone schemas`."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli import completion
from backbone.cli.app import AsJson, File, app, errors, load_topology, output, print_json
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.topology import Topology

__all__ = ["CodeLanguage", "Language", "add_service", "print_files", "write_schemas"]


class CodeLanguage(Enum):
    """A language that the code of a service can be written in."""

    PYTHON = "python"


class Language(Enum):
    """A language that types of events can be written in."""

    PYTHON = "python"
    TYPESCRIPT = "typescript"


@app.command("new-service")
def add_service(
    name: Annotated[str, typer.Argument(help="The name of the service, such as invoice-service.")],
    account: Annotated[
        str | None,
        typer.Option(
            help="The account that the service lives in, by its name in the file.",
            show_default="as declared",
            autocompletion=completion.accounts,
        ),
    ] = None,
    account_id: Annotated[
        str | None, typer.Option(help="The id of the account, if the file does not have it yet.")
    ] = None,
    publishes: Annotated[
        list[str] | None, typer.Option(help="A detail-type that it publishes; repeatable.", metavar="TYPE")
    ] = None,
    subscribes: Annotated[
        list[str] | None, typer.Option(help="A detail-type that it receives; repeatable.", metavar="TYPE")
    ] = None,
    buses: Annotated[
        list[str] | None,
        typer.Option(
            "--bus",
            help="A global bus that it is on, where there are several; repeatable: it publishes on the first.",
            metavar="BUS",
            show_default="global",
        ),
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(
            help="The Python package that its own goes into; . for none.",
            metavar="PACKAGE",
            show_default="that of the other services",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--in", help="The included file to declare it in.", metavar="FILE", show_default="the main file"),
    ] = None,
    language: Annotated[CodeLanguage, typer.Option(help="The language of its code.")] = CodeLanguage.PYTHON,
    file: Annotated[
        Path | None,
        typer.Option(
            help="The file that declares the backbone.", show_default="$BACKBONE_FILE, else backbone.yaml here"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a service that works, or the code of one that the file declares.

    Writes its module, a test, and its entry in the file: all of them, or nothing when something is wrong. Without
    --publishes and --subscribes it answers an event that another service publishes; without --subscribes it has an
    API.
    """
    from backbone.development.scaffold import NewService, new_service
    from backbone.topology import find

    path = file or find(Path())
    sys.path.insert(0, str(path.parent.resolve()))  # where the modules of the other services are
    wanted = NewService(name, account, account_id, publishes or (), subscribes or (), root, into, buses or ())
    print_files(new_service(path, wanted), as_json)
    errors.print("next: run `backbone schemas`, then `backbone synth`")


@app.command("schemas")
def write_schemas(
    file: File = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file differs from its model.")
    ] = False,
    models: Annotated[
        Language | None, typer.Option(help="Write types of the events that a service subscribes to, in a language.")
    ] = None,
    service: Annotated[
        str | None, typer.Option("--for", help="The service to write types for.", autocompletion=completion.services)
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write types into.", show_default="stdout")
    ] = None,
    asyncapi: Annotated[
        Path | None, typer.Option(help="Write an AsyncAPI document of all events: YAML for .yaml and .yml, else JSON.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the JSON Schemas of published events, or what follows from them.

    They go into `schemas/` beside the modules of the services. The exit status is 1, and nothing is written, when a
    change would break consumers: give the event a new version.
    """
    from backbone.development import schemas
    from backbone.sources import folder_of
    from backbone.topology import find

    if sum((check, models is not None, asyncapi is not None)) > 1:
        raise BackboneError("got several of --check, --models and --asyncapi; give one of them")
    if (models is None) is not (service is None) or (folder is not None and models is None):
        raise BackboneError("--models needs --for SERVICE, and --for and --output are for --models")
    topology = load_topology(file or find(Path()))
    if models is not None and service is not None:
        _write_models(topology, models, service, folder, as_json)
        return
    if asyncapi is not None:
        _write_asyncapi(topology, asyncapi, as_json)
        return
    declared = {
        folder_of(entry.module) / "schemas": schemas.published(entry.module)
        for entry in topology.services.values()
        if entry.module
    }
    files = schemas.check(declared) if check else schemas.export(declared)
    if check and not as_json:
        output.print(f"{len(files)} schemas match their models")
    else:
        print_files(files, as_json)


def _write_models(topology: Topology, language: Language, service: str, folder: Path | None, as_json: bool) -> None:
    from backbone.development import models
    from backbone.development.files import write_all

    name, text = models.module_for(topology, service, language.value)
    if folder is None:
        sys.stdout.write(text)
        return
    write_all({folder / name: text})
    print_files([folder / name], as_json)


def _write_asyncapi(topology: Topology, file: Path, as_json: bool) -> None:
    import json

    import yaml

    from backbone.development.asyncapi import document
    from backbone.development.files import write_all

    found = document(topology)
    in_yaml = file.suffix in (".yaml", ".yml")
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True) if in_yaml else json.dumps(found, indent=2) + "\n"
    write_all({file: text})
    print_files([file], as_json)


def print_files(files: list[Path], as_json: bool) -> None:
    """Print the names of files that were written."""
    if as_json:
        print_json([str(file) for file in files])
    else:
        for file in files:
            output.print(str(file), soft_wrap=True)
