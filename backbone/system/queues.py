"""SQS queues, as blocks of Terraform say them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from backbone.aws.limits import (
    MESSAGE_BYTES_OF_TERRAFORM,
    QUEUE_RETENTION_SECONDS_BY_DEFAULT,
    VISIBILITY_SECONDS_BY_DEFAULT,
)
from backbone.system.blocks import Blocks
from backbone.system.iam import QUEUE
from backbone.system.model import Fifo, Queue
from backbone.system.values import Values

__all__ = ["read_queue"]


def read_queue(blocks: Blocks, values: Values) -> Queue:
    """A block `aws_sqs_queue` with what is attached to it."""
    block, url, arn = values.block, values.text("url"), values.text("arn")
    redrive = _document(blocks, values, "redrive_policy", "aws_sqs_queue_redrive_policy")
    receives = redrive.get("maxReceiveCount", 0)
    if not re.fullmatch("[0-9]+", str(receives)):
        raise values.wrong("redrive_policy.maxReceiveCount", receives, "a whole number")
    target = redrive.get("deadLetterTargetArn")
    allow = _document(blocks, values, "redrive_allow_policy", "aws_sqs_queue_redrive_allow_policy")
    return Queue(
        address=block.id,
        name=values.text("name"),
        arn=arn,
        account=block.account,
        place=block.place,
        url=url,
        policy=blocks.own_policy(values, "aws_sqs_queue_policy", url, QUEUE, resource=arn),
        delay_seconds=values.integer("delay_seconds", 0),
        visibility_seconds=values.integer("visibility_timeout_seconds", VISIBILITY_SECONDS_BY_DEFAULT),
        retention_seconds=values.integer("message_retention_seconds", QUEUE_RETENTION_SECONDS_BY_DEFAULT),
        receive_wait_seconds=values.integer("receive_wait_time_seconds", 0),
        max_message_bytes=values.integer("max_message_size", MESSAGE_BYTES_OF_TERRAFORM),
        key=values.optional_text("kms_master_key_id"),
        key_reuse_seconds=values.integer("kms_data_key_reuse_period_seconds", 300),
        fifo=_fifo(values) if values.flag("fifo_queue", default=False) else None,
        redrive_arn=None if target is None else str(target),
        max_receives=int(receives),
        redrive_sources=_sources(values, allow),
    )


def _document(blocks: Blocks, values: Values, name: str, type: str) -> Mapping[str, Any]:
    """A document that is an argument of the queue or of a block of its own."""
    found = blocks.read_attached(type, values.text("url"), lambda attached: attached.document(name))
    return found[-1] if found else values.document(name)


def _fifo(values: Values) -> Fifo:
    return Fifo(
        by_content=values.flag("content_based_deduplication", default=False),
        within_group=values.text("deduplication_scope", "queue") == "messageGroup",
        limit=values.text("fifo_throughput_limit", "perQueue"),
    )


def _sources(values: Values, allow: Mapping[str, Any]) -> frozenset[str] | None:
    """The queues that a redrive allow policy admits."""
    permission, sources = allow.get("redrivePermission", "allowAll"), allow.get("sourceQueueArns", [])
    if permission == "allowAll":
        return None
    if permission == "denyAll":
        return frozenset()
    if permission != "byQueue" or not isinstance(sources, list):
        words = "redrivePermission allowAll, denyAll, or byQueue with sourceQueueArns"
        raise values.wrong("redrive_allow_policy", json.dumps(allow), words)
    return frozenset(map(str, sources))
