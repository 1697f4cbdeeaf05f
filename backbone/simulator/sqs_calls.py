"""What SQS answers calls of its API: in AWS's words, each call authorized by the action that IAM has for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from backbone.aws.limits import (
    BATCH_ENTRIES,
    MAX_DELAY_SECONDS,
    MAX_VISIBILITY_SECONDS,
    MAX_WAIT_SECONDS,
    MESSAGE_BYTES,
)
from backbone.simulator.api import error, reply
from backbone.simulator.engine import Engine
from backbone.simulator.messages import (
    CallError,
    Message,
    check_body,
    id_in,
    md5_of_attributes,
    md5_of_body,
    read_attributes,
    selected,
    system_attributes,
)
from backbone.simulator.processes import Call, Reply
from backbone.simulator.queue_attributes import attributes_of_queue
from backbone.simulator.sqs import Sqs
from backbone.system.iam import Identity, authorize
from backbone.system.model import Function, Queue
from backbone.trace import Node

__all__ = ["SqsCalls"]

ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
GROUP = re.compile(r"[!-~]{1,128}")
PREFIXED = {
    "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong",
    "EmptyBatchRequest",
    "InvalidBatchEntryId",
    "NonExistentQueue",
    "PurgeQueueInProgress",
    "TooManyEntriesInBatchRequest",
}
"""The codes that have a prefix, as in the query API, which SQS had first."""
SHAPES = {"NonExistentQueue": "QueueDoesNotExist"}
"""What the API's model calls an error, where that is not its code."""
PURGE_PAUSE_SECONDS = 60
NOT_FOR_THIS_TYPE = "The request include parameter that is not valid for this queue type."

Given = Mapping[str, Any]


class Asked(NamedTuple):
    """A call of an identity for a queue, with the node that tells of it."""

    who: Identity
    queue: Queue
    given: Given
    node: Node
    trace_header: str | None = None
    """The trace that the call belongs to, as tools of AWS X-Ray send it."""


