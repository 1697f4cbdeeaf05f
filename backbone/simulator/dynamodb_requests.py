"""What requests to DynamoDB ask for: tables, actions, and the condition keys that policies can name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backbone.system.iam import Context
from backbone.system.model import Index, Table

__all__ = ["Asked", "asked"]

EXPRESSIONS = ("ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression")
PATH = re.compile(r"(?<![:\w#.])[#A-Za-z_][\w.#]*")
WORDS = {
    *("add", "and", "between", "delete", "in", "not", "or", "remove", "set"),
    *("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "if_not_exists"),
    *("list_append", "size"),
}
"""What is no attribute in an expression."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A part of a request: what is done to which table, and its parameters."""

    table: str
    operation: str
    action: str
    parts: tuple[Mapping[str, Any], ...]
    enclosing: str | None = None

    def resource(self, table: Table) -> str:
        """The ARN that the action is authorized for: the table's, or that of its index."""
        index = self.parts[0].get("IndexName") if self.parts else None
        return f"{table.arn}/index/{index}" if index else table.arn

    def context(self, table: Table) -> Context:
        """The condition keys (service authorization reference, Amazon DynamoDB)."""
        given = self.parts[0] if self.parts else {}
        leading = sorted({key for part in self.parts for key in _leading_keys(part, table)})
        attributes = sorted({name for part in self.parts for name in _attributes(part)})
        return {
            "dynamodb:LeadingKeys": leading or None,
            "dynamodb:Attributes": attributes or None,
            "dynamodb:Select": given.get("Select"),
            "dynamodb:ReturnValues": given.get("ReturnValues"),
            "dynamodb:ReturnConsumedCapacity": given.get("ReturnConsumedCapacity"),
            "dynamodb:EnclosingOperation": self.enclosing,
            "dynamodb:FullTableScan": str(self.operation == "Scan").lower(),
        }


def asked(operation: str, given: Mapping[str, Any]) -> Iterator[Asked]:
    """The parts of a request, each with the action that it needs; none for an operation that is not known."""
    if "TableName" in given:
        yield Asked(str(given["TableName"]), operation, f"dynamodb:{operation}", (given,))
    for name, requests in given.get("RequestItems", {}).items():
        yield Asked(str(name), operation, f"dynamodb:{operation}", tuple(_of_batch(requests)))
    for item in given.get("TransactItems", ()):
        for kind, part in item.items():
            yield Asked(str(part["TableName"]), operation, f"dynamodb:{kind}Item", (part,), operation)


def _of_batch(requests: Any) -> Iterator[Mapping[str, Any]]:
    """The parts of a batch: keys to get, or items to put and keys to delete."""
    if isinstance(requests, Mapping):
        for key in requests.get("Keys", ()):
            yield {**requests, "Key": key}
    else:
        for request in requests:
            yield from request.values()


def _leading_keys(part: Mapping[str, Any], table: Table) -> Iterator[str]:
    """The values of partition keys that a request names."""
    index = next((each for each in _indexes(table) if each.name == part.get("IndexName")), None)
    name = (index.keys if index else table.keys)[0]
    for values in (part.get("Key"), part.get("Item")):
        if isinstance(values, Mapping) and name in values:
            yield _text(values[name])
    for condition in part.get("KeyConditions", {}).get(name, {}).get("AttributeValueList", ()):
        yield _text(condition)
    names, values = part.get("ExpressionAttributeNames") or {}, part.get("ExpressionAttributeValues") or {}
    expression = str(part.get("KeyConditionExpression", ""))
    for left, right in re.findall(r"([#\w.]+)\s*=\s*(:\w+)", expression):
        if names.get(left, left) == name and right in values:
            yield _text(values[right])


def _indexes(table: Table) -> tuple[Index, ...]:
    return table.global_indexes + table.local_indexes


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values()), ""))


def _attributes(part: Mapping[str, Any]) -> Iterator[str]:
    """The attributes that a request names, those within others by the first name."""
    for values in (part.get("Key"), part.get("Item"), part.get("AttributesToGet")):
        yield from values or ()
    names = part.get("ExpressionAttributeNames") or {}
    for expression in (*EXPRESSIONS, "UpdateExpression"):
        for path in PATH.findall(str(part.get(expression) or "")):
            word = path.partition(".")[0]
            if word.lower() not in WORDS:
                yield names.get(word, word)
