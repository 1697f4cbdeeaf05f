"""`backbone diff`."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

import backbone
from backbone.cli import completion
from backbone.cli.app import AsJson, File, app, errors, new_table, output, print_json, print_table
from backbone.errors import BackboneError, MachineError
from backbone.sources import ENVIRONMENT_VARIABLE

if TYPE_CHECKING:
    from backbone.deployment.comparison import Comparison

__all__ = ["diff"]

HEAD = "HEAD"


@dataclass
class Side:
    """What is compared: a file that is synthesized in an environment, or a folder that was synthesized already."""

    label: str
    file: Path | None
    environment: str | None
    folder: Path


@app.command()
def diff(
    file: File = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="REF|FOLDER",
            help="What to compare with: a commit of git, the folder of a project, or one of synthesized stacks.",
            show_default=HEAD,
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.environments,
            help="The environment of the file; give it twice to compare two.",
            show_default="$BACKBONE_ENV",
        ),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when anything differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a change of the file, or the difference of two environments, means in events, before any plan.

    Compares what is synthesized from the files as they are with what is at a commit, or of one environment with
    another. Nothing is written into the project.
    """
    from backbone.deployment.comparison import compare
    from backbone.topology import find

    path = file or find(Path())
    with TemporaryDirectory(prefix="backbone-diff-") as folder:
        sides = before, after = _sides(path, against, env or [], Path(folder))
        with errors.status(f"Synthesizing {before.label} and {after.label}"), ThreadPoolExecutor() as pool:
            list(pool.map(_synthesize, sides))
        found = compare(before.folder, after.folder)
    if as_json:
        print_json({"before": before.label, "after": after.label, **found.as_json()})
    else:
        _print(found, f"from {before.label} to {after.label}")
    raise typer.Exit(1 if exit_code and not found.is_empty else 0)


def _sides(file: Path, against: str | None, names: list[str], folder: Path) -> tuple[Side, Side]:
    """What is compared with what."""
    from backbone.development.revisions import check_out
    from backbone.topology import load, selected

    if len(names) > 2 or (len(names) == 2 and against is not None):
        got = f"got {len(names)} environments" + (" and --against" if against is not None else "")
        raise BackboneError(f"--env: {got}; allowed: two environments, or at most one and --against")
    if len(names) == 2:
        sides = [Side(name, file, name, folder / str(index)) for index, name in enumerate(names)]
        for name in names:
            load(file, environment=name)
        return sides[0], sides[1]
    environment = selected(names[0] if names else None)
    load(file, environment=environment)
    now = Side("the files here", file, environment, folder / "now")
    other = Path(against) if against is not None else None
    if other is None or not other.is_dir():
        ref = against if against is not None else HEAD
        (folder / "commit").mkdir()
        return Side(ref, check_out(file, ref, folder / "commit"), environment, folder / "before"), now
    if any(other.glob("stacks/*/cdk.tf.json")):
        return Side(str(other), None, None, other), now
    if not (other / file.name).is_file():
        raise BackboneError(
            f"--against: {other} has neither {file.name} nor synthesized stacks; name a folder that has"
        )
    return Side(str(other), other / file.name, environment, folder / "before"), now


def _synthesize(side: Side) -> None:
    """Synthesize a side in a process of its own, since modules of the same name are other code in each."""
    if side.file is None:
        return
    unset = (ENVIRONMENT_VARIABLE, "BACKBONE_FILE", "CDKTF_OUTDIR")
    clean = {key: value for key, value in os.environ.items() if key not in unset}
    tool = os.pathsep.join(filter(None, [str(Path(backbone.__file__).parent.parent), clean.get("PYTHONPATH")]))
    done = subprocess.run(  # noqa: S603 - this program
        # -P: a project may have a folder `backbone`, as this one's own repository does
        [sys.executable, "-P", "-m", "backbone.cli", "synth", side.file.name, "--output", str(side.folder.absolute())],
        cwd=side.file.absolute().parent,
        env=clean | {"PYTHONPATH": tool} | ({ENVIRONMENT_VARIABLE: side.environment} if side.environment else {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode not in (0, 1):  # 1 is that AWS would refuse something, which may be what changed
        kind = MachineError if done.returncode == MachineError.exit_status else BackboneError
        lines = [line.removeprefix("error: ") for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        raise kind("\n".join(f"{side.label}: {line}" for line in lines))


def _print(found: Comparison, what: str) -> None:
    from backbone.deployment.comparison import arguments
    from backbone.deployment.differences import VERBS

    if found.is_empty:
        output.print(f"{what}: nothing differs", soft_wrap=True)
        return
    output.print(f"{what}:", soft_wrap=True)
    for name, words in found.words.items():
        output.print(f"{name}:", soft_wrap=True)
        for line in words:
            output.print(f"  {line}", soft_wrap=True)
    if found.changes:
        table = new_table("stack", "what", "resource", "arguments")
        for change in found.changes:
            table.add_row(change.stack, VERBS[change.action], change.address, ", ".join(arguments(change)))
        print_table(table)
