"""The calls that the real provider makes for each type of resource, recorded while Terraform runs on the emulator."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from backbone.synthesis import output
from backbone.topology import load, parse
from tests.conftest import ROOT
from tests.e2e.terraform import Terraform, moto_server
from tests.e2e.test_apply import publish_layers
from tests.synthesis import Json, resources

Calls = dict[str, dict[str, list[str]]]
"""IAM's actions by resource type and phase; those of API Gateway with the path of the call."""

EVERYTHING = ROOT / "tests" / "topologies" / "everything.yaml"
CHANGES = {
    "archive_days: 30": "archive_days: 31",
    "publishes: [Work.Asked]": "publishes: [Work.Asked, Work.Stopped]",
    "timeout_seconds: 15": "timeout_seconds: 16",
    "retention_days: 7": "retention_days: 14",
    "tags: {team: platform}": "tags: {squad: platform}\nretry: {max_attempts: 9}\nconfidential: [Work.Done]",
}
"""What makes an update of nearly every type."""

SERVICES = {
    "ApiGatewayV2": "apigateway",
    "CloudWatch Logs": "logs",
    "DynamoDB": "dynamodb",
    "EventBridge": "events",
    "Firehose": "firehose",
    "IAM": "iam",
    "KMS": "kms",
    "Kinesis": "kinesis",
    "Lambda": "lambda",
    "S3": "s3",
    "SFN": "states",
    "Pipes": "pipes",
    "Scheduler": "scheduler",
    "SNS": "sns",
    "SQS": "sqs",
}
"""The prefixes of IAM's actions, by the names that the SDK gives the services."""

OF_S3 = {
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    **{f"Delete{word}": f"Put{word}" for word in ("BucketTagging",)},
    **{f"{verb}BucketEncryption": f"{verb}EncryptionConfiguration" for verb in ("Get", "Put")},
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    **{
        f"{verb}Bucket{word}Configuration": f"{verb}{word}Configuration"
        for verb in ("Get", "Put")
        for word in ("Accelerate", "Lifecycle")
    },
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
}
"""Calls of S3 whose action has another name (service authorization reference, Amazon S3)."""


def record(work: Path) -> Calls:
    """Apply, change, plan and destroy a resource of every type; the calls of all of that."""
    made: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    with moto_server(work / "moto.log") as url:
        stack = _stack(work, EVERYTHING.read_text())
        publish_layers(url, load(EVERYTHING), resources({stack.name: _document(stack)}))
        for phase, command in (("create", "apply"), ("update", "apply"), ("delete", "destroy")):
            if phase == "update":
                text = EVERYTHING.read_text()
                for old, new in CHANGES.items():
                    assert old in text, old
                    text = text.replace(old, new)
                _stack(work, text)
            log = work / f"{phase}.log"
            logged = {"TF_LOG": "JSON", "TF_LOG_CORE": "OFF", "TF_LOG_PROVIDER": "DEBUG", "TF_LOG_PATH": str(log)}
            Terraform(stack, url).init()
            Terraform(stack, url, logged).run(command, "-auto-approve")
            for kind, rpc, action in logged_calls(log):
                made[kind]["read" if rpc in ("ReadResource", "PlanResourceChange") else phase].add(action)
    return {
        kind: {phase: sorted(actions) for phase, actions in sorted(phases.items())}
        for kind, phases in sorted(made.items())
    }


def logged_calls(log: Path) -> Iterator[tuple[str, str, str]]:
    """The calls in the provider's log: resource type, the provider's own operation, and IAM's action."""
    for line in log.read_text().splitlines():
        if '"HTTP Request Sent"' not in line:
            continue
        found: Json = json.loads(line)
        if kind := found.get("tf_resource_type"):
            yield kind, found["tf_rpc"], _action(found)


def _action(found: Json) -> str:
    prefix = SERVICES[found["rpc.service"]]
    if prefix == "s3":
        return f"s3:{OF_S3.get(found['rpc.method'], found['rpc.method'])}"
    if prefix != "apigateway":
        return f"{prefix}:{found['rpc.method']}"
    path = urlsplit(found["http.url"]).path.removeprefix("/v2")
    # Every second word of a path is an id: /apis/ID/routes/ID.
    words = [word if number % 2 == 0 else "{}" for number, word in enumerate(path.strip("/").split("/")[:4])]
    path = "tags/{}" if words[0] == "tags" else "/".join(words)
    return f"apigateway:{found['http.method']} /{path}"


def _stack(work: Path, text: str) -> Path:
    """The stack of a topology, as this provider and the emulator take it."""
    topology = parse(text)
    topology._file = ROOT / "tests" / "topologies" / "everything.yaml"
    folder = work / "cdktf.out"
    output.synth(topology, folder)
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    document = _document(file.parent)
    document["terraform"]["required_providers"]["aws"]["version"] = ">= 5.100.0"
    for bus in document["resource"]["aws_cloudwatch_event_bus"].values():
        bus.pop("log_config", None)  # provider 6
    for archive in document["resource"]["aws_cloudwatch_event_archive"].values():
        archive.pop("kms_key_identifier", None)  # provider 6
    for source in document["resource"]["aws_cloudwatch_log_delivery_source"].values():
        # moto knows no buses as sources of logs.
        source |= {"resource_arn": MODEL, "log_type": "APPLICATION_LOGS"}
    for delivery in document["resource"]["aws_cloudwatch_log_delivery"].values():
        delivery["lifecycle"] = {"ignore_changes": "all"}  # moto has no UpdateDeliveryConfiguration
    for stage in document["resource"]["aws_apigatewayv2_stage"].values():
        stage["lifecycle"] = {"ignore_changes": "all"}  # moto has no UpdateStage
    file.write_text(json.dumps(document))
    (file.parent / "terraform.tfvars.json").write_text('{"partner_key": "secret"}')
    return file.parent


MODEL = "arn:aws:bedrock:eu-west-1:111111111111:knowledge-base/ABCDEFGHIJ"


def _document(stack: Path) -> Json:
    found: Json = json.loads((stack / "cdk.tf.json").read_text())
    return found
