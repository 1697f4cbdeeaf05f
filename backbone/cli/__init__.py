"""The command `backbone`: parses, calls and prints."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backbone import simulator as simulation
from backbone.development import scaffold, schemas
from backbone.errors import BackboneError
from backbone.patterns import Pattern, PatternError, as_event
from backbone.synthesis import modules
from backbone.system import rules, terraform
from backbone.topology import Topology, find, load, output_folder
from backbone.topology.source import Problem

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
        from backbone.synthesis import output as application

        status.update(f"Synthesizing {len(topology.services)} services")
        stacks = application.synth(topology, folder or output_folder(path))
    table = Table("stack", "account", "resources", show_lines=True)
    table.add_column("file", overflow="fold")
    for stack in stacks:
        for account, kinds in sorted(application.count_resources(stack).items()):
            table.add_row(stack.name, account, _by_type(kinds), str(stack.file))
    output.print(table)


@app.command()
def match(
    event: Annotated[Path, typer.Option("--event", "-e", help="A file with the event's JSON; - reads it from stdin.")],
    pattern: Annotated[
        Path | None,
        typer.Option("--pattern", "-p", help="A file with one pattern's JSON, or -.", show_default="every rule"),
    ] = None,
    stacks: Annotated[
        Path | None,
        typer.Option("--stacks", "-s", help="The synthesized stacks.", show_default="those of the file here"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether an event matches a pattern and why, or else which rules of the synthesized buses it matches.

    The exit status is 0 for a match, 1 for none.
    """
    if pattern is not None and str(pattern) == str(event) == "-":
        raise BackboneError("--pattern and --event are both -; allowed: one of them, and a file for the other")
    with _about(event):
        given = as_event(_text(event))
    if pattern is None:
        with errors.status("Reading the stacks"):
            found = rules.matching(rules.read(terraform.load(stacks or output_folder(find(Path())))), given)
        if as_json:
            output.print_json(data=[_rule_as_json(one) for one in found])
        else:
            output.print(_rule_table(found) if found else "no rule matches")
        raise typer.Exit(0 if found else 1)
    with _about(pattern):
        explanation = Pattern.parse(_text(pattern)).explain(given)
    if as_json:
        output.print_json(data=explanation.as_dict())
    else:
        output.print(str(explanation), markup=False, soft_wrap=True)
    raise typer.Exit(0 if explanation else 1)


StacksFolder = Annotated[
    Path | None,
    typer.Option("--stacks", "-s", help="The synthesized stacks.", show_default="those of the file here"),
]
Faults = Annotated[
    list[str] | None,
    typer.Option("--fault", help="KIND:TARGET[@BEGIN-END][%TIMES], as in throttle:*delivery*@0-3600; repeatable."),
]
Stub = Annotated[bool, typer.Option("--stub-authorizers", help="Let every HTTP call through as a stub's.")]


@app.command()
def simulate(
    event: Annotated[
        Path | None, typer.Option("--event", "-e", help="An event, or an entry of PutEvents, as JSON; - is stdin.")
    ] = None,
    post: Annotated[
        tuple[str, str] | None, typer.Option(help="A path of the HTTP API and the body to post there.")
    ] = None,
    caller: Annotated[
        str | None,
        typer.Option("--as", help="Who puts the event or calls.", show_default="the event's source or account"),
    ] = None,
    fault: Faults = None,
    seed: Annotated[int, typer.Option(help="What chance follows from.")] = 0,
    stacks: StacksFolder = None,
    stub_authorizers: Stub = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a sequence diagram.")] = False,
) -> None:
    """Run the synthesized system here, real functions included, and show every event's way.

    The exit status is 1 when something was denied or lost, or when AWS would refuse something of the Terraform.
    """
    from backbone.simulator import commands

    if (event is None) is (post is None):
        raise BackboneError("simulate: one of --event and --post is needed")
    with _simulator(stacks, fault, seed=seed, stub_authorizers=stub_authorizers) as simulator:
        with errors.status("Running"):
            if event is not None:
                with _about(event):
                    commands.put(simulator, as_event(_text(event)), caller=caller)
            elif post is not None:
                commands.post(simulator, *post, caller=caller)
            trace = simulator.run_until_idle()
        if as_json:
            output.print_json(data=trace.as_json())
        elif as_mermaid:
            output.print(trace.mermaid(), markup=False, soft_wrap=True, end="")
        else:
            # Lines are as long as they are: a terminal wraps them, and nothing is cut off.
            Console(highlight=False, width=1_000).print(trace.tree())
            output.print(trace.table(ms=f"{commands.milliseconds(trace):.0f}"))
        bad = simulator.findings or trace.lost or trace.of("denied")
    raise typer.Exit(1 if bad else 0)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.")] = 4010,
    fault: Faults = None,
    seed: Annotated[int, typer.Option(help="What chance follows from.")] = 0,
    stacks: StacksFolder = None,
    stub_authorizers: Stub = False,
) -> None:
    """Serve the synthesized system on this machine until Ctrl-C: its HTTP APIs, and EventBridge for any AWS client."""
    from backbone.simulator.server import Server

    with (
        _simulator(stacks, fault, seed=seed, stub_authorizers=stub_authorizers) as simulator,
        Server(simulator, port=port) as server,
    ):
        output.print(f"HTTP APIs: {server.url}", soft_wrap=True)
        bridge = f"AWS_ENDPOINT_URL_EVENTBRIDGE={server.url}, with the caller's account id as AWS_ACCESS_KEY_ID"
        output.print(f"EventBridge: {bridge}", soft_wrap=True)
        server.on_line = lambda line: output.print(line, soft_wrap=True)
        with suppress(KeyboardInterrupt):
            server.run()
    output.print("ended")


