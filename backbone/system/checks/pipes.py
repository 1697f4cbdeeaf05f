"""Pipes of EventBridge Pipes: what AWS refuses, what could never be read or sent, and what would be lost.

Source: EventBridge user guide, "Amazon EventBridge Pipes sources", "targets", "permissions" and "Batching and
concurrency".
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from backbone.aws.limits import BATCH_ENTRIES
from backbone.system import access, pipe_access
from backbone.system.access import Refusal, service_of
from backbone.system.checks.keys import SENDING, key_of
from backbone.system.checks.readers import lacking_images
from backbone.system.findings import Finding, finding
from backbone.system.model import EventBus, Function, Queue, Role, Stream, System, Table, Topic
from backbone.system.pipe_template import PipeTemplate
from backbone.system.pipes import BATCH_SIZES, SYNCHRONOUS, Pipe
from backbone.system.terraform import Configuration
from backbone.system.values import Values

__all__ = ["check"]

MACHINE = "aws_sfn_state_machine"
LETTERS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}
"""What a pipe's role does to where a stream's failures go."""


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with pipes, and with what they read and send to."""
    for pipe in system.of(Pipe):
        yield from _source(system, pipe)
        yield from _target(system, pipe)
        yield from _failures(system, pipe)
        yield from _keys(system, configuration, pipe)
        for words in (*_places(pipe), *_batches(pipe), *_machine(configuration, pipe)):
            yield finding("BB106", pipe.address, f"{words}; AWS refuses the pipe, or all that it sends")
        for name, template in (
            ("enrichment_parameters", pipe.enrichment_template),
            ("target_parameters", pipe.template),
        ):
            for words in _template(system, pipe, template, is_target=name == "target_parameters"):
                yield finding("BB207", pipe.address, f"{name}.input_template: {words}")


def _source(system: System, pipe: Pipe) -> Iterator[Finding]:
    mapping, source = pipe.mapping, pipe_access.source_of(system, pipe)
    if mapping.service not in access.READING:
        yield finding("BB190", pipe.address, f"not simulated: records of {mapping.source_arn}")
    if not mapping.enabled:
        yield finding("BB229", pipe.address, "is stopped: nothing is read by it")
    if (refused := pipe_access.source_refusal(system, pipe)) is not None:
        yield finding("BB225", pipe.address, f"{refused}; nothing is sent by it")
    if isinstance(source, Table):
        for image in lacking_images(source, mapping):
            words = f"all filters ask for {image}, which no record has: stream_view_type is {source.stream_view}"
            yield finding("BB308", pipe.address, words)
    if isinstance(source, Queue):
        others = [name for name in _readers(system, source) if name != pipe.name]
        if others:
            words = f"{source.name} is read by {' and '.join(others)} as well: each message goes to one of them only"
            yield finding("BB107", pipe.address, words)
    if isinstance(source, Queue) and source.redrive_arn is None:
        words = f"{source.name} has no redrive_policy: a message that cannot be sent comes again until it is lost"
        yield finding("BB227", pipe.address, words)


def _readers(system: System, queue: Queue) -> Iterator[str]:
    for function in system.of(Function):
        if any(mapping.source_arn == queue.arn and mapping.enabled for mapping in function.mappings):
            yield function.name
    for pipe in system.of(Pipe):
        if pipe.mapping.source_arn == queue.arn and pipe.mapping.enabled:
            yield pipe.name


def _target(system: System, pipe: Pipe) -> Iterator[Finding]:
    to, arn = pipe_access.target_of(system, pipe), pipe.target.arn
    for refusal in (pipe_access.enrichment_refusal(system, pipe), pipe_access.send_refusal(system, pipe)):
        if refusal is not None:
            yield finding("BB226", pipe.address, f"{refusal}; nothing that it reads arrives")
    if to is None and service_of(arn) not in pipe_access.MADE:
        yield finding("BB190", pipe.address, f"not simulated: what becomes of what it sends to {arn}")
    if pipe.enrichment_arn is not None and service_of(pipe.enrichment_arn) != "lambda":
        words = f"not simulated: what {pipe.enrichment_arn} answers, and so what the target is sent"
        yield finding("BB190", pipe.address, words)
    source = pipe_access.source_of(system, pipe)
    called = pipe_access.enrichment_of(system, pipe) or to
    if (
        isinstance(source, Queue)
        and isinstance(called, Function)
        and source.visibility_seconds < called.timeout_seconds
    ):
        words = (
            f"{source.name} has a visibility timeout of {source.visibility_seconds} s, less than the "
            f"{called.timeout_seconds} s that {called.name} may take: messages come again while it works on them"
        )
        yield finding("BB107", pipe.address, words)


