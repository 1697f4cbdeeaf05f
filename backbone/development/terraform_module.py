"""A Terraform module for a service whose team deploys it: from its local bus to its function or queue, and back.

It is Terraform's JSON syntax, which the simulator reads. Its policies are those of the backbone's own services.
"""

from __future__ import annotations

from typing import Any, Literal

from backbone.aws import policies
from backbone.aws.limits import RULE_NAME_CHARACTERS
from backbone.topology import Topology, routing

__all__ = ["To", "module"]

To = Literal["function", "queue"]
Json = dict[str, Any]

RETENTION_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps a message (SQS quotas)."""

RULE_ARN, FAILURES_ARN = "${aws_cloudwatch_event_rule.events.arn}", "${aws_sqs_queue.failures.arn}"
DEAD_LETTERS_ARN = "${aws_sqs_queue.dead_letters.arn}"

VARIABLES = {
    "function_arn": "The ARN of the function that handles the events.",
    "kms_key_arn": "The ARN of the key that encrypts the account's queues.",
    "queue_arn": "The ARN of the queue that gets the events.",
    "queue_url": "The URL of the queue that gets the events. The module makes the queue's whole policy.",
}


def module(topology: Topology, service: str, to: To) -> Json:
    """The module's document. Its role needs a permission where the service publishes, or where a function fails."""
    entry = topology.services[service]
    receives = bool(entry.subscribes)
    resources: Json = _receiving(topology, service, to) if receives else {}
    allowed: list[Json] = []
    if entry.publishes:
        types: dict[tuple[str, str], list[str]] = {}
        for event in topology.published_by(service):
            types.setdefault((event.source, topology.hub_of(service, event).arn), []).append(event.detail_type)
        for (source, bus), detail_types in sorted(types.items()):
            allowed += policies.put_events(bus, source=source, detail_types=detail_types)["Statement"]
    if receives and to == "function":
        allowed += policies.allow(["sqs:SendMessage"], FAILURES_ARN)["Statement"]
        if topology.kms_key_of(entry.account):
            allowed += policies.allow(["kms:Decrypt", "kms:GenerateDataKey"], "${var.kms_key_arn}")["Statement"]
    if allowed:
        document = {"Statement": allowed, "Version": "2012-10-17"}
        body = {"name": "${var.name}", "role": "${var.role_name}", "policy": policies.to_json(document)}
        resources["aws_iam_role_policy"] = {"events": body}
    return {
        "//": f"Connects {service} to the backbone {topology.name}: written by `backbone handover`, for its account.",
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.0"}}},
        "variable": _variables(topology, service, to, receives=receives, has_role=bool(allowed)),
        "resource": resources,
        "output": _outputs(resources),
    }


def _variables(topology: Topology, service: str, to: To, *, receives: bool, has_role: bool) -> Json:
    name = topology.names.of_service(service, "events", RULE_NAME_CHARACTERS)
    found: Json = {"name": {"type": "string", "default": name, "description": "Begins the names of all resources."}}
    wanted = (["function_arn"] if to == "function" else ["queue_arn", "queue_url"]) if receives else []
    key = topology.kms_key_of(topology.services[service].account)
    wanted += ["kms_key_arn"] if receives and key else []
    found |= {name: {"type": "string", "description": VARIABLES[name]} for name in wanted}
    if "kms_key_arn" in found and key != "create":
        found["kms_key_arn"]["default"] = key
    if has_role:
        found["role_name"] = {"type": "string", "description": "The name of the role of what handles and publishes."}
    return found


def _outputs(resources: Json) -> Json:
    queues = resources.get("aws_sqs_queue", {})
    words = {
        "dead_letters": "Gets the events that could not be delivered: put an alarm on it.",
        "failures": "Gets the events that the function failed at: put an alarm on it.",
    }
    return {
        f"{name}_queue_arn": {"value": f"${{aws_sqs_queue.{name}.arn}}", "description": words[name]} for name in queues
    }


def _receiving(topology: Topology, service: str, to: To) -> Json:
    """The rule on the local bus and what its deliveries need."""
    entry, retry = topology.services[service], topology.retry_of(service)
    bus, has_key = topology.local_bus(service), topology.kms_key_of(entry.account) is not None
    queues = ["dead_letters", "failures"] if to == "function" else ["dead_letters"]
    permission = "aws_lambda_permission" if to == "function" else "aws_sqs_queue_policy"
    target = {
        "rule": "${aws_cloudwatch_event_rule.events.name}",
        "event_bus_name": bus,
        "target_id": "subscriber",
        "arn": f"${{var.{to}_arn}}",
        "retry_policy": {
            "maximum_event_age_in_seconds": retry.max_age_seconds,
            "maximum_retry_attempts": retry.max_attempts,
        },
        "dead_letter_config": {"arn": DEAD_LETTERS_ARN},
        # A delivery before these are there fails, and the failure has nowhere to go.
        "depends_on": [f"{permission}.events", "aws_sqs_queue_policy.dead_letters"],
    }
    rule = {
        "name": "${var.name}",
        "description": f"Events for {service}",
        "event_bus_name": bus,
        "event_pattern": routing.to_json(routing.subscription(entry.subscribes)),
    }
    return {
        "aws_cloudwatch_event_rule": {"events": rule},
        "aws_cloudwatch_event_target": {"events": target},
        **(_to_function() if to == "function" else _to_queue()),
        "aws_sqs_queue": {name: _queue(name, has_key=has_key) for name in queues},
    }


def _to_function() -> Json:
    permission = {
        "function_name": "${var.function_arn}",
        "action": "lambda:InvokeFunction",
        "principal": "events.amazonaws.com",
        "source_arn": RULE_ARN,
    }
    failures = {
        "function_name": "${var.function_arn}",
        "destination_config": {"on_failure": {"destination": FAILURES_ARN}},
        "depends_on": ["aws_iam_role_policy.events"],  # Lambda tries the role when the destination is set
    }
    return {
        "aws_sqs_queue_policy": {"dead_letters": _policy("${aws_sqs_queue.dead_letters.url}", DEAD_LETTERS_ARN)},
        "aws_lambda_permission": {"events": permission},
        "aws_lambda_function_event_invoke_config": {"failures": failures},
    }


def _to_queue() -> Json:
    return {
        "aws_sqs_queue_policy": {
            "dead_letters": _policy("${aws_sqs_queue.dead_letters.url}", DEAD_LETTERS_ARN),
            "events": _policy("${var.queue_url}", "${var.queue_arn}"),
        },
    }


def _queue(name: str, *, has_key: bool) -> Json:
    encryption = {"kms_master_key_id": "${var.kms_key_arn}"} if has_key else {"sqs_managed_sse_enabled": True}
    return {
        "name": f"${{var.name}}-{name.replace('_', '-')}",
        "message_retention_seconds": RETENTION_SECONDS,
        **encryption,
    }


def _policy(url: str, arn: str) -> Json:
    return {"queue_url": url, "policy": policies.to_json(policies.queue(arn, source_arn=RULE_ARN))}
