"""An event bus, with the log of its events and, where wanted, its archive and its reports of itself."""

from __future__ import annotations

from backbone.aws import names, policies
from backbone.cdk import (
    CloudwatchEventArchive,
    CloudwatchEventBus,
    CloudwatchEventBusDeadLetterConfig,
    CloudwatchEventBusLogConfig,
    CloudwatchEventBusPolicy,
    Construct,
)
from backbone.constructs.account import Account
from backbone.constructs.bus_reports import deliver_bus_reports
from backbone.constructs.dead_letter_queue import DeadLetterQueue
from backbone.constructs.log_group import log_group
from backbone.constructs.rule import Rule, Template
from backbone.topology import routing
from backbone.topology.logs import BusLog
from backbone.topology.retry import Retry

__all__ = ["EventBus"]

# A log group takes a template with a timestamp and a message alone, which must be a text (AWS CDK's documentation,
# "LogGroupTargetInputOptions"). No value in it may have a quote, since EventBridge does not escape it there.
WITHOUT_DETAIL = Template(
    '{"timestamp": <time>, "message": "<detailtype> of <source>, account <account>, id <id>: confidential"}',
    {"time": "$.time", "detailtype": "$.detail-type", "source": "$.source", "account": "$.account", "id": "$.id"},
)
"""A confidential event in a log."""


class EventBus(Construct):
    """A custom event bus that logs every event it gets to CloudWatch Logs, confidential ones without their detail.

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
        retry: Retry,
        reports: BusLog | None = None,
        confidential: routing.Confidential | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.account = account
        self._physical_name = name
        dead_letters = self._own_dead_letters() if account.kms_key else None
        bus = CloudwatchEventBus(
            self,
            "Default",
            provider=account.provider,
            name=name,
            description=description,
            kms_key_identifier=account.kms_key,
            dead_letter_config=dead_letters and CloudwatchEventBusDeadLetterConfig(arn=dead_letters.arn),
            log_config=reports and CloudwatchEventBusLogConfig(level=reports.level, include_detail=reports.detail),
        )
        # The name, never the ARN: the provider replaces rules and targets when the two are mixed.
        self.name, self.arn, self.resource = bus.name, bus.arn, bus
        self.policy: CloudwatchEventBusPolicy | None = None
        if policy:
            self.policy = CloudwatchEventBusPolicy(
                self,
                "policy",
                provider=account.provider,
                event_bus_name=self.name,
                policy=policies.to_json(policy),
            )
        self._log_events(log_retention_days, retry, confidential)
        if reports:
            deliver_bus_reports(
                self, account=account, bus=name, arn=self.arn, reports=reports, retention_days=log_retention_days
            )

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

    def _log_events(self, retention_days: int, retry: Retry, confidential: routing.Confidential | None) -> None:
        account, name = self.account, self._physical_name
        group = log_group(self, "log-group", account=account, name=names.log_group(name), retention_days=retention_days)
        rule = Rule(
            self,
            prefix="log-",
            account=account,
            bus_name=self.name,
            name=names.logging_rule(name),
            description=f"Logs every event of {name}",
            pattern=confidential.others if confidential else routing.EVERYTHING,
            dead_letters_name=names.logging_dead_letters(name),
        )
        rule.send_to(group.arn, target_id="log-group", retry=retry, after=[account.logs_policy])
        self.log_group, self.log_dead_letters = group.name, rule.dead_letters
        if confidential:
            hiding = Rule(
                self,
                prefix="confidential-log-",
                account=account,
                bus_name=self.name,
                name=names.confidential_logging_rule(name),
                description=f"Logs confidential events of {name} without their detail",
                pattern=confidential.pattern,
                dead_letters_name=names.confidential_logging_dead_letters(name),
            )
            hiding.send_to(
                group.arn, target_id="log-group", retry=retry, after=[account.logs_policy], template=WITHOUT_DETAIL
            )
