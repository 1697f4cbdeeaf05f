"""`backbone simulate` and `backbone up`."""

from __future__ import annotations

import gc
import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import (
    AsJson,
    StacksFolder,
    about,
    app,
    errors,
    output,
    print_json,
    print_table,
    read_bytes,
    wide_output,
)
from backbone.cli.check import STYLES
from backbone.cli.stacks import NoSynth, PlanFiles, current, planned
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backbone.simulator import Simulator
    from backbone.simulator.server import Server
    from backbone.system.findings import Finding
    from backbone.system.reader import Reading

__all__ = ["simulate", "up"]

DIFFERENCE = "BB191"
"""The finding that this machine is not as Lambda, of interest where a function fails."""

Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        help="What goes wrong: KIND:TARGET[@BEGIN-END][%TIMES], as in throttle:*delivery*@0-3600 or "
        "crash-after:*on-event/PutItem%1; repeatable.",
    ),
]
Seed = Annotated[int, typer.Option(help="Decides about everything random.")]
Stub = Annotated[bool, typer.Option("--stub-authorizers", help="Let every HTTP call through.")]


@app.command()
def simulate(
    event: Annotated[
        Path | None, typer.Option("--event", "-e", help="A file with events or entries of PutEvents; - is stdin.")
    ] = None,
    post: Annotated[
        tuple[str, str] | None,
        typer.Option(help="A path of the HTTP API and a body to post there; @FILE reads the body from a file."),
    ] = None,
    caller: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Who puts the event or calls: an account, service, function or role.",
            show_default="the event's source or account",
        ),
    ] = None,
    fault: Faults = None,
    seed: Seed = 0,
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    plan: PlanFiles = None,
    stub_authorizers: Stub = False,
    allow: Annotated[
        list[str] | None, typer.Option(help="What may happen without an exit status of 1; repeatable.", metavar="KIND")
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="An event that must be published, as in Order.Updated or Order.Updated=2; repeatable."),
    ] = None,
    as_json: AsJson = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a sequence diagram in Mermaid.")] = False,
) -> None:
    """Run an event or a call through the synthesized system.

    The functions run on this machine, on simulated time. The exit status is 1 when anything was denied, refused,
    failed, dead-lettered or lost, and for an HTTP answer of 400 or above, a finding, a fault that struck nothing, and
    an expected event that was not published. The KIND of --allow is denied, refused, failed, dead-letter, lost,
    http-error or finding.
    """
    from backbone.cli import events, requests
    from backbone.cli import trace as views

    if (event is None) is (post is None):
        raise BackboneError("simulate: allowed: either --event or --post")
    allowed, expected = requests.allowed(allow or []), requests.expected(expect or [])
    reading = planned(plan, stacks) if plan else None
    with _simulator(
        stacks, fault, seed=seed, stub_authorizers=stub_authorizers, no_synth=no_synth, reading=reading
    ) as simulator:
        with errors.status("Running"):
            if event is not None:
                content = read_bytes(event)
                with about(event):
                    given = events.read(content)
                    for each in given:
                        each.as_entry()  # a file with a mistake is refused as a whole
                for each in given:
                    requests.put(simulator, each, caller=caller)
            elif post is not None:
                requests.post(simulator, *post, caller=caller)
            trace = simulator.run_until_idle()
        if as_json:
            print_json(trace.as_json())
        elif as_mermaid:
            output.print(views.mermaid(trace), soft_wrap=True, end="")
        else:
            wide_output.print(views.tree(trace))
            print_table(views.table(trace, ms=f"{requests.milliseconds(trace):.0f}"))
        problems = simulator.problems(allow=allowed, expect=expected)
    for problem in problems:
        errors.print(f"problem: {problem}", style="red", soft_wrap=True)
    if trace.of("failed"):
        _print(finding for finding in simulator.all_findings if finding.rule == DIFFERENCE)
    raise typer.Exit(1 if problems else 0)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port on 127.0.0.1; 0 takes a free one.")] = 4010,
    fault: Faults = None,
    seed: Seed = 0,
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    stub_authorizers: Stub = False,
) -> None:
    """Serve the synthesized system on this machine.

    Until Ctrl-C, it answers HTTP calls of its APIs and PutEvents of any AWS client, and prints events as they happen.
    When the file or a service's code changes, the system is made anew, with its tables and queues as they are.
    """
    from backbone.cli.trace import LivePrinter
    from backbone.simulator import Simulator
    from backbone.simulator.server import Server

    with _simulator(stacks, fault, seed=seed, stub_authorizers=stub_authorizers, no_synth=no_synth) as simulator:
        server = Server(simulator, port=port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())

        def take(reading: Reading) -> None:
            server.page.problem = ""
            server.replace(Simulator(reading, seed=seed, stub_authorizers=stub_authorizers))
            _freeze()
            _print(finding for finding in server.live.simulator.all_findings if finding.rule != DIFFERENCE)
            output.print("made anew", style="green")

        def fail(words: str) -> None:
            server.page.problem = f"The last change is not taken over:\n{words}"
            errors.print(f"error: {words}", style="red", soft_wrap=True)

        with LivePrinter(output) as printer, server, _reloader(stacks, take, fail, no_synth=no_synth):
            server.on_node = printer.add
            _print_endpoints(server)
            server.run()
    output.print("ended")


def _reloader(
    stacks: Path | None, take: Callable[[Reading], None], fail: Callable[[str], None], *, no_synth: bool
) -> AbstractContextManager[object]:
    """What makes the system anew when its sources change, where they are here."""
    from backbone import manifest
    from backbone.cli.reload import Reloader
    from backbone.topology import find, output_folder

    file = find(Path())
    folder = output_folder(file)
    if stacks is not None or no_synth or not file.is_file() or not (folder / manifest.FILE_NAME).exists():
        return nullcontext()
    return Reloader(file, folder, take=take, say=lambda words: errors.print(words, style="dim"), fail=fail)


def _print_endpoints(server: Server) -> None:
    output.print(f"page: {server.page_url}", soft_wrap=True)
    for api, url in server.endpoints():
        output.print(f"HTTP API {api.name}: {url}", soft_wrap=True)
        for route in api.routes:
            output.print(f"  {route.key} ({route.authorization})", soft_wrap=True)
    bridge = f"AWS_ENDPOINT_URL_EVENTBRIDGE={server.url}, with the caller's account id as AWS_ACCESS_KEY_ID"
    output.print(f"EventBridge: {bridge}", soft_wrap=True)


def _simulator(
    stacks: Path | None,
    faults: list[str] | None,
    *,
    seed: int,
    stub_authorizers: bool,
    no_synth: bool,
    reading: Reading | None = None,
) -> Simulator:
    """The system of the stacks, after saying what is wrong with it and what of it is left out."""
    from backbone.simulator import Fault, Simulator
    from backbone.system.reader import read

    simulator = Simulator(
        reading or read(current(stacks, no_synth=no_synth)),
        seed=seed,
        faults=[Fault.parse(fault) for fault in faults or []],
        stub_authorizers=stub_authorizers,
    )
    _freeze()
    _print(finding for finding in simulator.all_findings if finding.rule != DIFFERENCE)
    return simulator


def _freeze() -> None:
    """Keep the system out of garbage collection, since it stays: looking into it doubles the time of an event."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _print(findings: Iterable[Finding]) -> None:
    for finding in findings:
        errors.print(f"{finding.severity} {finding.rule}: {finding}", style=STYLES[finding.severity], soft_wrap=True)
