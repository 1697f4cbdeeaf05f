"""Queues and streams that are to be read by functions: that a function reads them, and that it can be given something.

Sources: Lambda developer guide, "Using Lambda with Amazon SQS", "Using AWS Lambda with Amazon DynamoDB" and "Control
which events Lambda sends to your function"; DynamoDB API reference, StreamSpecification.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from backbone.system.findings import Finding, finding
from backbone.system.iam import Statement
from backbone.system.iam.text import like
from backbone.system.mapping import EventSourceMapping
from backbone.system.model import Function, Queue, Role, Stream, System, Table

__all__ = ["check", "lacking_images"]

READS = {Queue: "sqs:receivemessage", Stream: "kinesis:getrecords", Table: "dynamodb:getrecords"}
"""What a role may do that is for reading a source, in small letters."""

RECEIVES, RUNTIME = "BUFFER_MAX_RECEIVES", "backbone.runtime."
"""By which a function is known that answers with batchItemFailures."""

IMAGES = {"KEYS_ONLY": ("NewImage", "OldImage"), "NEW_IMAGE": ("OldImage",), "OLD_IMAGE": ("NewImage",)}
"""What the records of a table's stream lack, by its view type."""


def check(system: System) -> Iterator[Finding]:
    """Sources without a reader, and readers that can get nothing of their source."""
    sources = _sources(system)
    for function in system.of(Function):
        for mapping in function.mappings:
            yield from _mapping(system, function, mapping)
    yield from _unread(system, sources)


def _sources(system: System) -> Mapping[str, Queue | Stream | Table]:
    """What functions read, by the ARN that they read it by."""
    found: dict[str, Queue | Stream | Table] = {queue.arn: queue for queue in system.of(Queue)}
    found |= {stream.arn: stream for stream in system.of(Stream)}
    return found | {table.stream_arn: table for table in system.of(Table) if table.stream_arn}


def _unread(system: System, sources: Mapping[str, Queue | Stream | Table]) -> Iterator[Finding]:
    """What the role of a function is allowed to read by its ARN, and no function with the role does."""
    by_role: dict[str, list[Function]] = defaultdict(list)
    for function in system.of(Function):
        by_role[function.role_arn].append(function)
    for role_arn, functions in by_role.items():
        role = system.get(Role, role_arn)
        statements = [one for policy in role.policies for one in policy.statements if one.allows] if role else []
        for arn in dict.fromkeys(arn for statement in statements for arn in _read_by(statement, sources)):
            if not any(_is_read(function, arn, sources[arn]) for function in functions):
                words = f"{functions[0].name} may read {arn}, and no mapping gives it what comes there"
                yield finding("BB307", sources[arn].address, words)


def _read_by(statement: Statement, sources: Mapping[str, Queue | Stream | Table]) -> Iterator[str]:
    for template in statement.resources if not statement.but_resources else ():
        source = sources.get(template.text)
        if source is not None and any(like(action.lower(), READS[type(source)]) for action in statement.actions):
            yield template.text


def _is_read(function: Function, arn: str, source: Queue | Stream | Table) -> bool:
    """Whether a function reads something by a mapping, or is told of it to read it by itself."""
    told = {source.name, source.arn, arn, *((source.url,) if isinstance(source, Queue) else ())}
    return any(mapping.source_arn == arn for mapping in function.mappings) or bool(
        told & {*function.environment.values()}
    )


def _mapping(system: System, function: Function, mapping: EventSourceMapping) -> Iterator[Finding]:
    table_arn, is_stream, _ = mapping.source_arn.partition("/stream/")
    table = system.get(Table, table_arn) if is_stream else None
    queue = system.get(Queue, mapping.source_arn)
    if table is not None and table.stream_arn is None:
        yield finding("BB105", mapping.address, f"reads the stream of {table.name}, whose stream_enabled is not true")
    elif table is not None:
        for image in lacking_images(table, mapping):
            words = f"all filters ask for {image}, which no record has: stream_view_type is {table.stream_view}"
            yield finding("BB308", mapping.address, words)
    if mapping.service in ("dynamodb", "kinesis") and mapping.failures_arn is None:
        words = f"{function.name} has no destination for records that it fails at: they are lost once they are too old"
        yield finding("BB303", mapping.address, words)
    if queue is not None and queue.redrive_arn is None:
        words = (
            f"{function.name} reads it, and it has no redrive_policy: a message that fails comes again until it is lost"
        )
        yield finding("BB309", queue.address, words)
    yield from _answers(function, mapping)
    most, reserved = mapping.max_concurrency, function.reserved_concurrency
    if most is not None and reserved is not None and most > reserved:
        words = f"maximum_concurrency: got {most}; {function.name} has a reserved concurrency of {reserved}"
        yield finding("BB107", mapping.address, f"{words}: what is beyond it comes again, and can be lost")


def _answers(function: Function, mapping: EventSourceMapping) -> Iterator[Finding]:
    """What a function with the backbone's runtime needs of a mapping, and of its environment, to say what failed."""
    receives = function.environment.get(RECEIVES)
    if receives is None and not function.handler.startswith(RUNTIME):
        return
    if not mapping.partial_failures:
        words = f"{function.name} answers which records failed, and function_response_types does not ask for it"
        yield finding("BB320", mapping.address, words)
    if receives is not None and not receives.isdecimal():
        words = f"environment.variables.{RECEIVES}: got {receives!r}; allowed: the maxReceiveCount of the queue"
        yield finding("BB107", function.address, words)


def lacking_images(table: Table, mapping: EventSourceMapping) -> list[str]:
    """The images that all filters ask for and that no record of the table's stream has."""
    images = IMAGES.get(table.stream_view, ()) if mapping.filters else ()
    return [image for image in images if all(each.asks_for("dynamodb", image) for each in mapping.filters)]