def _failures(system: System, pipe: Pipe) -> Iterator[Finding]:
    """Where records of streams go that are given up."""
    if pipe.mapping.service not in ("dynamodb", "kinesis"):
        return
    arn, role = pipe.mapping.failures_arn, pipe_access.role_of(system, pipe)
    if arn is None:
        words = "has no dead-letter queue: records that cannot be sent are lost once they are too old"
        yield finding("BB227", pipe.address, words)
        return
    service, queue = service_of(arn), system.get(Queue, arn)
    if service == "sqs" and queue is None:
        yield finding("BB228", pipe.address, f"the dead-letter queue {arn} is not in any stack: what fails is lost")
    elif queue is not None and queue.fifo is not None:
        words = f"the dead-letter queue {queue.name} is FIFO: nothing can be sent there, and what fails is lost"
        yield finding("BB228", pipe.address, words)
    elif isinstance(role, Role) and not access.may(role, LETTERS.get(service, ""), arn):
        words = f"{role.name} may not {LETTERS.get(service, 'send')} on {arn}: what cannot be sent is lost"
        yield finding("BB228", pipe.address, words)
    elif service != "sqs":
        yield finding("BB190", pipe.address, f"not simulated: what becomes of records in {arn}")


def _keys(system: System, configuration: Configuration, pipe: Pipe) -> Iterator[Finding]:
    """Keys of the source and of the target that the role must be let use."""
    role = pipe_access.role_of(system, pipe)
    source, to = pipe_access.source_of(system, pipe), pipe_access.target_of(system, pipe)
    letters = system.get(Queue, pipe.mapping.failures_arn)
    uses = (("BB225", source, SENDING[:1]), ("BB226", to, SENDING), ("BB228", letters, SENDING))
    for rule, resource, actions in uses:
        if isinstance(role, Refusal) or not isinstance(resource, Queue | Topic | Stream | Table):
            continue
        block = configuration.get(resource.address)
        key = key_of(configuration, block) if block else None
        if key is None or not key.startswith("arn:"):
            continue
        service = resource.arn.split(":")[2]
        through = {"kms:ViaService": f"{service}.{pipe.place.region}.{pipe.place.dns_suffix}"}
        missing = [action for action in actions if not access.may(role, action, key, through)]
        if missing:
            words = f"{role.name} may not {' and '.join(missing)} with the key of {resource.name}"
            yield finding(rule, pipe.address, words)


def _places(pipe: Pipe) -> Iterator[str]:
    """A pipe reads and sends within its account and region; what it sends to elsewhere is an API destination's."""
    here = [pipe.place.region, pipe.account_id]
    for name, arn in (("source", pipe.mapping.source_arn), ("target", pipe.target.arn)):
        if service_of(arn) and arn.split(":")[3:5] != here:
            yield f"{name}: got {arn}; allowed: one of {pipe.account_id} in {pipe.place.region}, where the pipe is"


def _batches(pipe: Pipe) -> Iterator[str]:
    """Batches that are larger than the target takes, or than a queue gives."""
    target, mapping = pipe.target, pipe.mapping
    most = BATCH_SIZES.get(service_of(target.arn))
    if most is not None and mapping.batch_size > most:
        yield f"batch_size: got {mapping.batch_size}; allowed: at most {most}, which {target.arn} takes at once"
    if mapping.service == "sqs" and mapping.batch_size > BATCH_ENTRIES and not mapping.batching_window_seconds:
        yield (
            f"batch_size: got {mapping.batch_size} without maximum_batching_window_in_seconds; allowed: at most "
            f"{BATCH_ENTRIES}, or a window of 1 second or more"
        )


def _machine(configuration: Configuration, pipe: Pipe) -> Iterator[str]:
    """A state machine of the type STANDARD cannot be waited for, which is what a pipe does by default."""
    if service_of(pipe.target.arn) != "states" or pipe.invocation != SYNCHRONOUS:
        return
    for block in configuration.of(MACHINE):
        values = Values(configuration, block)
        if values.optional_text("arn") == pipe.target.arn and values.text("type", "STANDARD") == "STANDARD":
            yield (
                f"the state machine {values.text('name')} is STANDARD, which cannot be called with REQUEST_RESPONSE, "
                "the default; set invocation_type of step_function_state_machine_parameters to FIRE_AND_FORGET"
            )


def _template(system: System, pipe: Pipe, template: PipeTemplate | None, *, is_target: bool) -> Iterator[str]:
    if template is None:
        return
    to = pipe_access.target_of(system, pipe)
    json_only = not is_target or isinstance(to, EventBus | Function) or service_of(pipe.target.arn) == "states"
    yield from template.problems(json_only=json_only)
    if (
        is_target
        and isinstance(to, EventBus)
        and template.is_json
        and not template.text.lstrip().startswith(("{", "<"))
    ):
        yield f"it is no JSON object, and the detail of an event is nothing else: {json.dumps(template.text)}"
