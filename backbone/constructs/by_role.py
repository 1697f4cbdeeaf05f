"""What EventBridge delivers to with a role."""

from __future__ import annotations

from backbone.aws import policies
from backbone.cdk import CloudwatchEventTargetEcsTarget, CloudwatchEventTargetHttpTarget, Construct
from backbone.constructs.rule import Template

__all__ = ["ByRole"]


class ByRole(Construct):
    """A target with the ARN `arn`, to which a rule may deliver whose role has `permissions`.

    `template` is what it is sent in place of the event; `ecs` and `http` say more of a delivery where it needs that.
    """

    arn: str
    permissions: policies.Document
    template: Template | None = None
    ecs: CloudwatchEventTargetEcsTarget | None = None
    http: CloudwatchEventTargetHttpTarget | None = None