@app.command("new-service")
def add_service(
    name: Annotated[str, typer.Argument(help="The service's name, such as invoice-service.")],
    account: Annotated[str, typer.Option(help="The account that it lives in, by its name in the file.")],
    account_id: Annotated[
        str | None, typer.Option(help="The id of an account that the file does not have yet.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="The backbone's file.", show_default="$BACKBONE_FILE, else backbone.yaml here"),
    ] = None,
) -> None:
    """Write a service that works: its module, a test, and its entry in the file."""
    path = file or find(Path())
    for written in scaffold.new_service(path, name, account=account, account_id=account_id):
        output.print(str(written), soft_wrap=True)
    errors.print("next: backbone schemas, then backbone synth", markup=False)


@app.command("schemas")
def write_schemas(file: File = None) -> None:
    """Write the JSON Schemas of the events that the modules of services publish, beside the modules.

    A change that would break consumers is refused: the event then needs a new version.
    """
    for service in _load(file or find(Path())).services.values():
        if service.module:
            models = schemas.published(service.module)
            for written in schemas.export(models, modules.folder_of(service.module) / "schemas"):
                output.print(str(written), soft_wrap=True)


def main() -> None:
    """Run the command; a user's mistake ends with status 2."""
    with exit_on_error():
        app()


def _load(path: Path) -> Topology:
    sys.path.insert(0, str(path.parent.resolve()))  # where the modules of its services are
    topology = load(path)
    for warning in topology.warnings:
        _warn(warning)
    return topology


def _warn(problem: Problem) -> None:
    errors.print(f"warning: {problem}", style="yellow", markup=False, soft_wrap=True)


def _simulator(
    stacks: Path | None, faults: list[str] | None, *, seed: int, stub_authorizers: bool
) -> simulation.Simulator:
    """The system of the stacks, after saying what is wrong with it and what of it is left out."""
    simulator = simulation.Simulator.load(
        stacks or output_folder(find(Path())),
        seed=seed,
        faults=[simulation.Fault.parse(one) for one in faults or []],
        stub_authorizers=stub_authorizers,
    )
    for finding in simulator.findings:
        errors.print(f"finding: {finding}", style="red", markup=False, soft_wrap=True)
    for address in simulator.world.not_simulated:
        errors.print(f"not simulated: {address}", style="yellow", markup=False, soft_wrap=True)
    return simulator


@contextmanager
def _about(file: Path) -> Iterator[None]:
    """Put the name of a file before what is wrong with its content."""
    try:
        yield
    except PatternError as error:
        raise BackboneError(f"{file}: {error}") from None


def _text(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BackboneError(f"{file}: cannot be read: {error.strerror}; name a file, or - for stdin") from None


def _rule_as_json(rule: rules.Rule) -> dict[str, object]:
    return {
        "bus": rule.bus,
        "account": rule.account,
        "rule": rule.name,
        "address": rule.address,
        "targets": list(rule.targets),
    }


def _rule_table(found: list[rules.Rule]) -> Table:
    table = Table("account", show_lines=True)
    for column in ("bus", "rule", "targets"):
        table.add_column(column, overflow="fold")
    for rule in found:
        table.add_row(rule.account, rule.bus.rpartition("/")[2], rule.name, "\n".join(rule.targets))
    return table


def _by_type(kinds: Counter[str]) -> str:
    names = ((kind.removeprefix("aws_").removeprefix("cloudwatch_"), count) for kind, count in kinds.items())
    each = ", ".join(f"{name}:{count}" for name, count in sorted(names))
    return f"{kinds.total()}: {each}"
