"""`backbone check`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import AsJson, StacksFolder, app, errors, output, print_json
from backbone.cli.stacks import NoSynth, PlanFiles, current, planned
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.system.findings import Finding

__all__ = ["check", "print_findings"]

STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


@app.command()
def check(
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    plan: PlanFiles = None,
    as_json: AsJson = False,
    sarif: Annotated[
        Path | None, typer.Option(help="Also write the findings to this file as SARIF, which code hosts show.")
    ] = None,
    terraform: Annotated[
        bool, typer.Option("--terraform", help="Also report what `terraform validate` says; it needs the AWS provider.")
    ] = False,
    bootstrapped: Annotated[
        Path | None,
        typer.Option(
            "--bootstrap", help="The folder of `backbone bootstrap`.", show_default="bootstrap beside the file"
        ),
    ] = None,
    plugin_dir: Annotated[
        Path | None, typer.Option(help="The folder with the unpacked provider, for `terraform init`.")
    ] = None,
) -> None:
    """Report what is wrong with the synthesized stacks.

    Nothing is run. Each finding has an id, a severity, an address, what it does to events and how to fix it.
    `backbone.accept.yaml` beside the file accepts findings with a reason. The exit status is 1 when there is an error
    or a warning.
    """
    from backbone.deployment.bootstrap import check as bootstrap
    from backbone.manifest import bootstrap_folder
    from backbone.system.reader import read
    from backbone.topology import find

    if plan and (terraform or bootstrapped):
        raise BackboneError("check: --terraform and --bootstrap are about the stacks; allowed with --plan: neither")
    if plan:
        reading = planned(plan, stacks)
        findings = [*reading.findings]
    else:
        folder = current(stacks, no_synth=no_synth)
        reading = read(folder)
        findings = [*reading.findings, *bootstrap.check(folder, bootstrapped or bootstrap_folder(folder))]
    if terraform:
        from backbone.deployment.validate import validate

        with errors.status("Running terraform validate"):
            findings += validate(folder, plugin_dir=plugin_dir)
    findings.sort(key=lambda found: (list(STYLES).index(found.severity), found.rule, found.address))
    if sarif is not None:
        _write_sarif(sarif, findings, reading.system.services, find(Path()))
    if as_json:
        print_json([_as_dict(found) for found in findings])
    else:
        print_findings(findings)
    raise typer.Exit(1 if any(found.severity != "note" for found in findings) else 0)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings by severity, with what each does to events and how to fix it, and how many there are."""
    for found in findings:
        entry = found.entry
        output.print(f"{found.severity} {found.rule}: {found}", style=STYLES[found.severity], soft_wrap=True)
        if found.severity != "note":
            output.print(f"    {entry.effect} {entry.fix}", soft_wrap=True)
    counts = {severity: sum(found.severity == severity for found in findings) for severity in STYLES}
    output.print(", ".join(f"{count} {severity}s" for severity, count in counts.items()))


def _as_dict(found: Finding) -> dict[str, str]:
    return {
        "rule": found.rule,
        "severity": found.severity,
        "address": found.address,
        "message": found.message,
        "effect": found.entry.effect,
        "fix": found.entry.fix,
    }


def _write_sarif(target: Path, findings: Sequence[Finding], services: dict[str, str], file: Path) -> None:
    from backbone import __version__
    from backbone.cli.sarif import sarif

    log = sarif(findings, services=services, file=file, version=__version__)
    try:
        target.write_text(json.dumps(log, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BackboneError(f"--sarif: {target}: cannot be written: {error.strerror}") from None
