"""Dangers that the change of one resource shows: what is destroyed, cut short, switched off or opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backbone.deployment.dangers import Danger, danger
from backbone.system.checks.keys import KEYS
from backbone.system.findings import Severity
from backbone.system.plan import Change

__all__ = ["dangers_of"]

REMOVED = {
    "aws_apigatewayv2_api": "api-removed",
    "aws_apigatewayv2_stage": "api-removed",
    "aws_cloudwatch_event_archive": "archive-removed",
    "aws_cloudwatch_event_bus": "bus-removed",
    "aws_cloudwatch_log_group": "log-removed",
    "aws_dynamodb_table": "table-removed",
    "aws_kinesis_stream": "stream-removed",
    "aws_kms_key": "key-removed",
    "aws_lambda_event_source_mapping": "mapping-disabled",
    "aws_pipes_pipe": "mapping-disabled",
    "aws_sqs_queue": "queue-removed",
}
"""What a resource takes with it."""

REPLACEABLE = {"aws_lambda_event_source_mapping", "aws_pipes_pipe"}
"""What loses nothing when it is made anew."""

FOREVER = float("inf")


@dataclass(frozen=True)
class Cut:
    """A number that is a danger when it falls. `default` is that of AWS; `forever` is as good as no limit."""

    rule: str
    path: str
    words: str
    default: float
    forever: float | None = None


CUTS: dict[str, tuple[Cut, ...]] = {
    "aws_apigatewayv2_stage": (
        Cut("throttling-cut", "default_route_settings.throttling_rate_limit", "calls a second", FOREVER),
        Cut("throttling-cut", "default_route_settings.throttling_burst_limit", "calls at once", FOREVER),
    ),
    "aws_cloudwatch_event_api_destination": (
        Cut("throttling-cut", "invocation_rate_limit_per_second", "calls a second", 300),
    ),
    "aws_cloudwatch_event_archive": (Cut("archive-shortened", "retention_days", "days", FOREVER, 0),),
    "aws_cloudwatch_event_target": (
        Cut("retries-cut", "retry_policy.maximum_event_age_in_seconds", "seconds of retries", 86_400),
        Cut("retries-cut", "retry_policy.maximum_retry_attempts", "retries", 185),
    ),
    "aws_cloudwatch_log_group": (Cut("log-shortened", "retention_in_days", "days", FOREVER, 0),),
    "aws_kinesis_stream": (
        Cut("stream-shortened", "retention_period", "hours", 24),
        Cut("throttling-cut", "shard_count", "shards", 0),
    ),
    "aws_lambda_event_source_mapping": (
        Cut("retries-cut", "maximum_record_age_in_seconds", "seconds of retries", FOREVER, -1),
        Cut("retries-cut", "maximum_retry_attempts", "retries", FOREVER, -1),
    ),
    "aws_lambda_function_event_invoke_config": (
        Cut("retries-cut", "maximum_event_age_in_seconds", "seconds of retries", 21_600),
        Cut("retries-cut", "maximum_retry_attempts", "retries", 2),
    ),
    "aws_pipes_pipe": tuple(
        Cut("retries-cut", f"source_parameters.{kind}_stream_parameters.{name}", words, FOREVER, -1)
        for kind in ("dynamodb", "kinesis")
        for name, words in (
            ("maximum_record_age_in_seconds", "seconds of retries"),
            ("maximum_retry_attempts", "retries"),
        )
    ),
    "aws_sqs_queue": (
        Cut("queue-shortened", "message_retention_seconds", "seconds", 345_600),
        Cut("retries-cut", "redrive_policy.maxReceiveCount", "receives of a message", FOREVER),
        Cut("size-cut", "max_message_size", "bytes", 262_144),
    ),
}

SWITCHED_OFF = {
    "aws_dynamodb_table": (
        ("protection-removed", "deletion_protection_enabled", "it may be deleted from now on"),
        ("protection-removed", "point_in_time_recovery.enabled", "it is no longer backed up continuously"),
        ("stream-removed", "stream_enabled", "its stream of changes ends"),
        ("encryption-removed", "server_side_encryption.enabled", "it leaves its key for AWS's own"),
    ),
    "aws_kms_key": (("key-removed", "is_enabled", "it is disabled"),),
    "aws_lambda_event_source_mapping": (("mapping-disabled", "enabled", "it is disabled"),),
    "aws_sqs_queue": (("encryption-removed", "sqs_managed_sse_enabled", "it is no longer encrypted"),),
}
"""Switches that are a danger when they go from true to false."""


def dangers_of(change: Change) -> Iterator[Danger]:
    """The dangers in the change of one resource."""
    if change.action == "forget":
        yield danger("left-behind", change.id, "Terraform forgets it and leaves it at AWS")
        return
    if change.removes and change.type in REMOVED and not (change.action == "replace" and change.type in REPLACEABLE):
        word = "deleted" if change.action == "delete" else f"replaced{_why(change)}"
        yield danger(REMOVED[change.type], change.id, f"{_name(change)} is {word}")
    if change.action != "delete" and change.before:
        for cut in CUTS.get(change.type, ()):
            yield from _cut(change, cut)
        yield from _switches(change)
        yield from _encryption(change)
    if (more := MORE.get(change.type)) is not None:
        yield from more(change)


def value(values: Mapping[str, Any], path: str) -> Any:
    """What stands at a path of arguments, blocks (lists of one) and JSON texts; None where nothing does."""
    found: Any = values
    for step in path.split("."):
        if isinstance(found, str):
            found = _document(found)
        if isinstance(found, list):
            found = found[0] if found else None
        found = found.get(step) if isinstance(found, dict) else None
    return None if found in ("", [], {}) else found


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _name(change: Change) -> str:
    """What a resource is called at AWS."""
    values = change.before or change.after
    return str(
        next((values[key] for key in ("name", "function_name", "route_key", "id") if key in values), change.address)
    )


def _why(change: Change) -> str:
    """What of a replaced resource differs, as far as it is few."""
    names = [name for name in ("name", "hash_key", "range_key", "protocol_type", "fifo_queue") if change.differs(name)]
    return f", because of another {' and '.join(names)}" if names else ""


def _cut(change: Change, cut: Cut) -> Iterator[Danger]:
    before, after = (_number(value(values, cut.path), cut) for values in (change.before, change.after))
    if cut.path.split(".")[0] in change.unknown and value(change.after, cut.path) is None:
        return
    if after < before:
        words = f"{_shown(before)} {cut.words} become {_shown(after)}"
        yield danger(cut.rule, change.id, f"{_name(change)}: {words}")


def _number(found: Any, cut: Cut) -> float:
    if found is None:
        return cut.default
    number = float(found)
    return FOREVER if number == cut.forever else number


def _shown(number: float) -> str:
    return "unlimited" if number == FOREVER else f"{number:,g}"


def _switches(change: Change) -> Iterator[Danger]:
    for rule, path, words in SWITCHED_OFF.get(change.type, ()):
        if change.unknown.get(path.split(".")[0]) is True:
            continue
        if value(change.before, path) is True and value(change.after, path) is not True:
            if path == "sqs_managed_sse_enabled" and value(change.after, KEYS[change.type]):
                continue  # by a key instead
            yield danger(rule, change.id, f"{_name(change)}: {words}")


def _encryption(change: Change) -> Iterator[Danger]:
    path = KEYS.get(change.type)
    if path is None or change.unknown.get(path.split(".")[0]):
        return
    before, after = value(change.before, path), value(change.after, path)
    if before and not after:
        yield danger("encryption-removed", change.id, f"{_name(change)}: it leaves the key {before}")
    elif before and before != after:
        yield danger("key-changed", change.id, f"{_name(change)}: its key is {after} from now on")


def _archive(change: Change) -> Iterator[Danger]:
    before, after = change.before.get("event_pattern"), change.after.get("event_pattern")
    if change.action == "update" and after and _document(after) != _document(before or "null"):
        yield danger("archive-narrowed", change.id, f"{_name(change)} keeps only what matches {after} from now on")


def _bus(change: Change) -> Iterator[Danger]:
    path = "dead_letter_config.arn"
    before, after = value(change.before, path), value(change.after, path)
    if change.action == "update" and before and not after and not change.unknown.get("dead_letter_config"):
        yield danger("dead-letters-detached", change.id, f"what fails no longer goes to {before}")


def _rule(change: Change) -> Iterator[Danger]:
    def on(values: Mapping[str, Any]) -> bool:
        return values.get("state", "ENABLED") != "DISABLED" and values.get("is_enabled") is not False

    if change.before and change.after and on(change.before) and not on(change.after):
        yield danger("rule-disabled", change.id, f"the rule {_name(change)} is disabled")


def _function(change: Change) -> Iterator[Danger]:
    reserved = change.after.get("reserved_concurrent_executions")
    if change.before and reserved == 0 != change.before.get("reserved_concurrent_executions"):
        yield danger("function-stopped", change.id, f"{_name(change)} may run no invocation at all")


def _table(change: Change) -> Iterator[Danger]:
    before, after = (value(values, "ttl.enabled") is True for values in (change.before, change.after))
    attribute = value(change.after, "ttl.attribute_name")
    if [values.get("billing_mode") for values in (change.before, change.after)] == ["PAY_PER_REQUEST", "PROVISIONED"]:
        yield danger("throttling-cut", change.id, f"{_name(change)}: its capacity no longer follows the traffic")
    if change.before and after and (not before or attribute != value(change.before, "ttl.attribute_name")):
        yield danger("expiry-added", change.id, f"{_name(change)}: items are deleted at the time in {attribute}")


def _role(change: Change) -> Iterator[Danger]:
    limits = [values.get("permissions_boundary") for values in (change.before, change.after, change.unknown)]
    if change.action != "delete" and limits[0] and not any(limits[1:]):
        yield danger("access-widened", change.id, f"{_name(change)} loses its permissions boundary")


def _mapping(change: Change) -> Iterator[Danger]:
    yield from _filtered(change, "filter_criteria", "its function")


def _filtered(change: Change, path: str, who: str) -> Iterator[Danger]:
    before, after = value(change.before, path), value(change.after, path)
    if change.before and after and after != before:
        yield danger("mapping-narrowed", change.id, f"{who} is no longer given everything")


def _pipe(change: Change) -> Iterator[Danger]:
    yield from _filtered(change, "source_parameters.filter_criteria", "its target")
    stopped = [values.get("desired_state") == "STOPPED" for values in (change.before, change.after)]
    if change.before and change.after and stopped == [False, True]:
        yield danger("mapping-disabled", change.id, f"{_name(change)} is stopped")


def _url(change: Change) -> Iterator[Danger]:
    kinds = [values.get("authorization_type") for values in (change.before, change.after)]
    if kinds[1] == "NONE" != kinds[0]:
        yield danger("authorization-removed", change.id, "the function's URL asks its callers for nothing")


def _api_destination(change: Change) -> Iterator[Danger]:
    before, after = (values.get("invocation_endpoint") for values in (change.before, change.after))
    if before and after and before != after:
        yield danger("sent-elsewhere", change.id, f"events go to {after} instead of {before}")


def _stream(change: Change) -> Iterator[Danger]:
    modes = [value(values, "stream_mode_details.stream_mode") for values in (change.before, change.after)]
    if modes == ["ON_DEMAND", "PROVISIONED"]:
        yield danger("throttling-cut", change.id, f"{_name(change)}: its shards no longer follow the traffic")
    types = [values.get("encryption_type") for values in (change.before, change.after)]
    if types == ["KMS", "NONE"] and not change.before.get("kms_key_id"):  # of a key that goes _encryption tells
        yield danger("encryption-removed", change.id, f"{_name(change)}: it is no longer encrypted")


def _api(change: Change) -> Iterator[Danger]:
    disabled = "disable_execute_api_endpoint"
    if change.before and change.after.get(disabled) is True and change.before.get(disabled) is not True:
        yield danger("api-removed", change.id, f"the endpoint of {_name(change)} is disabled")
    before, after = (
        value(values, "cors_configuration.allow_origins") or [] for values in (change.before, change.after)
    )
    if change.before and "*" in after and "*" not in before:
        yield danger("access-widened", change.id, "the pages of every site may call it")


def _route(change: Change) -> Iterator[Danger]:
    before, after = (values.get("authorization_type", "NONE") for values in (change.before, change.after))
    key = change.after.get("route_key")
    if change.action == "delete" or (change.before and change.before.get("route_key") != key):
        yield danger("route-removed", change.id, f"{change.before.get('route_key')} is no longer answered")
    elif after == "NONE" and not change.before:
        severity: Severity = "note" if change.unknown.get("api_id") else "warning"  # of an API that is new as well
        yield danger("route-open", change.id, f"{key} asks its callers for nothing", severity=severity)
    elif after == "NONE" and before != "NONE":
        yield danger("authorization-removed", change.id, f"{key} asks its callers for nothing any more")
    elif change.before and any(
        change.before.get(name) and not change.unknown.get(name) and change.differs(name)
        for name in ("authorization_type", "authorizer_id", "authorization_scopes")
    ):
        yield danger("authorization-changed", change.id, f"{key} asks its callers for something else")


def _authorizer(change: Change) -> Iterator[Danger]:
    if change.action == "update" and (change.differs("jwt_configuration") or change.differs("authorizer_uri")):
        issuers = [value(values, "jwt_configuration.issuer") for values in (change.before, change.after)]
        words = f"tokens of {issuers[1]} instead of {issuers[0]}" if issuers[0] != issuers[1] else "other tokens"
        yield danger("authorization-changed", change.id, f"it takes {words}")


MORE: dict[str, Callable[[Change], Iterator[Danger]]] = {
    "aws_apigatewayv2_api": _api,
    "aws_apigatewayv2_authorizer": _authorizer,
    "aws_apigatewayv2_route": _route,
    "aws_cloudwatch_event_api_destination": _api_destination,
    "aws_cloudwatch_event_archive": _archive,
    "aws_cloudwatch_event_bus": _bus,
    "aws_cloudwatch_event_rule": _rule,
    "aws_dynamodb_table": _table,
    "aws_iam_role": _role,
    "aws_kinesis_stream": _stream,
    "aws_lambda_event_source_mapping": _mapping,
    "aws_lambda_function": _function,
    "aws_lambda_function_url": _url,
    "aws_pipes_pipe": _pipe,
}
"""What else can be dangerous in the changes of a type."""
