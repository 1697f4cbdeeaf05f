"""A delivery stream of Firehose, which keeps events in a bucket of S3."""

from __future__ import annotations

from backbone.aws import names, policies, target_policies
from backbone.aws.limits import BUCKET_NAME_CHARACTERS, ROLE_NAME_CHARACTERS
from backbone.aws.names import NameOf
from backbone.cdk import (
    CloudwatchLogStream,
    Construct,
    KinesisFirehoseDeliveryStream,
    KinesisFirehoseDeliveryStreamExtendedS3Configuration,
    KinesisFirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptions,
    KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfiguration,
    KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessors,
    KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorsParameters,
    KinesisFirehoseDeliveryStreamServerSideEncryption,
)
from backbone.constructs.account import Account
from backbone.constructs.bucket import Bucket
from backbone.constructs.by_role import ByRole
from backbone.constructs.log_group import log_group
from backbone.constructs.role import Role

__all__ = ["DeliveryStream"]

BUFFER_MB = 64
BUFFER_SECONDS = 300
"""A file is written when so much has come or so long has passed (Firehose developer guide, "Buffering hints")."""

BY_DAY = "events/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
"""Partitions as Athena reads them."""


class DeliveryStream(ByRole):
    """A delivery stream that writes events into a bucket of its own, an event a line, compressed, in folders by day.

    What cannot be written is below `errors/`, and why is in its log. Events go to cheaper storage after
    `archive_after_days`, and are deleted after `keep_days`; never by default.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name_of: NameOf,
        log_retention_days: int,
        archive_after_days: int = 90,
        keep_days: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        name, place = name_of(id), account.place
        self.bucket = bucket = Bucket(
            self,
            "bucket",
            account=account,
            name=name_of(f"{id}-{place.account_id}-{place.region}", BUCKET_NAME_CHARACTERS),  # unique in the world
            archive_after_days=archive_after_days,
            keep_days=keep_days,
        )
        group = log_group(
            self,
            "log-group",
            account=account,
            name=names.delivery_stream_log_group(name),
            retention_days=log_retention_days,
        )
        log = CloudwatchLogStream(
            self, "log-stream", provider=account.provider, name="delivery", log_group_name=group.name
        )
        role = Role(
            self,
            account=account,
            name=name_of(f"{id}-{place.region}", ROLE_NAME_CHARACTERS),
            description=f"Writes what {name} gets",
            trust=policies.trust("firehose.amazonaws.com"),
        )
        written = target_policies.write_objects(bucket.arn, log_group_arn=group.arn, kms_key=account.kms_key)
        stream = KinesisFirehoseDeliveryStream(
            self,
            "Default",
            provider=account.provider,
            name=name,
            destination="extended_s3",
            server_side_encryption=KinesisFirehoseDeliveryStreamServerSideEncryption(
                enabled=True, key_type="AWS_OWNED_CMK"
            ),
            extended_s3_configuration=KinesisFirehoseDeliveryStreamExtendedS3Configuration(
                bucket_arn=bucket.arn,
                role_arn=role.arn,
                prefix=BY_DAY,
                error_output_prefix="errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/",
                buffering_size=BUFFER_MB,
                buffering_interval=BUFFER_SECONDS,
                compression_format="GZIP",
                kms_key_arn=account.kms_key,
                processing_configuration=_lines(),
                cloudwatch_logging_options=KinesisFirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptions(
                    enabled=True, log_group_name=group.name, log_stream_name=log.name
                ),
            ),
            depends_on=[role.allow("role-policy", "write", written)],
        )
        self.name, self.arn = stream.name, stream.arn
        self.permissions = policies.allow(["firehose:PutRecord", "firehose:PutRecordBatch"], self.arn)


def _lines() -> KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfiguration:
    """Ends each record with a line break, which EventBridge does not."""
    parameter = KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorsParameters(
        parameter_name="Delimiter", parameter_value="\\n"
    )
    processor = KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessors(
        type="AppendDelimiterToRecord", parameters=[parameter]
    )
    return KinesisFirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfiguration(
        enabled=True, processors=[processor]
    )
