"""`backbone ci`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import File, app, load_topology, output
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backbone.deployment.ci.target import Target
    from backbone.topology import Topology

__all__ = ["Platform", "ci"]


class Platform(StrEnum):
    """A service that runs pipelines."""

    GITHUB = "github"
    GITLAB = "gitlab"


@app.command()
def ci(
    platform: Annotated[Platform, typer.Argument(help="The service that runs the pipeline.")],
    file: File = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", help="The repository's folder.", show_default="that of the file")
    ] = None,
    install: Annotated[
        str | None, typer.Option(help="The command that installs the tool.", show_default="pip with this version")
    ] = None,
    tests: Annotated[bool, typer.Option("--tests/--no-tests", help="Whether to run pytest.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
) -> None:
    """Write the pipeline that checks, plans, reviews and deploys.

    It is for the file's `deployment`, and for all environments in their order unless one is named. The exit status is
    2 when there is such a file already.
    """
    from backbone.deployment.ci import github, gitlab
    from backbone.topology import environments, find, selected
    from backbone.version import __version__

    path = file or find(Path())
    names: Sequence[str | None] = [selected()] if selected() else environments(path) or [None]
    targets = [_target(load_topology(path, name), platform) for name in names]
    command = install or f"python -m pip install 'event-backbone[synth]=={__version__}'{' pytest' if tests else ''}"
    if platform is Platform.GITHUB:
        target, text = github.FILE, github.workflow(targets, install=command, tests=tests)
    else:
        target, text = gitlab.FILE, gitlab.pipeline(targets, install=command, tests=tests)
    written = (folder or path.parent) / target
    if written.exists() and not force:
        raise BackboneError(f"{written}: is already there; give --force to replace it")
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(text, encoding="utf-8")
    output.print(str(written), soft_wrap=True)


def _target(topology: Topology, platform: Platform) -> Target:
    """What the pipeline deploys to, and how it gets in; BackboneError when the file has another pipeline."""
    from backbone.aws.arn import Place
    from backbone.deployment.ci.target import Target
    from backbone.topology.deployment import GitHub, GitLab

    declared = topology.deployment
    where = f"environments.{topology.environment}.deployment" if topology.environment else "deployment"
    if not isinstance(declared, GitHub if platform is Platform.GITHUB else GitLab) or topology.pipeline_account is None:
        example = "repository: acme/backbone" if platform is Platform.GITHUB else "project: acme/backbone"
        got = f"got by: {declared.by}" if declared else "is missing"
        raise BackboneError(f"{where}: {got}; allowed for this pipeline: {{by: {platform}, {example}}}")
    bus = topology.place(topology.bus.account)
    pipeline = Place(bus.partition, bus.region, topology.pipeline_account)
    deploys, plans = (
        pipeline.iam(f"role/{topology.names.entry_role(planning=planning)}") for planning in (False, True)
    )
    return Target(
        name=topology.environment,
        region=topology.region,
        deploy_role=deploys,
        plan_role=plans,
        branch=declared.branch,
        audience=declared.audience,
        gate=declared.environment if isinstance(declared, GitHub) else None,
    )