class SqsCalls:
    """The API of SQS."""

    def __init__(self, engine: Engine, sqs: Sqs) -> None:
        self._engine = engine
        self._sqs = sqs
        self._by_url = {queue.url: queue for queue in engine.system.of(Queue)}
        functions = engine.system.of(Function)
        self._failures = {arn for function in functions for arn in (function.failures_arn, function.dead_letters_arn)}
        self._purged: dict[str, float] = {}
        self._operations: dict[str, tuple[str, Callable[[Asked], Given]]] = {
            "SendMessage": ("SendMessage", self._send),
            "SendMessageBatch": ("SendMessage", self._send_batch),
            "ReceiveMessage": ("ReceiveMessage", self._receive),
            "DeleteMessage": ("DeleteMessage", self._delete),
            "DeleteMessageBatch": ("DeleteMessage", self._each(self._delete)),
            "ChangeMessageVisibility": ("ChangeMessageVisibility", self._change_visibility),
            "ChangeMessageVisibilityBatch": ("ChangeMessageVisibility", self._each(self._change_visibility)),
            "GetQueueAttributes": ("GetQueueAttributes", self._get_attributes),
            "GetQueueUrl": ("GetQueueUrl", lambda asked: {"QueueUrl": asked.queue.url}),
            "ListDeadLetterSourceQueues": ("ListDeadLetterSourceQueues", self._list_sources),
            "PurgeQueue": ("PurgeQueue", self._purge),
        }
        """Each operation with the action that it needs, and how it is answered."""
        engine.answer("AmazonSQS", self._answer)

    def _answer(self, who: Identity, call: Call) -> Reply:
        operation, given = call.target.partition(".")[2], json.loads(call.body or b"{}")
        try:
            if operation == "ListQueues":
                return self._list_queues(who, given, call)
            return self._answer_for_queue(who, operation, given, call)
        except CallError as refused:
            code = f"AWS.SimpleQueueService.{refused.code}" if refused.code in PREFIXED else refused.code
            shape = SHAPES.get(refused.code, refused.code)
            return error(f"com.amazonaws.sqs#{shape}", refused.message, query_code=code)

    def _answer_for_queue(self, who: Identity, operation: str, given: Given, call: Call) -> Reply:
        engine, queue = self._engine, self._queue(who, operation, given)
        if operation not in self._operations:
            engine.node("refused", queue.name, queue.account, f"sqs:{operation} is not simulated")
            return error("NotSimulated", f"sqs:{operation} is not simulated", 501)
        action, answer = self._operations[operation]
        if (denied := self._denied(who, f"sqs:{action}", queue)) is not None:
            return denied
        if engine.strikes(("throttle", "timeout"), *queue.names):
            engine.node("refused", queue.name, queue.account, f"sqs:{operation}: throttled by a fault")
            return error("com.amazonaws.sqs#RequestThrottled", "Request is throttled.", query_code="RequestThrottled")
        failed = queue.arn in self._failures and action == "SendMessage"
        node = engine.node("rejected" if failed else "call", queue.name, queue.account, f"sqs:{operation}")
        trace = next((value for name, value in call.headers.items() if name.lower() == "x-amzn-trace-id"), None)
        return reply(answer(Asked(who, queue, given, node, trace)))

    def _denied(self, who: Identity, action: str, queue: Queue) -> Reply | None:
        policies, context = filter(None, [queue.policy]), self._engine.context
        decision = authorize(who, action, queue.arn, owner=queue.account_id, policies=policies, context=context)
        if decision:
            return None
        words = f"{action}: {decision.why}"
        self._engine.node("denied", queue.name, queue.account, words, code="AccessDenied")
        return error("com.amazonaws.sqs#AccessDenied", decision.why, 403, query_code="AccessDenied")

    def _queue(self, who: Identity, operation: str, given: Given) -> Queue:
        if operation == "GetQueueUrl":
            owner, name = given.get("QueueOwnerAWSAccountId", who.account_id), given.get("QueueName")
            queue = next(
                (each for each in self._by_url.values() if (each.account_id, each.name) == (owner, name)), None
            )
        else:
            queue = self._by_url.get(str(given.get("QueueUrl")))
        if queue is None:
            raise CallError("NonExistentQueue", "The specified queue does not exist.")
        return queue

    # Sending

    def _send(self, asked: Asked) -> Given:
        queue, given = asked.queue, asked.given
        group, deduplication_id = given.get("MessageGroupId"), given.get("MessageDeduplicationId")
        _check_token("MessageGroupId", group)
        _check_token("MessageDeduplicationId", deduplication_id)
        delay = given.get("DelaySeconds")
        if queue.fifo is not None and delay:
            raise _invalid("DelaySeconds", delay, NOT_FOR_THIS_TYPE)
        if queue.fifo is None and deduplication_id is not None:
            raise _invalid("MessageDeduplicationId", deduplication_id, NOT_FOR_THIS_TYPE)
        _check_range("DelaySeconds", delay, 0, MAX_DELAY_SECONDS, "DelaySeconds must be >= {} and <= {}.")
        trace = (given.get("MessageSystemAttributes") or {}).get("AWSTraceHeader", {}).get("StringValue")
        body, attributes = check_body(given.get("MessageBody")), read_attributes(given.get("MessageAttributes") or {})
        message = self._sqs.put(
            queue,
            body,
            attributes,
            asked.node,
            sender=_sender(asked.who),
            delay_seconds=None if queue.fifo is not None else delay,
            group=group,
            deduplication_id=deduplication_id,
            trace_header=trace or asked.trace_header,
        )
        # Of a message that was sent before, the id is the earlier one's, the digests are this one's.
        sent = {"MessageId": message.id, "MD5OfMessageBody": md5_of_body(body)}
        if attributes:
            sent["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        if message.sequence_number is not None:
            sent["SequenceNumber"] = message.sequence_number
        return sent

    def _send_batch(self, asked: Asked) -> Given:
        entries, fifo = _entries(asked.given), asked.queue.fifo
        size = sum(map(_size, entries))
        if size > MESSAGE_BYTES:
            words = f"Batch requests cannot be longer than {MESSAGE_BYTES} bytes. You have sent {size} bytes."
            raise CallError("BatchRequestTooLong", words)
        for entry in entries if fifo is not None else ():
            # These two fail the whole batch, the first with another code than for a single message.
            if entry.get("MessageGroupId") is None:
                raise CallError("InvalidParameterValue", "The request must contain the parameter MessageGroupId.")
            if entry.get("MessageDeduplicationId") is None and fifo is not None and not fifo.by_content:
                words = (
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                    "provided explicitly"
                )
                raise CallError("InvalidParameterValue", words)
        return self._each(self._send)(asked)

    def _each(self, answer: Callable[[Asked], Given]) -> Callable[[Asked], Given]:
        """Answers a batch, of which each entry is a call."""

        def answer_all(asked: Asked) -> Given:
            done: list[Given] = []
            failed: list[Given] = []
            for entry in _entries(asked.given):
                try:
                    done.append({"Id": entry["Id"], **answer(asked._replace(given=entry))})
                except CallError as refused:
                    words = refused.message.replace("parameters are invalid", "parameters cannot be validated")
                    about = {"Id": entry["Id"], "SenderFault": True, "Code": refused.code, "Message": words}
                    failed.append(about)
            return {name: results for name, results in (("Successful", done), ("Failed", failed)) if results}

        return answer_all

    # Receiving

    def _receive(self, asked: Asked) -> Given:
        given, between = asked.given, "Must be between {} and {}, if provided."
        _check_range("MaxNumberOfMessages", given.get("MaxNumberOfMessages"), 1, BATCH_ENTRIES, between)
        wait = "Must be >= {} and <= {}, if provided."
        _check_range("WaitTimeSeconds", given.get("WaitTimeSeconds"), 0, MAX_WAIT_SECONDS, wait)
        hidden = given.get("VisibilityTimeout")
        _check_range("VisibilityTimeout", hidden, 0, MAX_VISIBILITY_SECONDS, between)
        messages = self._sqs.receive(asked.queue, given.get("MaxNumberOfMessages", 1), hidden)
        self._sqs.have_readers_look_again(asked.queue)
        return {"Messages": [self._received(message, given) for message in messages]} if messages else {}

    def _received(self, message: Message, given: Given) -> Given:
        about = system_attributes(message, self._engine.milliseconds)
        names = selected(about, [*given.get("AttributeNames", ()), *given.get("MessageSystemAttributeNames", ())])
        wanted = selected(message.message_attributes, given.get("MessageAttributeNames", ()))
        own = {name: message.message_attributes[name] for name in wanted}
        received: dict[str, Any] = {
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": message.md5,
            "Body": message.body,
        }
        if names:
            received["Attributes"] = {name: about[name] for name in names}
        if own:
            received["MD5OfMessageAttributes"] = md5_of_attributes(own)
            received["MessageAttributes"] = {
                name: {"DataType": each.type, "BinaryValue" if each.is_binary else "StringValue": each.value}
                for name, each in own.items()
            }
        return received

    def _delete(self, asked: Asked) -> Given:
        receipt = str(asked.given["ReceiptHandle"])
        message_id, number = id_in(receipt)
        queue = self._sqs.queues[asked.queue.arn]
        message = queue.find(message_id)
        if message is None:
            return {}
        expired = message.receives != number or message.visible_at <= self._engine.now
        if expired and asked.queue.fifo is not None:
            raise _invalid("ReceiptHandle", receipt, "The receipt handle has expired.")
        if message.receives == number:
            queue.remove(message)
            self._sqs.have_readers_look_again(asked.queue)
        return {}

    def _change_visibility(self, asked: Asked) -> Given:
        receipt, hidden = str(asked.given["ReceiptHandle"]), asked.given.get("VisibilityTimeout", 0)
        between = "Must be between {} and {}, if provided."
        _check_range("VisibilityTimeout", hidden, 0, MAX_VISIBILITY_SECONDS, between)
        message_id, number = id_in(receipt)
        queue = self._sqs.queues[asked.queue.arn]
        message = queue.find(message_id)
        if message is None:
            words = "Message does not exist or is not available for visibility timeout change."
            raise _invalid("ReceiptHandle", receipt, words)
        if message.receives == number:
            queue.show(message, self._engine.now + hidden)
            self._sqs.have_readers_look_again(asked.queue)
        return {}

    def _purge(self, asked: Asked) -> Given:
        queue, now = asked.queue, self._engine.now
        if now - self._purged.get(queue.arn, -PURGE_PAUSE_SECONDS) < PURGE_PAUSE_SECONDS:
            words = f"Only one PurgeQueue operation on {queue.name} is allowed every {PURGE_PAUSE_SECONDS} seconds."
            raise CallError("PurgeQueueInProgress", words)
        self._purged[queue.arn] = now
        self._sqs.queues[queue.arn].clear()
        self._sqs.have_readers_look_again(queue)
        return {}

    # Asking

    def _get_attributes(self, asked: Asked) -> Given:
        engine = self._engine
        now = engine.now
        about = attributes_of_queue(self._sqs.queues[asked.queue.arn], now, int(engine.timestamp - now))
        names = asked.given.get("AttributeNames", ())
        if unknown := [name for name in names if name != "All" and name not in about]:
            raise CallError("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")
        found = {name: value for name, value in about.items() if value is not None and {"All", name} & set(names)}
        return {"Attributes": found} if found else {}

    def _list_sources(self, asked: Asked) -> Given:
        return {"queueUrls": [queue.url for queue in self._by_url.values() if queue.redrive_arn == asked.queue.arn]}

    def _list_queues(self, who: Identity, given: Given, call: Call) -> Reply:
        region, prefix = call.url.partition("//")[2].split(".")[1], given.get("QueueNamePrefix", "")
        queues = [
            queue
            for queue in self._by_url.values()
            if (queue.account_id, queue.place.region) == (who.account_id, region)
        ]
        decision = authorize(who, "sqs:ListQueues", "*", owner=who.account_id, context=self._engine.context)
        if not decision:
            account = self._engine.system.account_name(who.account_id)
            self._engine.node("denied", "sqs", account, f"sqs:ListQueues: {decision.why}", code="AccessDenied")
            return error("com.amazonaws.sqs#AccessDenied", decision.why, 403, query_code="AccessDenied")
        urls = [queue.url for queue in queues if queue.name.startswith(prefix)]
        return reply({"QueueUrls": urls} if urls else {})


def _sender(who: Identity) -> str:
    """The sender's id, of a role that it has assumed."""
    role = hashlib.sha256(who.name.encode()).hexdigest()[:17].upper()
    return f"AROA{role}:{who.session or who.name.rpartition('/')[2]}"


def _entries(given: Given) -> Sequence[Given]:
    """The entries of a batch; CallError when it is not allowed."""
    entries: Sequence[Given] = given.get("Entries", ())
    if not entries:
        raise CallError("EmptyBatchRequest", "The request must contain at least one entry.")
    if len(entries) > BATCH_ENTRIES:
        words = f"Maximum number of entries per request are {BATCH_ENTRIES}. You have sent {len(entries)}."
        raise CallError("TooManyEntriesInBatchRequest", words)
    ids = [str(entry["Id"]) for entry in entries]
    if not all(ENTRY_ID.fullmatch(each) for each in ids):
        words = (
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        )
        raise CallError("InvalidBatchEntryId", words)
    if repeated := [each for each in ids if ids.count(each) > 1]:
        raise CallError("BatchEntryIdsNotDistinct", f"Id {repeated[0]} repeated.")
    return entries


def _size(entry: Given) -> int:
    attributes = (entry.get("MessageAttributes") or {}).items()
    size = len(str(entry.get("MessageBody", "")).encode())
    for name, value in attributes:
        texts = (name, value.get("DataType", ""), value.get("StringValue", ""))
        size += sum(len(text.encode()) for text in texts) + len(value.get("BinaryValue", "")) * 3 // 4
    return size


def _check_token(name: str, value: str | None) -> None:
    if value is not None and not GROUP.fullmatch(value):
        words = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise _invalid(name, value, words)


def _check_range(name: str, value: int | None, least: int, most: int, words: str) -> None:
    if value is not None and not least <= value <= most:
        raise _invalid(name, value, words.format(least, most))


def _invalid(name: str, value: object, reason: str) -> CallError:
    return CallError("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")
