"""The pipeline of GitLab CI."""

from __future__ import annotations

from collections.abc import Sequence

from backbone.deployment.ci.target import Checked, Target

__all__ = ["FILE", "checks", "pipeline"]

FILE = ".gitlab-ci.yml"

TERRAFORM_VERSION = "1.11.4"


def pipeline(targets: Sequence[Target], *, install: str, tests: bool) -> str:
    """The pipeline for targets, which the same commit is promoted through in their order.

    `install` is the command that installs the tool; `tests` says whether the project has tests for pytest.
    """
    jobs = [_check(targets, tests)]
    for number, target in enumerate(targets):
        jobs += [_plan(target), _apply(target, targets[number - 1] if number else None)]
        jobs.append(_drift(target))
    return HEAD.format(branch=targets[0].branch, install=install, terraform=TERRAFORM_VERSION) + "\n".join(jobs)


def checks(checked: Sequence[Checked], *, install: str, tests: bool) -> str:
    """The pipeline of a backbone that no pipeline deploys yet."""
    return CHECKS_HEAD.format(install=install) + _check(checked, tests)


CHECKS_HEAD = """\
# Written by `backbone ci gitlab`: it checks every change. To deploy, add `deployment` to the file and write it anew.
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

stages: [check]

default:
  image: python:3.13-slim
  interruptible: true
  before_script:
    - {install}

"""

HEAD = """\
# Written by `backbone ci gitlab`: a merge request is checked and planned; its merge is planned again, and applied when
# somebody starts the job, exactly as that plan's review says.
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == "{branch}"

stages: [check, plan, apply]

variables:
  TERRAFORM_VERSION: "{terraform}"

default:
  image: python:3.13-slim
  interruptible: true
  before_script:
    - {install}

.terraform:
  before_script:
    - {install}
    - apt-get update --quiet --quiet && apt-get install --quiet --quiet --yes curl unzip
    - name="terraform_${{TERRAFORM_VERSION}}_linux_amd64.zip"
    - from="https://releases.hashicorp.com/terraform/$TERRAFORM_VERSION"
    - curl --silent --show-error --fail --remote-name "$from/$name"
    - curl --silent --show-error --fail "$from/terraform_${{TERRAFORM_VERSION}}_SHA256SUMS" > sums
    - grep "$name" sums | sha256sum --check
    - unzip -q "$name" -d /usr/local/bin
    - printf %s "$AWS_TOKEN" > /tmp/aws-token

"""


def _check(targets: Sequence[Checked], tests: bool) -> str:
    lines = []
    for target in targets:
        lines.append(f"backbone synth{target.option} && backbone check{target.option}")
        if tests:
            lines.append(f"{f'BACKBONE_ENV={target.name} ' if target.name else ''}python -m pytest")
    script = "\n".join(f"    - {line}" for line in lines)
    return f"""\
check:
  stage: check
  rules:
    - if: $CI_PIPELINE_SOURCE != "schedule"
  script:
{script}
"""


def _enter(role: str, target: Target) -> str:
    return f"""\
  extends: .terraform
  id_tokens:
    AWS_TOKEN:
      aud: {target.audience}
  variables:
    AWS_ROLE_ARN: {role}
    AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/aws-token
    AWS_ROLE_SESSION_NAME: gitlab-$CI_JOB_ID
    AWS_REGION: {target.region}"""


def _plan(target: Target) -> str:
    folder = f"{target.output}/deployment"
    return f"""\
{target.named("plan")}:
  stage: plan
{_enter(target.plan_role, target)}
  rules:
    - if: $CI_PIPELINE_SOURCE != "schedule"
  script:
    - backbone synth{target.option}
    - backbone deploy{target.option} --plan-only --plan-roles
  artifacts:
    expose_as: {target.named("review").replace("-", " of ")}
    paths:
      - {folder}/review.md
      - {folder}/review.json
    expire_in: 30 days
"""


def _apply(target: Target, before: Target | None) -> str:
    folder = f"{target.output}/deployment"
    needs = [target.named("plan"), *([before.named("apply")] if before else [])]
    return f"""\
{target.named("apply")}:
  stage: apply
{_enter(target.deploy_role, target)}
  rules:
    - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "{target.branch}"
      when: manual
  needs: [{", ".join(needs)}]
  interruptible: false
  resource_group: {target.named("backbone")}
  environment: {target.gate or target.named("backbone")}
  script:
    - mv {folder}/review.json approved.json
    - backbone synth{target.option}
    - backbone deploy{target.option} --approved approved.json
"""


def _drift(target: Target) -> str:
    return f"""\
{target.named("drift")}:
  stage: plan
{_enter(target.plan_role, target)}
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  script:
    - backbone synth{target.option}
    - backbone deploy{target.option} --no-changes --plan-roles
"""
