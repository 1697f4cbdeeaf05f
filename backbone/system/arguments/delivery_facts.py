"""What Firehose and S3 demand of a delivery stream and of its bucket.

Sources: Firehose developer guide, "Custom prefixes for Amazon S3 objects", "Partition streaming data"; Firehose API
reference, Processor; S3 user guide, "Lifecycle configuration elements", "Transitioning objects".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved

__all__ = ["DELIVERY_FACTS"]

Body = Mapping[str, Any]
Fact = Callable[[Body], Iterator[ArgumentProblem]]

FILES = "extended_s3_configuration"
EXPRESSION = re.compile(r"!\{([^}:]*):?([^}]*)\}")
PARTITION_KEYS = ("partitionKeyFromLambda", "partitionKeyFromQuery")
ERROR_TYPE = "error-output-type"

PROCESSOR_NEEDS: Mapping[str, Sequence[str]] = {
    "Lambda": ("LambdaArn",),
    "MetadataExtraction": ("JsonParsingEngine", "MetadataExtractionQuery"),
}

INFREQUENT = ("ONEZONE_IA", "STANDARD_IA")
INFREQUENT_DAYS = 30
"""Objects are this old at least when they go to storage for infrequent access."""

BLOCKING = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")

ACTIONS = (
    *("abort_incomplete_multipart_upload", "expiration", "noncurrent_version_expiration"),
    *("noncurrent_version_transition", "transition"),
)


def _destination(body: Body) -> Iterator[ArgumentProblem]:
    """A stream has the block of its destination, and of no other."""
    destination = body.get("destination")
    if not isinstance(destination, str) or is_unresolved(destination):
        return
    own = f"{destination}_configuration"
    if not body.get(own):
        yield ArgumentProblem(own, f"is required for the destination {destination}; add it")
    for name in body:
        if name.endswith("_configuration") and not name.endswith("source_configuration") and name != own and body[name]:
            yield ArgumentProblem(name, f"is given for the destination {destination}; allowed: {own} only")


def _closed(body: Body) -> Iterator[ArgumentProblem]:
    """S3 user guide, "Blocking public access": what is not said here is not blocked."""
    for name in BLOCKING:
        if body.get(name) is not True and not is_unresolved(body.get(name)):
            words = "is not true: a policy or list can make the bucket public; write true"
            yield ArgumentProblem(name, words, "warning")


def _at_rest(body: Body) -> Iterator[ArgumentProblem]:
    if not body.get("server_side_encryption") and not body.get("kinesis_source_configuration"):
        words = "is not given: what waits to be delivered is not encrypted; add it, with enabled"
        yield ArgumentProblem("server_side_encryption", words, "warning")
    for block in body.get("server_side_encryption", []):
        if block.get("enabled") is None and block.get("key_arn"):
            yield ArgumentProblem("server_side_encryption.enabled", "is required for a key; add it")
        elif block.get("enabled") is not True and not is_unresolved(block.get("enabled")):
            words = "is not true: what waits to be delivered is not encrypted; write true, or leave the block out"
            yield ArgumentProblem("server_side_encryption.enabled", words, "warning")


def _prefixes(body: Body) -> Iterator[ArgumentProblem]:
    """Which expressions the names of files may have, and that failures are told apart by their kind."""
    for block in body.get(FILES, []):
        prefix, errors = block.get("prefix"), block.get("error_output_prefix")
        if is_unresolved(prefix) or is_unresolved(errors):
            continue
        dynamic = any(each.get("enabled") is True for each in block.get("dynamic_partitioning_configuration", []))
        found = EXPRESSION.findall(prefix or "")
        for namespace, name in found:
            if words := _misplaced(namespace, name, PARTITION_KEYS if dynamic else ()):
                yield ArgumentProblem(f"{FILES}.prefix", words)
        if dynamic and not any(namespace in PARTITION_KEYS for namespace, _ in found):
            words = "has no !{partitionKeyFromQuery:…} or !{partitionKeyFromLambda:…}, by which events are parted"
            yield ArgumentProblem(f"{FILES}.prefix", words)
        of_errors = EXPRESSION.findall(errors or "")
        for namespace, name in of_errors:
            if (namespace, name) != ("firehose", ERROR_TYPE) and (words := _misplaced(namespace, name, ())):
                yield ArgumentProblem(f"{FILES}.error_output_prefix", words)
        if found and ("firehose", ERROR_TYPE) not in of_errors:
            words = f"got {format_value(errors)}; allowed: with !{{firehose:{ERROR_TYPE}}}, as prefix has expressions"
            yield ArgumentProblem(f"{FILES}.error_output_prefix", words)


def _misplaced(namespace: str, name: str, keys: Sequence[str]) -> str | None:
    if (namespace == "timestamp" or namespace in keys) and name:
        return None
    if (namespace, name) == ("firehose", "random-string"):
        return None
    allowed = ", ".join(f"!{{{each}:…}}" for each in ("timestamp", *keys))
    return f"got !{{{namespace}:{name}}}; allowed: {allowed}, !{{firehose:random-string}}"


def _processors(body: Body) -> Iterator[ArgumentProblem]:
    place = f"{FILES}.processing_configuration"
    for block in (each for files in body.get(FILES, []) for each in files.get("processing_configuration", [])):
        processors = block.get("processors", [])
        if processors and block.get("enabled") is not True and not is_unresolved(block.get("enabled")):
            yield ArgumentProblem(f"{place}.enabled", "is not true: the processors do nothing; write true", "warning")
        for processor in processors:
            given = {each.get("parameter_name") for each in processor.get("parameters", [])}
            for name in PROCESSOR_NEEDS.get(str(processor.get("type")), ()):
                if name not in given:
                    words = f"{name} is required for a processor of type {processor['type']}; add it"
                    yield ArgumentProblem(f"{place}.processors.parameters", words)


def _aging(body: Body) -> Iterator[ArgumentProblem]:
    """The rules by which objects of a bucket move and go."""
    rules = body.get("rule", [])
    names = [rule.get("id") for rule in rules]
    for number, rule in enumerate(rules):
        place = "rule" if len(rules) == 1 else f"rule[{number}]"
        if rule.get("id") is not None and names.index(rule["id"]) < number:
            words = f"got {format_value(rule['id'])} twice; allowed: a name of its own"
            yield ArgumentProblem(f"{place}.id", words)
        if not any(rule.get(action) for action in ACTIONS):
            yield ArgumentProblem(place, f"does nothing; allowed: with {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}")
        for block in rule.get("abort_incomplete_multipart_upload", []):
            if block.get("days_after_initiation") is None:
                words = "is required: after how many days; add it"
                yield ArgumentProblem(f"{place}.abort_incomplete_multipart_upload.days_after_initiation", words)
        for name, choices in (("transition", ("days", "date")), ("expiration", (*EXPIRING,))):
            for block in rule.get(name, []):
                yield from _exactly_one(block, f"{place}.{name}", choices)
        for block in rule.get("filter", []):
            if any(each.get("tags") == {} for each in block.get("and", [])):
                yield ArgumentProblem(f"{place}.filter.and.tags", "got an empty object; allowed: at least a tag")
            given = [each for each in FILTERS if block.get(each) not in (None, [])]
            if len(given) > 1:
                words = f"is given beside {given[0]}; allowed: one of {', '.join(FILTERS)}; and holds several"
                yield ArgumentProblem(f"{place}.filter.{given[1]}", words)
        yield from _days(rule, place)


EXPIRING = ("days", "date", "expired_object_delete_marker")
FILTERS = ("and", "object_size_greater_than", "object_size_less_than", "prefix", "tag")


def _exactly_one(block: Body, place: str, choices: Sequence[str]) -> Iterator[ArgumentProblem]:
    given = [name for name in choices if block.get(name) not in (None, "")]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        yield ArgumentProblem(place, f"got {got}; allowed: one of {', '.join(choices)}")


def _days(rule: Body, place: str) -> Iterator[ArgumentProblem]:
    latest, storages = 0, []
    for block in rule.get("transition", []):
        days, storage = block.get("days"), block.get("storage_class")
        if storage in storages:
            words = f"got {format_value(storage)} twice; allowed: another one for each transition"
            yield ArgumentProblem(f"{place}.transition.storage_class", words)
        storages.append(storage)
        if not isinstance(days, int):
            continue
        latest = max(latest, days)
        if storage in INFREQUENT and days < INFREQUENT_DAYS:
            words = f"got {days}; allowed: at least {INFREQUENT_DAYS} days, for {storage}"
            yield ArgumentProblem(f"{place}.transition.days", words)
    for block in rule.get("expiration", []):
        days = block.get("days")
        if isinstance(days, int) and rule.get("transition") and days <= latest:
            words = f"got {days}; allowed: more than the {latest} days after which objects move"
            yield ArgumentProblem(f"{place}.expiration.days", words)


DELIVERY_FACTS: Mapping[str, tuple[Fact, ...]] = {
    "aws_kinesis_firehose_delivery_stream": (_destination, _at_rest, _prefixes, _processors),
    "aws_s3_bucket_lifecycle_configuration": (_aging,),
    "aws_s3_bucket_public_access_block": (_closed,),
}
