"""What SQS tells of a queue."""

from __future__ import annotations

import json

from backbone.simulator.queues import MessageQueue
from backbone.system.model import Queue

__all__ = ["attributes_of_queue"]


def attributes_of_queue(messages: MessageQueue, now: float, made_at: int) -> dict[str, str | None]:
    """The attributes of a queue at a time, by name; None is an attribute that it does not have.

    `made_at` is when it was made, in seconds since 1970.
    """
    queue = messages.queue
    hidden = [message for message in messages.messages if message.visible_at > now]
    delayed = sum(not message.receives for message in hidden)
    return {
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(len(messages.messages) - len(hidden)),
        "ApproximateNumberOfMessagesNotVisible": str(len(hidden) - delayed),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
        "CreatedTimestamp": str(made_at),
        "LastModifiedTimestamp": str(made_at),
        "VisibilityTimeout": str(queue.visibility_seconds),
        "MaximumMessageSize": str(queue.max_message_bytes),
        "MessageRetentionPeriod": str(queue.retention_seconds),
        "DelaySeconds": str(queue.delay_seconds),
        "ReceiveMessageWaitTimeSeconds": str(queue.receive_wait_seconds),
        "Policy": queue.policy.text if queue.policy else None,
        "RedrivePolicy": _redrive(queue),
        "RedriveAllowPolicy": _redrive_allow(queue),
        "KmsMasterKeyId": queue.key,
        "KmsDataKeyReusePeriodSeconds": str(queue.key_reuse_seconds) if queue.key else None,
        "SqsManagedSseEnabled": str(queue.key is None).lower(),
        **_fifo(queue),
    }


def _redrive(queue: Queue) -> str | None:
    if queue.redrive_arn is None:
        return None
    return json.dumps({"deadLetterTargetArn": queue.redrive_arn, "maxReceiveCount": queue.max_receives})


def _redrive_allow(queue: Queue) -> str | None:
    if queue.redrive_sources is None:
        return None
    if not queue.redrive_sources:
        return json.dumps({"redrivePermission": "denyAll"})
    return json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": sorted(queue.redrive_sources)})


def _fifo(queue: Queue) -> dict[str, str | None]:
    if queue.fifo is None:
        return dict.fromkeys(("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"))
    return {
        "FifoQueue": "true",
        "ContentBasedDeduplication": str(queue.fifo.by_content).lower(),
        "DeduplicationScope": "messageGroup" if queue.fifo.within_group else "queue",
        "FifoThroughputLimit": queue.fifo.limit,
    }
