"""The workflow of GitHub Actions."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from backbone.deployment.ci.target import Checked, Target

__all__ = ["FILE", "checks", "workflow"]

FILE = ".github/workflows/backbone.yml"

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
PYTHON = "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0"
TERRAFORM = "hashicorp/setup-terraform@b9cd54a3c349d3f38e8881555d616ced269862dd # v3.1.2"
CREDENTIALS = "aws-actions/configure-aws-credentials@a03048d87541d1d9fcf2ecf528a4a65ba9bd7838 # v5.0.0"
SARIF = "github/codeql-action/upload-sarif@192325c86100d080feab897ff886c34abd4c83a3 # v3.30.3"
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2"
DOWNLOAD = "actions/download-artifact@634f93cb2916e3fdff6788551b99b062d0335ce0 # v5.0.0"
"""Actions by their commits: a tag can be moved to other code, a commit cannot."""


def workflow(targets: Sequence[Target], *, install: str, tests: bool) -> str:
    """The workflow for targets, which the same commit is promoted through in their order.

    `install` is the command that installs the tool; `tests` says whether the project has tests for pytest.
    """
    first = targets[0]
    jobs = [_check(targets, install, tests)]
    for number, target in enumerate(targets):
        before = targets[number - 1] if number else None
        jobs += [_plan(target, install), _deploy(target, before, install), _deploy_again(target, install)]
        jobs.append(_drift(target, install))
    return HEAD.format(branch=first.branch) + "\n".join(jobs)


def checks(checked: Sequence[Checked], *, install: str, tests: bool) -> str:
    """The workflow of a backbone that no pipeline deploys yet."""
    return CHECKS_HEAD + _check(checked, install, tests)


CHECKS_HEAD = """\
# Written by `backbone ci github`: it checks every change. To deploy, add `deployment` to the file and write it anew.
name: backbone

on:
  pull_request:
  push:
    branches: ["main"]

permissions: {}

concurrency:
  group: backbone-${{ github.ref }}
  cancel-in-progress: true

defaults:
  run:
    shell: bash

jobs:
"""

HEAD = """\
# Written by `backbone ci github`: a pull request is checked and planned, its merge is applied as it was reviewed.
name: backbone

on:
  pull_request:
  push:
    branches: ["{branch}"]
  schedule:
    - cron: "17 3 * * *" # does every account still have what was applied?

permissions: {{}}

