"""`backbone deploy-order` and `backbone deploy`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.aws.names import PLAN_SUFFIX, ROLE_SUFFIX
from backbone.cli.app import AsJson, StacksFolder, app, errors, new_table, output, print_json, print_table
from backbone.cli.review import print_review
from backbone.cli.stacks import NoSynth, current
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.deployment.deploy import Deployment
    from backbone.deployment.program import Program
    from backbone.deployment.review import Review
    from backbone.deployment.run import Progress
    from backbone.manifest import Manifest

__all__ = ["deploy", "deploy_order"]


@app.command()
def deploy_order(stacks: StacksFolder = None, no_synth: NoSynth = False, as_json: AsJson = False) -> None:
    """List the stacks in waves, in the order to deploy them.

    Stacks of a wave may be deployed at the same time. To destroy, go from the last wave to the first.
    """
    from backbone import manifest
    from backbone.deployment.waves import waves

    found = waves(manifest.read(current(stacks, no_synth=no_synth)))
    if as_json:
        print_json([[stack.model_dump(mode="json") for stack in wave] for wave in found])
        return
    table = new_table("wave", "stack", "accounts", "after")
    for number, wave in enumerate(found, 1):
        for stack in wave:
            table.add_row(str(number), stack.name, ", ".join(stack.accounts), ", ".join(stack.depends_on))
    print_table(table)


@app.command()
def deploy(
    stacks: StacksFolder = None,
    no_synth: NoSynth = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Apply without asking, unless the review has an error.")
    ] = False,
    allow_dangers: Annotated[
        bool, typer.Option("--allow-dangers", help="With --yes, apply also when the review has an error.")
    ] = False,
    approved: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Apply without asking what this review.json says, and nothing else."),
    ] = None,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Show the review, and apply nothing.")] = False,
    no_changes: Annotated[
        bool, typer.Option("--no-changes", help="Apply nothing, and exit with 1 when anything would change.")
    ] = False,
    plan_roles: Annotated[
        bool, typer.Option("--plan-roles", help="Plan with the roles that only read; with the options before.")
    ] = False,
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Destroy everything, from the last wave to the first.")
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, help="How many stacks to plan or apply at the same time.")] = 4,
    program: Annotated[
        str | None, typer.Option(help="The program to run.", show_default="terraform, else tofu")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan all stacks, show one review, and apply exactly these plans, wave by wave.

    After a failure nothing more is begun; the same command then goes on where it stopped. Plans and a log for each
    stack are in the folder `deployment` beside the stacks, and the review as review.json and review.md. The exit status
    is 1 when a plan or an apply fails, when the answer is no, or when the review is not the approved one.
    """
    from backbone import manifest
    from backbone.deployment import approval
    from backbone.deployment.deploy import Deployment, DeploymentError, locked
    from backbone.deployment.program import find_program
    from backbone.deployment.waves import waves

    applies = not (plan_only or no_changes)
    if applies and not (yes or approved or sys.stdin.isatty()):
        raise BackboneError("deploy: there is no terminal to ask at; allowed: --yes, --approved FILE, or --plan-only")
    if as_json and applies and not (yes or approved):
        raise BackboneError("--json: nobody could answer; allowed: with --yes, --approved FILE, or --plan-only")
    if plan_roles and applies:
        raise BackboneError("--plan-roles: these roles can apply nothing; allowed: with --plan-only or --no-changes")
    folder, chosen = current(stacks, no_synth=no_synth), find_program(program)
    declared = manifest.read(folder)
    if plan_roles:
        chosen = _with_plan_roles(chosen, declared)
    order = [[stack.name for stack in wave] for wave in waves(declared)]
    with locked(folder), _Report() as report:
        deployment = Deployment(
            folder, order, program=chosen, parallel=parallel, destroy=destroy, plan_roles=plan_roles, report=report
        )
        approval.forget(deployment.folder)
        _print_earlier(deployment)
        report.status(f"{chosen.name}: planning")
        plans = deployment.plan()
        report.totals = {plan.stack: plan.changes for plan in plans}
        report.pause()
        reviewed = _review(deployment, folder)
        written = approval.write(deployment.folder, reviewed, plans)
        if not (plans and applies):
            _print_result(reviewed, as_json, planned=bool(plans))
            raise typer.Exit(1 if plans and no_changes else 0)
        if not as_json:
            print_review(reviewed)
        if approved is not None:
            if different := approval.differences(approved, written):
                words = ["the review is not the approved one, so nothing is applied:", *different]
                raise DeploymentError("\n".join(f"--approved: {line}" for line in words))
        elif yes and reviewed.severity == "error" and not allow_dangers:
            raise DeploymentError("deploy: the review has an error, so nothing is applied; --allow-dangers applies it")
        elif not (yes or typer.confirm("Apply this?", err=True)):
            raise typer.Exit(1)
        report.status(f"{chosen.name}: applying")
        deployment.apply()
    applied = [plan.stack for plan in plans]
    if as_json:
        print_json({"review": reviewed.as_json(), "applied": applied})
    else:
        output.print(f"applied: {', '.join(applied)}", soft_wrap=True)


