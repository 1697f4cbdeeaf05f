"""A state machine of Step Functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from backbone.aws import names, policies, target_policies
from backbone.aws.limits import ROLE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import (
    Construct,
    IamRolePolicy,
    SfnStateMachine,
    SfnStateMachineLoggingConfiguration,
    SfnStateMachineTracingConfiguration,
)
from backbone.constructs.account import Account
from backbone.constructs.by_role import ByRole
from backbone.constructs.log_group import log_group
from backbone.constructs.role import Role

__all__ = ["StateMachine"]


class StateMachine(ByRole):
    """A state machine that is started with each event as its input. Failures are logged, and everything is traced.

    `definition` is in Amazon States Language. An EXPRESS machine runs for up to five minutes and is cheaper for many
    events; one of both kinds may be started twice with the same event. Its role may do what it is granted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name_of: NameOf,
        definition: Mapping[str, Any],
        log_retention_days: int,
        type: Literal["STANDARD", "EXPRESS"] = "STANDARD",
    ) -> None:
        super().__init__(scope, id)
        name = name_of(id)
        group = log_group(
            self,
            "log-group",
            account=account,
            name=names.state_machine_log_group(name),
            retention_days=log_retention_days,
        )
        self._role = Role(
            self,
            account=account,
            name=name_of(f"{id}-{account.place.region}", ROLE_NAME_CHARACTERS),
            description=f"Runs {name}",
            trust=policies.trust("states.amazonaws.com"),
        )
        base = self._role.allow("role-policy", "state-machine", target_policies.state_machine(account.place))
        machine = SfnStateMachine(
            self,
            "Default",
            provider=account.provider,
            name=name,
            type=type,
            role_arn=self._role.arn,
            definition=policies.to_json(definition),
            logging_configuration=SfnStateMachineLoggingConfiguration(
                level="ERROR", include_execution_data=False, log_destination=f"{group.arn}:*"
            ),
            tracing_configuration=SfnStateMachineTracingConfiguration(enabled=True),
            depends_on=[base],
        )
        self.name, self.arn = machine.name, machine.arn
        self.permissions = policies.allow(["states:StartExecution"], self.arn)

    def grant(self, id: str, document: policies.Document) -> IamRolePolicy:
        """Let the machine's states do what a document allows."""
        return self._role.allow(f"grant-{id}", id, document)
