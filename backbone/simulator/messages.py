"""Messages of SQS: what they carry, what of it AWS refuses, and how functions and callers are given them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from backbone.aws.limits import MESSAGE_ATTRIBUTES
from backbone.trace import Node

__all__ = [
    "Attribute",
    "CallError",
    "Message",
    "attributes_of",
    "check_body",
    "md5_of_attributes",
    "md5_of_body",
    "read_attributes",
]

SERVICE = "AIDAISMY7JYY5F7RTT6AO"
"""The sender of what AWS's services send: an id of theirs."""

NOT_ALLOWED = re.compile(r"[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws|amazon)\.)[\w-]+(\.[\w-]+)*")
"""Letters of every alphabet are taken (recorded on AWS)."""
ATTRIBUTE_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")


class CallError(Exception):
    """What SQS refuses in a call, with its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that a sender gave a message. The value of a binary one is in base64."""

    type: str
    value: str

    @property
    def is_binary(self) -> bool:
        """Whether its value is bytes."""
        return self.type.startswith("Binary")

    @property
    def bytes(self) -> bytes:
        """The value."""
        return base64.b64decode(self.value) if self.is_binary else self.value.encode()


@dataclass(eq=False)
class Message:
    """A message in a queue. Times are seconds on the simulator's clock."""

    body: str
    id: str = ""
    sent_at: float = 0.0
    visible_at: float = 0.0
    turn: int = 0
    """Which of the messages that are visible from the same time on comes first."""
    expires_at: float = 0.0
    sender: str = SERVICE
    message_attributes: dict[str, Attribute] = field(default_factory=dict)
    group: str | None = None
    """The message group, which a message to a queue that is not FIFO may have too."""
    deduplication_id: str | None = None
    sequence_number: str | None = None
    hops: int = 0
    """How often the event in it was forwarded from bus to bus."""
    node: Node | None = field(default=None, repr=False)
    """What the message followed from."""
    trace_header: str | None = None
    source_arn: str | None = None
    """Of a dead letter: the queue that it was moved from."""
    receives: int = 0
    first_received_at: float | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes that its sender gave it, as text."""
        return {name: attribute.value for name, attribute in self.message_attributes.items()}

    @property
    def receipt(self) -> str:
        """The handle of its last receipt."""
        return base64.b64encode(f"{self.id} {self.receives}".encode()).decode()

    @property
    def size(self) -> int:
        """The bytes that count against the queue's limit: the body, and names, types and values of attributes."""
        more = (
            len(name.encode()) + len(attribute.type.encode()) + len(attribute.bytes)
            for name, attribute in self.message_attributes.items()
        )
        return len(self.body.encode()) + sum(more)

    @property
    def md5(self) -> str:
        """The digest of the body."""
        return md5_of_body(self.body)


def md5_of_body(body: str) -> str:
    """The digest of a body."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def id_in(receipt: str) -> tuple[str, int]:
    """The message of a receipt handle, and which of its receipts; CallError when it is no handle."""
    try:
        message_id, _, number = base64.b64decode(receipt, validate=True).decode().partition(" ")
        return message_id, int(number)
    except (ValueError, binascii.Error):
        words = f'The input receipt handle "{receipt}" is not a valid receipt handle.'
        raise CallError("ReceiptHandleIsInvalid", words) from None


def md5_of_attributes(attributes: Mapping[str, Attribute]) -> str:
    """The digest of message attributes (developer guide, "Calculating the MD5 message digest for attributes")."""
    digest = hashlib.md5(usedforsecurity=False)

    def add(content: bytes) -> None:
        digest.update(struct.pack(">I", len(content)) + content)

    for name, attribute in sorted(attributes.items()):
        add(name.encode())
        add(attribute.type.encode())
        digest.update(b"\x02" if attribute.is_binary else b"\x01")
        add(attribute.bytes)
    return digest.hexdigest()


def check_body(body: Any) -> str:
    """The body of a message that is sent; CallError when it is not allowed."""
    if not body:
        raise CallError("MissingParameter", "The request must contain the parameter MessageBody.")
    if found := NOT_ALLOWED.search(str(body)):
        words = (
            f"Invalid binary character '#x{ord(found[0]):X}' was found in the message body, the set of allowed "
            "characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        )
        raise CallError("InvalidMessageContents", words)
    return str(body)


def read_attributes(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Attribute]:
    """The attributes of a call; CallError when one is not allowed."""
    if len(given) > MESSAGE_ATTRIBUTES:
        words = f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{MESSAGE_ATTRIBUTES}]."
        raise CallError("InvalidParameterValue", words)
    return {name: _attribute(name, value) for name, value in given.items()}


def _attribute(name: str, given: Mapping[str, Any]) -> Attribute:
    def wrong(words: str) -> CallError:
        return CallError("InvalidParameterValue", words)

    if not 0 < len(name) <= 256 or not ATTRIBUTE_NAME.fullmatch(name):
        raise wrong(
            f"Invalid message attribute name '{name}'. Names have 1 to 256 letters, digits, underscores, hyphens and "
            "single periods, and do not begin with AWS. or Amazon."
        )
    kind = str(given.get("DataType") or "")
    if not kind:
        raise wrong(f"The message attribute '{name}' must contain non-empty message attribute type.")
    if not ATTRIBUTE_TYPE.fullmatch(kind):
        raise wrong(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    value = given.get("BinaryValue" if kind.startswith("Binary") else "StringValue")
    if not value:
        raise wrong(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if not kind.startswith("Binary") and NOT_ALLOWED.search(str(value)):
        raise wrong(f"Invalid binary character was found in the value of message (user) attribute '{name}'.")
    if kind.startswith("Number") and not _is_number(str(value)):
        raise wrong(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    return Attribute(kind, str(value))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def system_attributes(message: Message, milliseconds: Any) -> dict[str, str]:
    """What SQS itself says of a message that was received; `milliseconds` writes a time of the clock."""
    found = {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": milliseconds(message.sent_at),
        "SequenceNumber": message.sequence_number,
        "MessageGroupId": message.group,
        "SenderId": message.sender,
        "MessageDeduplicationId": message.deduplication_id,
        "ApproximateFirstReceiveTimestamp": milliseconds(message.first_received_at or message.sent_at),
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.source_arn,
    }
    return {name: value for name, value in found.items() if value is not None}


def attributes_of(given: Mapping[str, str | int]) -> dict[str, Attribute]:
    """Attributes that AWS's services give messages: numbers and texts."""
    return {
        name: Attribute("String" if isinstance(value, str) else "Number", str(value)) for name, value in given.items()
    }


def selected(names: Collection[str], wanted: Collection[str]) -> list[str]:
    """Those of some names that a caller asks for: by name, by prefix as in `order.*`, or all by `All`, `*` or `.*`."""
    everything = not {"All", "*", ".*"}.isdisjoint(wanted)
    prefixes = tuple(each[:-2] for each in wanted if each.endswith(".*") and len(each) > 2)
    return [name for name in names if everything or name in wanted or name.startswith(prefixes)]
