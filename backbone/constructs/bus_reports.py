"""What an event bus reports of itself, delivered to a log group."""

from __future__ import annotations

from backbone.aws import names
from backbone.cdk import (
    CloudwatchLogDelivery,
    CloudwatchLogDeliveryDestination,
    CloudwatchLogDeliveryDestinationDeliveryDestinationConfiguration,
    CloudwatchLogDeliverySource,
    Construct,
)
from backbone.constructs.account import Account
from backbone.constructs.log_group import log_group
from backbone.topology.logs import BusLog

__all__ = ["deliver_bus_reports"]


def deliver_bus_reports(
    scope: Construct, *, account: Account, bus: str, arn: str, reports: BusLog, retention_days: int
) -> None:
    """Deliver the reports of a bus, each level as a log type of its own, to a log group."""
    group = log_group(
        scope, "report-log-group", account=account, name=names.vended_log_group(bus), retention_days=retention_days
    )
    destination = CloudwatchLogDeliveryDestination(
        scope,
        "report-destination",
        provider=account.provider,
        name=names.delivery(bus, "reports"),
        delivery_destination_configuration=[
            CloudwatchLogDeliveryDestinationDeliveryDestinationConfiguration(destination_resource_arn=group.arn)
        ],
        depends_on=[account.logs_policy],
    )
    previous: list[CloudwatchLogDelivery] = []
    for each in reports.levels:
        word = each.lower()
        source = CloudwatchLogDeliverySource(
            scope,
            f"report-source-{word}",
            provider=account.provider,
            name=names.delivery(bus, word),
            log_type=f"{each}_LOGS",
            resource_arn=arn,
        )
        # AWS answers with a conflict when two deliveries to one destination are made at once.
        delivery = CloudwatchLogDelivery(
            scope,
            f"report-delivery-{word}",
            provider=account.provider,
            delivery_source_name=source.name,
            delivery_destination_arn=destination.arn,
            depends_on=list(previous),
        )
        previous = [delivery]
