"""Tasks of ECS: whether they start, and may have their image, their secrets and their log.

Sources: ECS developer guide, "Amazon ECS task execution IAM role", "Amazon ECS task IAM role", "Amazon ECS task
networking"; ECS API reference, RunTask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.system.access import may_assume
from backbone.system.iam import event_source
from backbone.system.model import Resource, Role
from backbone.system.obstacle import Obstacle
from backbone.system.onward.requests import denied
from backbone.system.terraform import Block
from backbone.system.values import Values

__all__ = ["TASKS", "of_definition", "of_target"]

TASKS = "ecs-tasks.amazonaws.com"
IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.[\w.]+/([^:@]+)")
PULLING = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")


def of_definition(resources: Mapping[str, Resource], values: Values) -> Iterator[Obstacle]:
    """What is in the way of a block `aws_ecs_task_definition`."""
    place, behind = values.block.place, (values.text("arn"), values.text("arn_without_revision"))
    roles: dict[str, Role] = {}
    for name in ("execution_role_arn", "task_role_arn"):
        role = resources.get(values.text(name, ""))
        if not isinstance(role, Role):
            continue
        roles[name] = role
        if not may_assume(TASKS, role, event_source(place.arn("ecs", "task/cluster/id"), place.account_id)):
            words = f"{name}: {role.name} does not trust {TASKS}: no task is run, and all that it is to do is lost"
            yield Obstacle(rule="BB211", address=values.block.id, words=words, behind=behind)
    if (executing := roles.get("execution_role_arn")) is None:
        return
    for container in _containers(values):
        for words in _refused(executing, container, values):
            whole = f"execution_role_arn: {executing.name} may not {words}: no task is run"
            yield Obstacle(rule="BB211", address=values.block.id, words=whole, behind=behind)


def _containers(values: Values) -> Iterator[Mapping[str, Any]]:
    try:
        found = json.loads(values.text("container_definitions", "[]"))
    except ValueError:
        return  # it has a finding of its own
    yield from (each for each in (found if isinstance(found, list) else ()) if isinstance(each, dict))


def _refused(role: Role, container: Mapping[str, Any], values: Values) -> Iterator[str]:
    """What the execution role may not do for a container."""
    place = values.block.place
    if image := IMAGE.match(str(container.get("image"))):
        repository = f"arn:{place.partition}:ecr:{image[2]}:{image[1]}:repository/{image[3]}"
        missing = [*denied(role, ["ecr:GetAuthorizationToken"], "*"), *denied(role, PULLING, repository)]
        if missing:
            yield f"{' and '.join(missing)} on {repository}"
    secrets = container.get("secrets")
    for secret in secrets if isinstance(secrets, list) else ():
        arn = str(secret.get("valueFrom")) if isinstance(secret, dict) else ""
        action = "secretsmanager:GetSecretValue" if ":secretsmanager:" in arn else "ssm:GetParameters"
        if arn.startswith("arn:") and denied(role, [action], ":".join(arn.split(":")[:7])):
            yield f"{action} on {arn}"
    log = container.get("logConfiguration")
    options = log.get("options") if isinstance(log, dict) and log.get("logDriver") == "awslogs" else None
    if isinstance(options, dict) and (group := options.get("awslogs-group")):
        arn = place.arn("logs", f"log-group:{group}")
        creating = ["logs:CreateLogGroup"] if options.get("awslogs-create-group") == "true" else []
        missing = [*denied(role, creating, arn), *denied(role, LOGGING, f"{arn}:log-stream:{container.get('name')}")]
        if missing:
            yield f"{' and '.join(missing)} on {group}"


def of_target(resources: Mapping[str, Resource], values: Values) -> Iterator[Obstacle]:
    """What a target of a rule lacks for the definition that it names, as far as the stacks tell of that."""
    ecs = values.part("ecs_target")
    role = resources.get(values.text("role_arn", ""))
    if isinstance(role, Role) and ecs.nested:
        for arn in _kept(role):
            words = f"role_arn: {role.name} may not pass {arn} to {TASKS}, though it names it for that"
            yield Obstacle(rule="BB211", address=values.block.id, words=f"{words}; a task with that role is not run")
    definition = _definition(values, ecs.optional_text("task_definition_arn"))
    if definition is None:
        return
    needs = Values(values.configuration, definition)
    for words in _unfit(ecs, needs):
        yield Obstacle(rule="BB211", address=values.block.id, words=f"ecs_target: {words}; no task is run")


def _kept(role: Role) -> Iterator[str]:
    """The roles that the policies of a role name for iam:PassRole, and that it may not pass to a task all the same."""
    for statement in (statement for policy in role.policies for statement in policy.statements):
        if any(action.lower() == "iam:passrole" for action in statement.actions):
            for arn in (template.text for template in statement.resources if "*" not in template.text):
                if denied(role, ["iam:PassRole"], arn, context={"iam:PassedToService": TASKS}):
                    yield arn


def _unfit(ecs: Values, needs: Values) -> Iterator[str]:
    if needs.optional_text("network_mode") == "awsvpc" and not ecs.part("network_configuration").texts("subnets"):
        yield f"{needs.block.address} has the network mode awsvpc: it needs network_configuration, with subnets"
    launch, allowed = ecs.text("launch_type", "EC2"), needs.texts("requires_compatibilities")
    if allowed and launch not in allowed and not ecs.parts("capacity_provider_strategy"):
        yield f"launch_type is {launch}; allowed by {needs.block.address}: {', '.join(allowed)}"


def _definition(values: Values, arn: str | None) -> Block | None:
    for block in values.configuration.of("aws_ecs_task_definition"):
        made = Values(values.configuration, block)
        if arn in (made.text("arn"), made.text("arn_without_revision")):
            return block
    return None
