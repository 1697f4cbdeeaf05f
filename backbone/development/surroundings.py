"""What is around a service whose team deploys it, for the simulator: the backbone's stacks, and what the team has."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone import manifest
from backbone.aws import names, policies
from backbone.synthesis import output
from backbone.system.keys import Key
from backbone.system.reader import read
from backbone.topology import Topology
from backbone.topology.hubs import elsewhere_json
from backbone.topology.state import Local

__all__ = ["Simulated", "simulate", "simulated_name"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Simulated:
    """The files to simulate, by their paths, and what the variables of the team's module are there."""

    texts: dict[str, str]
    values: dict[str, str]


def simulated_name(topology: Topology, service: str) -> str:
    """The name of what stands for the team's function or queue and for its role."""
    return topology.names.of_service(service, "own")


def simulate(topology: Topology, service: str, module: Json) -> Simulated:
    """The backbone without anybody's code, state or way in, and what stands for the team's own Terraform."""
    account = topology.services[service].account
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        stacks = output.synth(_bare(topology), folder)
        files = [folder / manifest.FILE_NAME, *(stack.file for stack in stacks)]
        texts = {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}
        keys = [key.arn for key in read(folder).system.of(Key) if key.account == account]
    declared = topology.kms_key_of(account)
    key = keys[0] if declared == "create" else declared
    variables = module["variable"]
    own = _own_stack(topology, service, variables, key)
    texts["stacks/_own/cdk.tf.json"] = json.dumps(own, indent=2) + "\n"
    values = {
        "name": variables["name"]["default"],
        "function_arn": "${aws_lambda_function.own.arn}",
        "kms_key_arn": key or "",
        "queue_arn": "${aws_sqs_queue.own.arn}",
        "queue_url": "${aws_sqs_queue.own.url}",
        "role_name": "${aws_iam_role.own.name}",
    }
    return Simulated(texts, {name: values[name] for name in variables})


def _bare(topology: Topology) -> Topology:
    without_code: Json = {"module": None, "settings": {}, "relays": {}}
    without_way_in = {"deploy_role": None, "profile": None}
    services, accounts = topology.services.items(), topology.accounts.items()
    return topology.model_copy(
        update={
            "services": {name: entry.model_copy(update=without_code) for name, entry in services},
            "accounts": {name: entry.model_copy(update=without_way_in) for name, entry in accounts},
            "state": Local(),
        }
    )


def _environment(topology: Topology, service: str) -> dict[str, str]:
    """What the runtime reads from a function's environment."""
    return {
        "EVENT_BUS_ARN": topology.hubs_of(service)[0].arn,
        **({"EVENT_BUS_ARNS": elsewhere} if (elsewhere := elsewhere_json(topology.elsewhere(service))) else {}),
        "EVENT_SOURCE": topology.source_of(service),
        "POWERTOOLS_METRICS_NAMESPACE": topology.name,
        "POWERTOOLS_SERVICE_NAME": service,
    }


def _own_stack(topology: Topology, service: str, variables: Json, key: str | None) -> Json:
    """A function or queue, and a role, as far as the module asks for them."""
    account = topology.services[service].account
    place, own = topology.place(account), simulated_name(topology, service)
    resources: Json = {}
    if "role_name" in variables:
        trust = policies.to_json(policies.trust("lambda.amazonaws.com"))
        resources["aws_iam_role"] = {"name": own, "assume_role_policy": trust}
    if "queue_arn" in variables:
        encryption = {"kms_master_key_id": key} if key else {"sqs_managed_sse_enabled": True}
        resources["aws_sqs_queue"] = {"name": own, **encryption}
    if "function_arn" in variables:
        log_group = names.function_log_group(own)
        log_arn = place.arn("logs", f"log-group:{log_group}:*")
        writing = policies.to_json(policies.allow(["logs:CreateLogStream", "logs:PutLogEvents"], log_arn))
        resources |= {
            "aws_cloudwatch_log_group": {"name": log_group, "retention_in_days": 7, "kms_key_id": key},
            "aws_iam_role_policy": {"role": "${aws_iam_role.own.name}", "policy": writing},
            "aws_lambda_function": {
                "function_name": own,
                "role": "${aws_iam_role.own.arn}",
                "filename": "code.zip",
                "handler": "handler.on_event",
                "runtime": "python3.13",
                "architectures": ["arm64"],
                "timeout": 30,
                "layers": [place.arn("lambda", "layer:event-backbone-python313-arm64:1")],
                "environment": {"variables": _environment(topology, service)},
                "kms_key_arn": key,
            },
        }
    provider = {"alias": account, "region": topology.region, "allowed_account_ids": [place.account_id]}
    return {
        "provider": {"aws": [provider]},
        "resource": {kind: {"own": {"provider": f"aws.{account}", **body}} for kind, body in resources.items()},
    }
