"""Buckets that only the roles of a pipeline reach."""

from __future__ import annotations

from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.resources import Resources

__all__ = ["add_bucket"]


def add_bucket(made: Resources, name: str, bucket: str, *, partition: str, kms_key: str | None = None) -> None:
    """Add a bucket: versioned, encrypted, closed to everyone else, and reached by TLS only.

    S3 deletes no bucket that has anything in it, so that states are safe from a destroy.
    """
    reference, arn = f"${{aws_s3_bucket.{name}.id}}", f"arn:{partition}:s3:::{bucket}"
    made.add("aws_s3_bucket", name, bucket=bucket)
    made.add("aws_s3_bucket_versioning", name, bucket=reference, versioning_configuration={"status": "Enabled"})
    by = {"sse_algorithm": "aws:kms", "kms_master_key_id": kms_key} if kms_key else {"sse_algorithm": "AES256"}
    rule = {"apply_server_side_encryption_by_default": by} | ({"bucket_key_enabled": True} if kms_key else {})
    made.add("aws_s3_bucket_server_side_encryption_configuration", name, bucket=reference, rule=[rule])
    closed = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    made.add("aws_s3_bucket_public_access_block", name, bucket=reference, **dict.fromkeys(closed, True))
    tls: Document = {
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [arn, f"{arn}/*"],
        "Sid": "TlsOnly",
    }
    made.add(
        "aws_s3_bucket_policy",
        name,
        bucket=reference,
        policy=to_json({"Statement": [tls], "Version": "2012-10-17"}),
        depends_on=[f"aws_s3_bucket_public_access_block.{name}"],
    )
