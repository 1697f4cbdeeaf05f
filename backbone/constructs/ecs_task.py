"""A task of ECS as a target of events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from backbone.aws import target_policies
from backbone.cdk import CloudwatchEventTargetEcsTarget, CloudwatchEventTargetEcsTargetNetworkConfiguration, Construct
from backbone.constructs.by_role import ByRole
from backbone.constructs.rule import Template

__all__ = ["EcsTask"]


class EcsTask(ByRole):
    """A task that is started for each event, on a cluster and of a task definition that are there already.

    `environment` has variables of the container `container`, each with the JSON path of its value in the event, which
    must be a text: a task is not given the event itself. `role_arns` are the roles that the task definition names. A
    task definition without a revision is the latest one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster_arn: str,
        task_definition_arn: str,
        role_arns: Sequence[str],
        subnets: Sequence[str],
        security_groups: Sequence[str],
        container: str,
        environment: Mapping[str, str],
        launch_type: Literal["FARGATE", "EC2"] = "FARGATE",
    ) -> None:
        super().__init__(scope, id)
        self.arn = cluster_arn
        latest = task_definition_arn.startswith("arn:") and task_definition_arn.count(":") == 5
        self.permissions = target_policies.run_task(
            f"{task_definition_arn}:*" if latest else task_definition_arn, cluster_arn=cluster_arn, role_arns=role_arns
        )
        names = {variable: f"value{number}" for number, variable in enumerate(sorted(environment))}
        variables = ",".join(f'{{"name":{json.dumps(key)},"value":<{name}>}}' for key, name in names.items())
        self.template = Template(
            f'{{"containerOverrides":[{{"environment":[{variables}],"name":{json.dumps(container)}}}]}}',
            {name: environment[variable] for variable, name in names.items()},
        )
        self.ecs = CloudwatchEventTargetEcsTarget(
            task_definition_arn=task_definition_arn,
            launch_type=launch_type,
            task_count=1,
            network_configuration=CloudwatchEventTargetEcsTargetNetworkConfiguration(
                subnets=list(subnets), security_groups=list(security_groups)
            ),
        )
