"""A bucket of S3."""

from __future__ import annotations

from backbone.aws import policies, target_policies
from backbone.cdk import (
    Construct,
    S3Bucket,
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleTransition,
    S3BucketPolicy,
    S3BucketPublicAccessBlock,
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from backbone.constructs.account import Account

__all__ = ["Bucket"]

UPLOAD_DAYS = 7
"""After how many days an upload that was not finished is removed."""


class Bucket(Construct):
    """An encrypted bucket that takes requests over TLS only and that nobody can make public.

    Objects go to S3 Glacier Instant Retrieval after `archive_after_days`, and are deleted after `keep_days`; never by
    default. Terraform destroys the bucket only when it is empty.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        name: str,
        archive_after_days: int,
        keep_days: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        provider = account.provider
        bucket = S3Bucket(self, "Default", provider=provider, bucket=name)
        self.name, self.arn = bucket.bucket, bucket.arn
        closed = S3BucketPublicAccessBlock(
            self,
            "public-access",
            provider=provider,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketPolicy(
            self,
            "policy",
            provider=provider,
            bucket=self.name,
            policy=policies.to_json(target_policies.tls_only(bucket.arn)),
            depends_on=[closed],  # S3 refuses changes of the two at once
        )
        key = S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
            sse_algorithm="aws:kms" if account.kms_key else "AES256", kms_master_key_id=account.kms_key
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            provider=provider,
            bucket=self.name,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=key, bucket_key_enabled=True if account.kms_key else None
                )
            ],
        )
        rule = S3BucketLifecycleConfigurationRule(
            id="age",
            status="Enabled",
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            transition=[
                S3BucketLifecycleConfigurationRuleTransition(days=archive_after_days, storage_class="GLACIER_IR")
            ],
            expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=keep_days)] if keep_days else None,
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(days_after_initiation=UPLOAD_DAYS)
            ],
        )
        S3BucketLifecycleConfiguration(self, "lifecycle", provider=provider, bucket=self.name, rule=[rule])
