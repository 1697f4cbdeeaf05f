"""A REST API of API Gateway as a target of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from backbone.aws import policies
from backbone.cdk import CloudwatchEventTargetHttpTarget, Construct
from backbone.constructs.by_role import ByRole

__all__ = ["RestApi"]


class RestApi(ByRole):
    """A route of a REST API that is there already, called with the event as its body and signed by the rule's role.

    `stage_arn` is the execution ARN of the API's stage. In `path` each `*` stands for a part that `path_parameters`
    take from the event, in this order, as JSON paths. The route needs the authorization AWS_IAM.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage_arn: str,
        path: str,
        method: Literal["POST", "PUT", "PATCH"] = "POST",
        path_parameters: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        self.arn = f"{stage_arn}/{method}/{path.removeprefix('/')}"
        self.permissions = policies.allow(["execute-api:Invoke"], self.arn)
        if path_parameters:
            self.http = CloudwatchEventTargetHttpTarget(path_parameter_values=list(path_parameters))
