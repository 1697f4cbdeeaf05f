"""The failure queue of a function: every message in it has the shape of Lambda's own records of failed invocations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backbone.runtime.budget import Context
from backbone.runtime.environment import client, setting

__all__ = ["send_to_failure_queue"]

MAX_MESSAGE_BYTES = 256 * 1024
"""The largest message of a queue that Terraform made (provider documentation, aws_sqs_queue, max_message_size)."""

NOT_IN_SQS = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that SQS refuses though JSON may have them; it escapes the others (API reference, SendMessage)."""

KEPT = ("version", "id", "source", "detail-type", "account", "time", "region", "eventID", "eventName")
"""What is sent of an event that is too large."""


def send_to_failure_queue(
    event: Mapping[str, Any], *, condition: str, error: str, reason: str, attempts: int, context: Context
) -> None:
    """Send what a function could not handle to its failure queue, with the reason.

    Of an event that is too large for a queue only its id and where it came from are sent: the event itself is in the
    archive and in the log of its bus.
    """
    record = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "requestContext": {
            "requestId": context.aws_request_id,
            "functionArn": context.invoked_function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responsePayload": {"errorType": error, "errorMessage": reason},
    }
    body = _written(record)
    if (size := len(body.encode())) > MAX_MESSAGE_BYTES:
        reference = {name: event[name] for name in KEPT if name in event}
        more = f"; left out: the event, {size:,} bytes with this record, which is more than a queue takes"
        answer = {"errorType": error, "errorMessage": reason[:1_000] + more}
        body = _written(record | {"requestPayload": reference, "responsePayload": answer})
    client("sqs").send_message(QueueUrl=setting("FAILURE_QUEUE_URL"), MessageBody=body)


def _written(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return NOT_IN_SQS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
