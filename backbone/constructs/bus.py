"""An event bus, with the log of its events and, where wanted, its archive and its reports of itself."""

from __future__ import annotations

from backbone.aws import names, policies
from backbone.cdk import (
    CloudwatchEventArchive,
    CloudwatchEventBus,
    CloudwatchEventBusDeadLetterConfig,
    CloudwatchEventBusLogConfig,
    CloudwatchEventBusPolicy,
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetRetryPolicy,
    CloudwatchLogDelivery,
    CloudwatchLogDeliveryDestination,
    CloudwatchLogDeliveryDestinationDeliveryDestinationConfiguration,
    CloudwatchLogDeliverySource,
    CloudwatchLogGroup,
    Construct,
)
from backbone.constructs.account import Account
from backbone.constructs.dead_letter_queue import DeadLetterQueue
from backbone.topology import routing

__all__ = ["EventBus"]

LEVELS = (
    "ERROR",
    "INFO",
    "TRACE",
)  # each level reports what those before it do, as a log type of its own


class EventBus(Construct):
    """A custom event bus that logs every event it gets to CloudWatch Logs.

    `policy` says who in other accounts may put events; None leaves that to identities of this account. With a
    key of the account's own, events that cannot be encrypted or decrypted go to a queue of the bus.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        description: str,
        policy: policies.Document | None,
        log_retention_days: int,
        max_age_seconds: int,
        max_attempts: int,
        report_level: str | None = None,
        report_detail: str = "NONE",
    ) -> None:
        super().__init__(scope, id)
        self.account = account
        self._physical_name = name
        self._max_age_seconds, self._max_attempts = max_age_seconds, max_attempts
        dead_letters = self._own_dead_letters() if account.kms_key else None
        bus = CloudwatchEventBus(
            self,
            "Default",
            provider=account.provider,
            name=name,
            description=description,
            kms_key_identifier=account.kms_key,
            dead_letter_config=dead_letters and CloudwatchEventBusDeadLetterConfig(arn=dead_letters.arn),
            log_config=report_level and CloudwatchEventBusLogConfig(level=report_level, include_detail=report_detail),
        )
        # The name, never the ARN: the provider replaces rules and targets when the two are mixed.
        self.name, self.arn = bus.name, bus.arn
        self.policy: CloudwatchEventBusPolicy | None = None
        if policy:
            self.policy = CloudwatchEventBusPolicy(
                self,
                "policy",
                provider=account.provider,
                event_bus_name=self.name,
                policy=policies.to_json(policy),
            )
        self._log_events(log_retention_days)
        if report_level:
            self._deliver_reports(report_level, log_retention_days)

    def archive(self, *, retention_days: int) -> CloudwatchEventArchive:
        """Keep every event of the bus for as many days, to be replayed."""
        return CloudwatchEventArchive(
            self,
            "archive",
            provider=self.account.provider,
            name=names.archive(self._physical_name),
            description=f"Every event of {self._physical_name}",
            event_source_arn=self.arn,
            retention_days=retention_days,
            kms_key_identifier=self.account.kms_key,
        )

    def _own_dead_letters(self) -> DeadLetterQueue:
        return DeadLetterQueue(
            self,
            "dead-letters",
            account=self.account,
            name=names.bus_dead_letters(self._physical_name),
            source_arn=self.account.place.bus(self._physical_name),  # the bus itself refers to the queue
        )

    def _log_events(self, retention_days: int) -> None:
        account, name = self.account, self._physical_name
        group = CloudwatchLogGroup(
            self,
            "log-group",
            provider=account.provider,
            name=names.log_group(name),
            retention_in_days=retention_days,
            kms_key_id=account.kms_key,
        )
        self.log_group = group.name
        rule = CloudwatchEventRule(
            self,
            "log-rule",
            provider=account.provider,
            name=names.logging_rule(name),
            description=f"Logs every event of {name}",
            event_bus_name=self.name,
            event_pattern=routing.to_json(routing.EVERYTHING),
        )
        self.log_dead_letters = DeadLetterQueue(
            self,
            "log-dead-letters",
            account=account,
            name=names.logging_dead_letters(name),
            source_arn=rule.arn,
        )
        CloudwatchEventTarget(
            self,
            "log-target",
            provider=account.provider,
            rule=rule.name,
            event_bus_name=self.name,
            target_id="log-group",
            arn=group.arn,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=self._max_age_seconds,
                maximum_retry_attempts=self._max_attempts,
            ),
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=self.log_dead_letters.arn),
            # Without either policy a delivery fails, and the failure has nowhere to go.
            depends_on=[account.logs_policy, self.log_dead_letters.policy],
        )

    def _deliver_reports(self, level: str, retention_days: int) -> None:
        account, name = self.account, self._physical_name
        group = CloudwatchLogGroup(
            self,
            "report-log-group",
            provider=account.provider,
            name=names.vended_log_group(name),
            retention_in_days=retention_days,
            kms_key_id=account.kms_key,
        )
        destination = CloudwatchLogDeliveryDestination(
            self,
            "report-destination",
            provider=account.provider,
            name=names.delivery(name, "reports"),
            delivery_destination_configuration=[
                CloudwatchLogDeliveryDestinationDeliveryDestinationConfiguration(destination_resource_arn=group.arn)
            ],
            depends_on=[account.logs_policy],
        )
        previous: list[CloudwatchLogDelivery] = []
        for each in LEVELS[: LEVELS.index(level) + 1]:
            word = each.lower()
            source = CloudwatchLogDeliverySource(
                self,
                f"report-source-{word}",
                provider=account.provider,
                name=names.delivery(name, word),
                log_type=f"{each}_LOGS",
                resource_arn=self.arn,
            )
            # AWS answers with a conflict when two deliveries to one destination are made at once.
            delivery = CloudwatchLogDelivery(
                self,
                f"report-delivery-{word}",
                provider=account.provider,
                delivery_source_name=source.name,
                delivery_destination_arn=destination.arn,
                depends_on=list(previous),
            )
            previous = [delivery]