def _print_result(reviewed: Review, as_json: bool, *, planned: bool) -> None:
    """Print what would change, where nothing is applied."""
    if as_json:
        print_json({"review": reviewed.as_json(), "applied": []})
    elif planned:
        print_review(reviewed)
    else:
        output.print("nothing to change")


def _with_plan_roles(program: Program, declared: Manifest) -> Program:
    """The program with the variable that has the stacks' providers assume the roles that only read."""
    if declared.deployment is None:
        raise BackboneError(
            "--plan-roles: the file has no deployment, so there are no such roles; add it, as in "
            "deployment: {by: github, repository: acme/backbone}"
        )
    return replace(program, environment={f"TF_VAR_{ROLE_SUFFIX}": PLAN_SUFFIX})


def _print_earlier(deployment: Deployment) -> None:
    if deployment.left:
        words = (
            f"deployed before, and no stacks any more: {', '.join(deployment.left)}; what their states still have is "
            "made a second time, or managed by nobody; after a change of layout or names run `backbone move-layout`"
        )
        errors.print(words, style="yellow", soft_wrap=True)
    if (earlier := deployment.earlier) is None:
        return
    applied, left = earlier.of("applied"), earlier.of("planned", "applying", "failed")
    words = (
        f"an earlier deployment stopped half-way: applied: {', '.join(applied) or 'nothing'}; left: {', '.join(left)}"
    )
    then = "going on there" if deployment.resumes else "these stacks are not those: planning everything anew"
    errors.print(f"{words}; {then}", style="yellow", soft_wrap=True)


def _review(deployment: Deployment, folder: Path) -> Review:
    from backbone.deployment.plan_files import read_plans
    from backbone.deployment.review import review

    read = read_plans(deployment.plan_files, folder)
    plans = [plan.done if plan.stack in deployment.applied else plan for plan in read.plans]
    return review(plans, deployment.order, read.accounts)


class _Report:
    """Tells on stderr what happens: a line for each stack that begins or ends, and in a terminal what runs now."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self._running: dict[str, int] = {}
        self._status = errors.status("")

    def __enter__(self) -> _Report:
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def status(self, words: str) -> None:
        """Show what runs now."""
        self._status.update(words)
        self._status.start()

    def pause(self) -> None:
        """Make room for questions."""
        self._status.stop()

    def __call__(self, stack: str, progress: Progress, done: int) -> None:
        """Tell how far a stack is."""
        if progress == "applying":
            begins = stack not in self._running
            self._running[stack] = done
            each = [f"{name} {count}/{self.totals.get(name, '?')}" for name, count in sorted(self._running.items())]
            self._status.update(f"applying: {', '.join(each)}")
            if not begins:
                return
        else:
            self._running.pop(stack, None)
        errors.print(f"{stack}: {progress}", soft_wrap=True)
