"""What AWS demands of a resource that no table of limits can say: names that name each other, sizes, expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backbone.aws.limits import ENVIRONMENT_BYTES
from backbone.system.arguments import states
from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved
from backbone.system.schedule import Schedule, ScheduleError

__all__ = ["EVERY", "FACTS"]

Body = Mapping[str, Any]
Fact = Callable[[Body], Iterator[ArgumentProblem]]

RESERVED_VARIABLES = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_MAX_CONCURRENCY"),
        *("AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN", "AWS_LAMBDA_RUNTIME_API"),
    }
)
"""What a function's configuration may not set (Lambda developer guide, "Defined runtime environment variables")."""

HTTP_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def _environment(body: Body) -> Iterator[ArgumentProblem]:
    """Lambda measures all variables as one JSON object, and says so in its error ("String measured: {…}")."""
    for block in body.get("environment", []):
        variables = block.get("variables")
        if not isinstance(variables, dict):
            continue
        for name in sorted(RESERVED_VARIABLES & {*variables}):
            path = f'environment.variables["{name}"]'
            yield ArgumentProblem(path, "Lambda sets this variable itself and allows no other; name it otherwise")
        size = len(json.dumps(variables, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
        if size > ENVIRONMENT_BYTES and not any(map(is_unresolved, variables.values())):
            message = f"got {size:,} bytes as JSON; allowed: at most {ENVIRONMENT_BYTES:,} in total"
            yield ArgumentProblem("environment.variables", message)


def _table_keys(body: Body) -> Iterator[ArgumentProblem]:
    """Every key has an attribute, and every attribute is a key (DynamoDB API reference, CreateTable)."""
    defined: set[str] = set()
    for number, attribute in enumerate(body.get("attribute", [])):
        name = attribute.get("name")
        if is_unresolved(name):
            return
        if name in defined:
            yield ArgumentProblem(f"attribute[{number}].name", f"{format_value(name)} is defined twice; leave one out")
        defined.add(name)
    used = {path: name for path, name in _keys(body) if not is_unresolved(name)}
    for path, name in used.items():
        if name not in defined:
            allowed = ", ".join(sorted(map(str, defined))) or "none is"
            yield ArgumentProblem(path, f"got {format_value(name)}; allowed: a defined attribute: {allowed}")
    for name in sorted(map(str, defined - {*used.values()})):
        message = f"{format_value(name)} is neither a key of the table nor of an index; leave it out, or use it"
        yield ArgumentProblem("attribute", message)
    if body.get("hash_key") is not None and body.get("hash_key") == body.get("range_key"):
        yield ArgumentProblem("range_key", f"got {format_value(body['range_key'])}; allowed: not the hash_key as well")


def _keys(body: Body) -> Iterator[tuple[str, str]]:
    holders = [("", body)]
    for kind in ("global_secondary_index", "local_secondary_index"):
        holders += [(f"{kind}[{number}].", index) for number, index in enumerate(body.get(kind, []))]
    for place, holder in holders:
        for key in ("hash_key", "range_key"):
            if holder.get(key):
                yield place + key, holder[key]


def _table_indexes(body: Body) -> Iterator[ArgumentProblem]:
    names: set[str] = set()
    for kind in ("global_secondary_index", "local_secondary_index"):
        for number, index in enumerate(body.get(kind, [])):
            place, name = f"{kind}[{number}]", index.get("name")
            if name in names:
                yield ArgumentProblem(f"{place}.name", f"got {format_value(name)} twice; allowed: a name of its own")
            names.add(name)
            attributes, projection = index.get("non_key_attributes"), index.get("projection_type")
            if projection == "INCLUDE" and not attributes:
                yield ArgumentProblem(f"{place}.non_key_attributes", "is required for projection INCLUDE; add it")
            elif projection in ("ALL", "KEYS_ONLY") and attributes:
                message = f"got a list; not allowed for projection {projection}; leave it out"
                yield ArgumentProblem(f"{place}.non_key_attributes", message)


def _json_object(body: Body, name: str) -> dict[str, Any] | None:
    """The JSON object that an argument holds; None when there is none to judge."""
    text = body.get(name)
    if not isinstance(text, str) or is_unresolved(text):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _redrive(body: Body) -> Iterator[ArgumentProblem]:
    """Of a queue (SQS API reference, SetQueueAttributes): maxReceiveCount is 1 to 1,000."""
    policy = _json_object(body, "redrive_policy")
    if policy is None:
        return
    allowed = ("deadLetterTargetArn", "maxReceiveCount")
    for key in policy:
        if key not in allowed:
            message = f"got the key {format_value(key)}; allowed: {', '.join(allowed)}"
            yield ArgumentProblem("redrive_policy", message)
    target, count = (policy.get(key) for key in allowed)
    if not isinstance(target, str) or not re.fullmatch(r"arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w.-]+", target):
        got = format_value(target)
        yield ArgumentProblem("redrive_policy.deadLetterTargetArn", f"got {got}; allowed: the ARN of a queue")
    elif isinstance(body.get("fifo_queue", False), bool) and "name" in body:
        is_fifo = body.get("fifo_queue", False)
        if target.endswith(".fifo") != is_fifo:
            kind = "a FIFO queue" if is_fifo else "a standard queue"
            message = f"got {format_value(target)}; allowed: {kind}, like the queue itself"
            yield ArgumentProblem("redrive_policy.deadLetterTargetArn", message)
    number = int(count) if isinstance(count, str) and count.isdecimal() else count
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 1000:
        yield ArgumentProblem("redrive_policy.maxReceiveCount", f"got {format_value(count)}; allowed: 1 to 1,000")


def _redrive_allow(body: Body) -> Iterator[ArgumentProblem]:
    """Of a queue (SQS API reference, SetQueueAttributes, RedriveAllowPolicy)."""
    policy = _json_object(body, "redrive_allow_policy")
    if policy is None:
        return
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        message = f"got {format_value(permission)}; allowed: allowAll, denyAll, byQueue"
        yield ArgumentProblem("redrive_allow_policy.redrivePermission", message)
    elif (permission == "byQueue") != bool(sources):
        message = "sourceQueueArns is required for byQueue, and not allowed for others"
        yield ArgumentProblem("redrive_allow_policy.sourceQueueArns", message)
    elif isinstance(sources, list) and len(sources) > 10:
        message = f"got {len(sources)} queues; allowed: at most 10; use allowAll"
        yield ArgumentProblem("redrive_allow_policy.sourceQueueArns", message)


def _schedule(body: Body) -> Iterator[ArgumentProblem]:
    """EventBridge user guide, "Schedule types"."""
    text = body.get("schedule_expression")
    if not text or is_unresolved(text):
        return
    try:
        Schedule.parse(text)
    except ScheduleError as error:
        yield ArgumentProblem("schedule_expression", f"got {format_value(text)}; allowed: {error}")


def _route_key(body: Body) -> Iterator[ArgumentProblem]:
    """Of an HTTP API (API Gateway developer guide, "Routes"); one without space and slash may be a WebSocket API's."""
    key = body.get("route_key")
    if key is None or is_unresolved(key) or not re.search(r"[\s/]", key):
        return
    method, _, path = key.partition(" ")
    parts = path.split("/")[1:]
    variables = [part for part in parts if part.startswith("{")]
    well_formed = all(re.fullmatch(r"\{[\w.:-]+\+?\}|[^{}\s]*", part) for part in parts)
    greedy_last = all("+" not in part or part is parts[-1] for part in variables)
    if method not in HTTP_METHODS or not path.startswith("/") or not well_formed or not greedy_last:
        allowed = f"$default, or a method ({', '.join(HTTP_METHODS)}), a space and a path such as /orders/{{id}}"
        yield ArgumentProblem("route_key", f"got {format_value(key)}; allowed: {allowed}")
    elif len({part.strip("{+}") for part in variables}) < len(variables):
        yield ArgumentProblem("route_key", f"got {format_value(key)}; allowed: each variable of the path once")


def _record_age(body: Body) -> Iterator[ArgumentProblem]:
    """Lambda API reference, CreateEventSourceMapping: -1 is no end, and the least age is 60 seconds."""
    age = body.get("maximum_record_age_in_seconds")
    if isinstance(age, int) and -1 < age < 60:
        yield ArgumentProblem("maximum_record_age_in_seconds", f"got {age}; allowed: -1, or 60 to 604,800 seconds")


def _template(body: Body) -> Iterator[ArgumentProblem]:
    """Every placeholder has a path or is reserved (EventBridge user guide, "Input transformation")."""
    for block in body.get("input_transformer", []):
        template, paths = block.get("input_template"), block.get("input_paths") or {}
        if not isinstance(template, str) or is_unresolved(template) or is_unresolved(paths):
            continue
        for name in dict.fromkeys(re.findall(r"<([\w.-]+)>", template)):
            if name not in paths and not name.startswith("aws.events."):
                allowed = ", ".join(paths) or "none is defined"
                message = f"got the placeholder <{name}>; allowed: a name of input_paths ({allowed}), or aws.events.…"
                yield ArgumentProblem("input_transformer.input_template", message)


def _selection(body: Body) -> Iterator[ArgumentProblem]:
    """API Gateway API reference, CreateApi: an HTTP API chooses its routes by method and path."""
    given = body.get("route_selection_expression")
    if body.get("protocol_type") != "HTTP" or given is None:
        return
    if re.sub(r"[${}]", "", str(given)) != "request.method request.path":
        allowed = "$request.method $request.path, for an HTTP API"
        yield ArgumentProblem("route_selection_expression", f"got {format_value(given)}; allowed: {allowed}")


def _proxied(body: Body) -> Iterator[ArgumentProblem]:
    """API Gateway API reference, CreateIntegration: an HTTP proxy is called by its URL, unless over a VPC link."""
    uri = body.get("integration_uri")
    if body.get("integration_type") != "HTTP_PROXY" or body.get("connection_type") == "VPC_LINK":
        return
    if isinstance(uri, str) and not is_unresolved(uri) and not re.match("https?://", uri):
        allowed = "a URL, for an integration of type HTTP_PROXY"
        yield ArgumentProblem("integration_uri", f"got {format_value(uri)}; allowed: {allowed}")


def _authorization(body: Body) -> Iterator[ArgumentProblem]:
    """API Gateway API reference, CreateRoute: without a type anyone may call, and few types have an authorizer."""
    kind = body.get("authorization_type")
    if kind is None:
        message = "is not given, so that anyone may call; say NONE if that is meant"
        yield ArgumentProblem("authorization_type", message, "warning")
    if body.get("authorizer_id") and kind in (None, "NONE", "AWS_IAM"):
        message = f"is given for authorization {kind or 'NONE'}; allowed: for JWT and CUSTOM"
        yield ArgumentProblem("authorizer_id", message)
    if body.get("api_key_required") is True and re.search(r"[\s/]", str(body.get("route_key"))):
        yield ArgumentProblem("api_key_required", "got true; allowed: false, for a route of an HTTP API")


def _stage(body: Body) -> Iterator[ArgumentProblem]:
    """API Gateway developer guide, "Customize HTTP API access logs"; the provider sends 0 for absent limits."""
    for block in body.get("access_log_settings", []):
        text = block.get("format")
        if isinstance(text, str) and not re.search(r"\$context\.(extendedR|r)equestId\b", text):
            allowed = "a format with $context.requestId or $context.extendedRequestId"
            yield ArgumentProblem("access_log_settings.format", f"got {format_value(text)}; allowed: {allowed}")
    for block in body.get("default_route_settings", []):
        for name in ("throttling_burst_limit", "throttling_rate_limit"):
            if block.get(name) is None:
                message = "is not given, and 0 to the provider: every call is answered with 429; write a limit"
                yield ArgumentProblem(f"default_route_settings.{name}", message)
    if body.get("deployment_id") and body.get("auto_deploy") is True:
        yield ArgumentProblem("deployment_id", "is given beside auto_deploy; allowed: one of them")


def _retry(body: Body) -> Iterator[ArgumentProblem]:
    """The provider sends 0 for what a retry policy does not say; AWS refuses 0 seconds, and 0 attempts are none."""
    for block in body.get("retry_policy", []):
        if block.get("maximum_event_age_in_seconds") is None:
            message = "is not given, and 0 to the provider, which AWS refuses; write 60 to 86,400"
            yield ArgumentProblem("retry_policy.maximum_event_age_in_seconds", message)
        if block.get("maximum_retry_attempts") is None:
            message = "is not given, and 0 to the provider: nothing is tried again; write 0 if that is meant"
            yield ArgumentProblem("retry_policy.maximum_retry_attempts", message, "warning")


TARGET_BLOCKS = {
    "appsync_target": (r":appsync:", "an AppSync API"),
    "batch_target": (r":batch:", "a queue of AWS Batch"),
    "ecs_target": (r":ecs:", "a cluster of ECS"),
    "http_target": (r":events:.*:api-destination/|:execute-api:", "an API"),
    "kinesis_target": (r":kinesis:[^:]*:\d*:stream/", "a stream"),
    "redshift_target": (r":redshift(-serverless)?:", "Redshift"),
    "run_command_targets": (r":ssm:", "a document of Systems Manager"),
    "sagemaker_pipeline_target": (r":sagemaker:", "a pipeline of SageMaker"),
    "sqs_target": (r":sqs:.*\.fifo$", "a FIFO queue"),
}


def _target_blocks(body: Body) -> Iterator[ArgumentProblem]:
    """EventBridge API reference, Target: what is said for one kind of target only."""
    arn = body.get("arn")
    for name, (pattern, kind) in TARGET_BLOCKS.items():
        if body.get(name) and isinstance(arn, str) and not is_unresolved(arn) and not re.search(pattern, arn):
            yield ArgumentProblem(name, f"is given for {format_value(arn)}; allowed: for {kind}")


def _partner_bus(body: Body) -> Iterator[ArgumentProblem]:
    """EventBridge API reference, CreateEventBus: a partner's bus has the name of its source."""
    name, source = body.get("name"), body.get("event_source_name")
    if source and name != source and not is_unresolved(name) and not is_unresolved(source):
        yield ArgumentProblem("event_source_name", f"got {format_value(source)}; allowed: the name of the bus")


def _network(body: Body) -> Iterator[ArgumentProblem]:
    """Lambda API reference, VpcConfig: subnets and security groups come together."""
    for block in body.get("vpc_config", []):
        subnets, groups = block.get("subnet_ids") or [], block.get("security_group_ids") or []
        if bool(subnets) != bool(groups):
            yield ArgumentProblem("vpc_config", "needs both subnet_ids and security_group_ids, or neither")


def _file_system(body: Body) -> Iterator[ArgumentProblem]:
    """Lambda developer guide, "Configuring file system access": it is reached over the function's VPC."""
    if body.get("file_system_config") and not body.get("vpc_config"):
        yield ArgumentProblem("file_system_config", "needs vpc_config, by which the file system is reached")


def _encryption(body: Body) -> Iterator[ArgumentProblem]:
    """SQS developer guide, "Encryption at rest"."""
    if body.get("sqs_managed_sse_enabled") is False and not body.get("kms_master_key_id"):
        message = "got false, and there is no kms_master_key_id: messages are not encrypted; leave it out"
        yield ArgumentProblem("sqs_managed_sse_enabled", message, "warning")


def _policy_name(body: Body) -> Iterator[ArgumentProblem]:
    if body.get("policy_name") == "":
        yield ArgumentProblem("policy_name", 'got ""; allowed: a name')


MAX_TAGS = 50
"""Tagging guide, "Tag naming limits and requirements"; those of the provider's default_tags count as well."""


def _tags(body: Body) -> Iterator[ArgumentProblem]:
    tags = body.get("tags")
    if not isinstance(tags, dict):
        return
    if len(tags) > MAX_TAGS:
        yield ArgumentProblem("tags", f"got {len(tags)} tags; allowed: at most {MAX_TAGS}")
    for key in tags:
        if key.lower().startswith("aws:"):
            yield ArgumentProblem("tags", f"got the key {format_value(key)}; allowed: none of AWS's own, aws:…")


EVERY: tuple[Fact, ...] = (_tags,)
"""What holds for every type."""

FACTS: Mapping[str, tuple[Fact, ...]] = {
    "aws_apigatewayv2_api": (_selection,),
    "aws_apigatewayv2_integration": (_proxied,),
    "aws_apigatewayv2_route": (_route_key, _authorization),
    "aws_apigatewayv2_stage": (_stage,),
    "aws_cloudwatch_event_bus": (_partner_bus,),
    "aws_cloudwatch_event_rule": (_schedule,),
    "aws_cloudwatch_event_target": (_template, _retry, _target_blocks),
    "aws_cloudwatch_log_resource_policy": (_policy_name,),
    "aws_dynamodb_table": (_table_keys, _table_indexes),
    "aws_lambda_event_source_mapping": (_record_age,),
    "aws_lambda_function": (_environment, _network, _file_system),
    "aws_sfn_state_machine": (states.definition,),
    "aws_sqs_queue": (_redrive, _redrive_allow, _encryption),
    "aws_sqs_queue_redrive_allow_policy": (_redrive_allow,),
    "aws_sqs_queue_redrive_policy": (_redrive,),
}
