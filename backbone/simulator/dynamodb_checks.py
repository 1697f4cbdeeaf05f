"""What DynamoDB refuses of a request before it looks at any item: keys, and what expressions name.

Source: DynamoDB API reference and developer guide, "Constraints in Amazon DynamoDB" and "Expression attribute names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.simulator.dynamodb_requests import EXPRESSIONS, Asked
from backbone.system.model import Table

__all__ = ["problem"]

KINDS = {"S": "string", "B": "binary"}
NAMED = {"ExpressionAttributeNames": re.compile(r"#\w+"), "ExpressionAttributeValues": re.compile(r":\w+")}
UNDEFINED = {
    "ExpressionAttributeNames": "attribute name used in the document path is not defined; attribute name",
    "ExpressionAttributeValues": "attribute value used in expression is not defined; attribute value",
}


def problem(asked: Asked, table: Table) -> str | None:
    """Why DynamoDB refuses a part of a request with a ValidationException; None where it does not for these reasons."""
    for part in asked.parts:
        if (found := next(_problems(part, table), None)) is not None:
            return found
    return None


def _problems(part: Mapping[str, Any], table: Table) -> Iterator[str]:
    yield from _of_expressions(part)
    item, key = part.get("Item"), part.get("Key")
    if isinstance(item, Mapping):
        yield from _of_item(item, table)
    if isinstance(key, Mapping):
        if {name: _type(value) for name, value in key.items()} != {name: _needed(table, name) for name in table.keys}:
            yield "The provided key element does not match the schema"
        yield from _of_empty(key, table)


def _of_item(item: Mapping[str, Any], table: Table) -> Iterator[str]:
    invalid = "One or more parameter values were invalid"
    for name in table.keys:
        needed = _needed(table, name)
        if name not in item:
            yield f"{invalid}: Missing the key {name} in the item"
        elif (found := _type(item[name])) != needed:
            yield f"{invalid}: Type mismatch for key {name} expected: {needed} actual: {found}"
    yield from _of_empty(item, table)


def _of_empty(values: Mapping[str, Any], table: Table) -> Iterator[str]:
    for name in table.keys:
        for kind, word in KINDS.items():
            if values[name].get(kind) == "":
                yield (
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                    f"an empty {word} value. Key: {name}"
                )


def _of_expressions(part: Mapping[str, Any]) -> Iterator[str]:
    texts = {name: str(part.get(name) or "") for name in (*EXPRESSIONS, "UpdateExpression")}
    for argument, pattern in NAMED.items():
        defined = set(part.get(argument) or ())
        used: set[str] = set()
        for expression, text in texts.items():
            named = pattern.findall(text)
            used.update(named)
            for name in named:
                if name not in defined:
                    yield f"Invalid {expression}: An expression {UNDEFINED[argument]}: {name}"
        if unused := sorted(defined - used):
            yield f"Value provided in {argument} unused in expressions: keys: {{{', '.join(unused)}}}"


def _type(value: Any) -> str:
    return str(next(iter(value), "")) if isinstance(value, Mapping) else ""


def _needed(table: Table, name: str) -> str:
    return table.attribute_types.get(name, "S")
