"""The synthesized stacks that a command reads: those of the file here, as its sources are now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import errors, load_topology
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.system.reader import Reading

__all__ = ["NoSynth", "PlanFiles", "StaleStacksError", "current", "planned", "refresh"]

NoSynth = Annotated[
    bool,
    typer.Option(
        "--no-synth", help="Fail, instead of synthesizing, without stacks or when sources have changed since."
    ),
]
PlanFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--plan",
        help="Take what this plan, as `terraform show -json` prints it, leads to; repeatable.",
        metavar="PLAN.json",
    ),
]
SHOWN = 5


class StaleStacksError(BackboneError):
    """The stacks are not those of the sources as they are now."""


def current(stacks: Path | None, *, no_synth: bool) -> Path:
    """The folder of the stacks to read: as named, or that of the file here, brought up to date."""
    from backbone.topology import find, output_folder, require_environment

    if stacks is not None:
        return refresh(stacks, None, no_synth=True)
    file = find(Path())
    if file.is_file():
        require_environment(file)
    return refresh(output_folder(file), file, no_synth=no_synth)


def planned(plans: list[Path], stacks: Path | None) -> Reading:
    """The system as it is after plans are applied."""
    from backbone.deployment.plan_files import read_plans

    return read_plans(plans, stacks).reading


def refresh(folder: Path, file: Path | None, *, no_synth: bool) -> Path:
    """The folder, synthesized from the file where it has no stacks, or where the sources changed since the last synth.

    StaleStacksError instead of that with `no_synth`, where sources changed. A folder without a manifest, or without its
    sources beside it, is taken as it is.
    """
    from backbone import manifest

    if not (folder / manifest.FILE_NAME).exists():
        if file is None or no_synth or not file.is_file() or any(folder.glob("stacks/*/cdk.tf.json")):
            return folder
        return _synthesize(file, folder, f"{folder}: no synthesized stacks there; synthesizing")
    known, project = manifest.read(folder), (file or folder).absolute().parent
    if file is None and (known.file is None or not (project / known.file).exists()):
        return folder  # the sources are elsewhere
    changes = manifest.stale(known, project)
    if not changes:
        return folder
    more = f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
    words = f"{folder}: changed since the last synth: {', '.join(map(str, changes[:SHOWN]))}{more}"
    if no_synth or file is None:
        raise StaleStacksError(f"{words}; run `backbone synth`")
    return _synthesize(file, folder, f"{words}; synthesizing anew")


def _synthesize(file: Path, folder: Path, why: str) -> Path:
    from backbone.synthesis.output import synth

    errors.print(why, style="dim", soft_wrap=True)
    synth(load_topology(file), folder)
    return folder
