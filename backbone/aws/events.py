"""The events of AWS's own services."""

from __future__ import annotations

__all__ = ["DETAIL_TYPES", "is_reserved"]

DETAIL_TYPES = frozenset(
    {
        *("AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail", "AWS Service Event via CloudTrail"),
        *("AWS Health Event", "AWS Health Abuse Event", "Trusted Advisor Check Item Refresh Notification"),
        *("Backup Job State Change", "Restore Job State Change", "Batch Job State Change"),
        *("CloudFormation Stack Status Change", "CloudFormation Resource Status Change"),
        *("CloudWatch Alarm State Change", "CodeBuild Build State Change", "CodeCommit Repository State Change"),
        *("CodeDeploy Deployment State-change Notification", "CodePipeline Pipeline Execution State Change"),
        *("CodePipeline Stage Execution State Change", "CodePipeline Action Execution State Change"),
        *("Config Configuration Item Change", "Config Rules Compliance Change", "Scheduled Event"),
        *("EBS Snapshot Notification", "EBS Volume Notification", "EC2 Instance State-change Notification"),
        *("EC2 Spot Instance Interruption Warning", "EC2 Instance Rebalance Recommendation"),
        *("EC2 Instance Launch Successful", "EC2 Instance Launch Unsuccessful", "EC2 Instance Terminate Successful"),
        *("ECR Image Action", "ECR Image Scan", "ECS Task State Change", "ECS Container Instance State Change"),
        *("ECS Deployment State Change", "ECS Service Action", "EMR Cluster State Change", "EMR Step Status Change"),
        *("Glue Job State Change", "Glue Crawler State Change", "GuardDuty Finding", "Inspector2 Finding"),
        *("KMS CMK Deletion", "KMS CMK Rotation", "Macie Finding", "MediaConvert Job State Change"),
        *("Object Access Tier Changed", "Object ACL Updated", "Object Created", "Object Deleted"),
        *("Object Restore Completed", "Object Restore Expired", "Object Restore Initiated"),
        *("Object Storage Class Changed", "Object Tags Added", "Object Tags Deleted"),
        *("RDS DB Cluster Event", "RDS DB Instance Event", "RDS DB Snapshot Event"),
        *("SageMaker Training Job State Change", "Security Hub Findings - Imported"),
        *("Security Hub Findings - Custom Action", "Step Functions Execution Status Change"),
        *("Transcribe Job State Change", "Transfer Family Server File Upload Completed"),
    }
)
"""Detail-types that services of AWS give (EventBridge events reference); there are more."""


def is_reserved(source: object) -> bool:
    """Whether a source is AWS's own, which nobody else may put (API reference, PutEventsRequestEntry)."""
    return isinstance(source, str) and (source == "aws" or source.startswith("aws."))