# One deployment at a time; a newer state of a pull request takes the place of an older one.
concurrency:
  group: backbone-${{{{ github.event_name == 'pull_request' && github.ref || 'deploy' }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

defaults:
  run:
    shell: bash

jobs:
"""


def _check(targets: Sequence[Checked], install: str, tests: bool) -> str:
    steps = [_setup(install, terraform=False)]
    for target in targets:
        sarif = target.named("backbone")
        steps.append(
            f"""
      - name: {_title(target.named("check"))}
        run: backbone synth{target.option} && backbone check{target.option} --sarif {sarif}.sarif
      - uses: {SARIF}
        if: always() && hashFiles('{sarif}.sarif') != ''
        with:
          sarif_file: {sarif}.sarif
          category: {sarif}"""
        )
        if tests:
            environment = f"\n        env:\n          BACKBONE_ENV: {target.name}" if target.name else ""
            steps.append(
                f"""
      - name: {_title(target.named("test"))}
        run: python -m pytest{environment}"""
            )
    return f"""\
  check:
    name: Check
    if: github.event_name != 'schedule'
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: read
      security-events: write # to show findings at the lines of the file
    steps:{"".join(steps)}
"""


def _setup(install: str, *, terraform: bool = True) -> str:
    more = f"\n      - uses: {TERRAFORM}\n        with:\n          terraform_wrapper: false" if terraform else ""
    return f"""
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - uses: {PYTHON}
        with:
          python-version: "3.13"{more}
      - name: Install
        run: {install}"""


def _enter(role: str, region: str) -> str:
    return f"""
      - uses: {CREDENTIALS}
        with:
          role-to-assume: {role}
          aws-region: {region}"""


def _plan(target: Target, install: str) -> str:
    """Plan with roles that only read, and say in one comment what the pull request changes."""
    name, folder = target.named("plan"), f"{target.output}/deployment"
    return f"""\
  {name}:
    name: {_title(name)}
    # A fork gets no credentials.
    if: github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository
    needs: check
    runs-on: ubuntu-latest
    timeout-minutes: 60
    permissions:
      contents: read
      id-token: write # to assume the role that plans
      pull-requests: write # to comment
    steps:{_setup(install)}{_enter(target.plan_role, target.region)}
      - name: Plan
        run: backbone synth{target.option} && backbone deploy{target.option} --plan-only --plan-roles
      - name: Comment
        env:
          GH_TOKEN: ${{{{ github.token }}}}
          NUMBER: ${{{{ github.event.number }}}}
        run: |
{_indented(COMMENT.format(folder=folder, marker=f"<!-- backbone {name} -->"), 10)}
      - uses: {UPLOAD}
        with:
          name: {target.named("review")}
          path: {folder}/review.json
"""


COMMENT = """\
{{ echo '{marker}'; cat {folder}/review.md; }} > comment.md
cat comment.md >> "$GITHUB_STEP_SUMMARY"
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
found="$(gh api --paginate "$comments" --jq '.[] | select(.body | startswith("{marker}")) | .id' | head -n 1)"
if [ -n "$found" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" --field body=@comment.md
else
  gh api --silent "$comments" --field body=@comment.md
fi"""


def _deploy(target: Target, before: Target | None, install: str) -> str:
    """Plan again, and apply only what was reviewed in the pull request."""
    name, folder, review = target.named("deploy"), f"{target.output}/deployment", target.named("review")
    needs = ["check", *([before.named("deploy"), before.named("deploy-again")] if before else [])]
    done = ""
    if before:  # a job that was not needed is skipped, which is no failure
        first, again = (f"needs.{before.named(word)}" for word in ("deploy", "deploy-again"))
        applied = f"({first}.result == 'success' && {first}.outputs.differs != 'true' || {again}.result == 'success')"
        done = f" && !failure() && !cancelled() && {applied}"
    return f"""\
  {name}:
    name: {_title(name)}
    if: github.event_name == 'push'{done}
    needs: [{", ".join(needs)}]
    runs-on: ubuntu-latest
    timeout-minutes: 120{_gate(target)}
    permissions:
      contents: read
      actions: read # to fetch the review of the pull request
      pull-requests: read # to find it
      id-token: write # to assume the role that deploys
    outputs:
      differs: ${{{{ steps.deploy.outputs.differs }}}}
    steps:{_setup(install)}
      - name: Fetch what was approved
        env:
          GH_TOKEN: ${{{{ github.token }}}}
        run: |
{_indented(APPROVED.format(review=review), 10)}{_enter(target.deploy_role, target.region)}
      - name: Apply what was approved
        id: deploy
        run: |
{_indented(APPLY.format(option=target.option, folder=folder), 10)}
      - uses: {UPLOAD}
        if: steps.deploy.outputs.differs == 'true'
        with:
          name: {target.named("new-review")}
          path: {folder}/review.json
"""


APPROVED = """\
mkdir approved
head="$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].head.sha // empty')"
runs="repos/$GITHUB_REPOSITORY/actions/workflows/backbone.yml/runs?event=pull_request&status=success&head_sha=$head"
run="$([ -z "$head" ] || gh api "$runs" --jq '.workflow_runs[0].id // empty')"
[ -z "$run" ] || gh run download "$run" --repo "$GITHUB_REPOSITORY" --name {review} --dir approved"""
"""Without a pull request, or without its review, nothing is there, and nothing is applied without being asked."""

APPLY = """\
backbone synth{option}
if backbone deploy{option} --approved approved/review.json; then exit 0; fi
test -f {folder}/review.json # there is none when a plan failed
cat {folder}/review.md >> "$GITHUB_STEP_SUMMARY"
cmp --silent approved/review.json {folder}/review.json && exit 1 # it is what was approved, and failed
echo "differs=true" >> "$GITHUB_OUTPUT" """


def _deploy_again(target: Target, install: str) -> str:
    """When the plan is not what was reviewed: ask, and apply exactly the new review."""
    name, before = target.named("deploy-again"), target.named("deploy")
    return f"""\
  {target.named("ask")}:
    name: {_title(target.named("ask"))}
    if: needs.{before}.outputs.differs == 'true'
    needs: {before}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions: {{}}
    environment: {target.named("backbone-approval")} # give it required reviewers; it has no credentials
    steps:
      - run: echo "The new review was approved."
  {name}:
    name: {_title(name)}
    needs: {target.named("ask")}
    runs-on: ubuntu-latest
    timeout-minutes: 120{_gate(target)}
    permissions:
      contents: read
      id-token: write # to assume the role that deploys
    steps:{_setup(install)}
      - uses: {DOWNLOAD}
        with:
          name: {target.named("new-review")}
          path: approved{_enter(target.deploy_role, target.region)}
      - name: Apply what was approved
        run: backbone synth{target.option} && backbone deploy{target.option} --approved approved/review.json
"""


def _drift(target: Target, install: str) -> str:
    """Fail when an account has something else than what was applied."""
    return f"""\
  {target.named("drift")}:
    name: {_title(target.named("drift"))}
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    timeout-minutes: 60
    permissions:
      contents: read
      id-token: write # to assume the role that plans
    steps:{_setup(install)}{_enter(target.plan_role, target.region)}
      - name: Plan, and fail when anything would change
        run: backbone synth{target.option} && backbone deploy{target.option} --no-changes --plan-roles
"""


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _gate(target: Target) -> str:
    return f"\n    environment: {target.gate}" if target.gate else ""


def _indented(text: str, width: int) -> str:
    return textwrap.indent(text, " " * width)
