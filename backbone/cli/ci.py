"""`backbone ci`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.cli.app import AsJson, File, app, load_topology
from backbone.cli.development import print_files
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
    as_json: AsJson = False,
) -> None:
    """Write the pipeline that checks, plans, reviews and deploys.

    It is for the file's `deployment`, and for all environments in their order unless one is named; without a
    `deployment` it only checks. The exit status is 2 when there is such a file already.
    """
    from backbone.deployment.ci import github, gitlab
    from backbone.deployment.ci.target import Checked, installation
    from backbone.development.files import write_all
    from backbone.topology import environments, find, selected

    path = file or find(Path())
    names: Sequence[str | None] = [selected()] if selected() else environments(path) or [None]
    topologies = [load_topology(path, name) for name in names]
    command = install or installation(tests=tests)
    platform_file = github.FILE if platform is Platform.GITHUB else gitlab.FILE
    if not any(topology.deployment for topology in topologies):
        check = github.checks if platform is Platform.GITHUB else gitlab.checks
        text = check([Checked(name) for name in names], install=command, tests=tests)
    else:
        targets = [_target(topology, platform) for topology in topologies]
        deploy = github.workflow if platform is Platform.GITHUB else gitlab.pipeline
        text = deploy(targets, install=command, tests=tests)
    written = (folder or path.parent) / platform_file
    if written.exists() and not force:
        raise BackboneError(f"{written}: is already there; give --force to replace it")
    write_all({written: text})
    print_files([written], as_json)


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
    bus = topology.main.place
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
