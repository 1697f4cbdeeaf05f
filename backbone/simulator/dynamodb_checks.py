"""What DynamoDB refuses of a request before it looks at any item: keys, and what expressions name.

Source: DynamoDB API reference and developer guide, "Constraints in Amazon DynamoDB" and "Expression attribute names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

from backbone.simulator.dynamodb_requests import EXPRESSIONS, Asked
from backbone.system.model import Table

__all__ = ["ASKED_TWICE", "key_of", "mismatch", "problem"]

MISMATCH = "The provided key element does not match the schema"
ASKED_TWICE = "Transaction request cannot include multiple operations on one item"
KINDS = {"S": "string", "B": "binary"}
NAMED = {"ExpressionAttributeNames": re.compile(r"#\w+"), "ExpressionAttributeValues": re.compile(r":\w+")}
UNDEFINED = {
    "ExpressionAttributeNames": "attribute name used in the document path is not defined; attribute name",
    "ExpressionAttributeValues": "attribute value used in expression is not defined; attribute value",
}


def problem(asked: Asked, table: Table) -> str | None:
    """Why DynamoDB refuses a request with a ValidationException for a part of it; None where the part is valid.

    Keys of another type are looked at when a transaction runs: it is cancelled then, which `mismatch` tells.
    """
    for part in asked.parts:
        found = next(chain(_of_expressions(part), _of_empty(part, table)), None)
        if found is None and asked.enclosing is None:
            found = _mismatch(part, table, batch=asked.operation.startswith("Batch"))
        if found is not None:
            return found
    return None


def mismatch(asked: Asked, table: Table) -> str | None:
    """Why a transaction is cancelled for a part of it: its key is not one of the table."""
    return next(filter(None, (_mismatch(part, table) for part in asked.parts)), None)


def key_of(asked: Asked, table: Table) -> tuple[object, ...] | None:
    """The item that a part of a writing transaction is about; None for other requests and for keys that do not fit."""
    if asked.enclosing != "TransactWriteItems" or mismatch(asked, table) is not None:
        return None
    part = asked.parts[0]
    given = part.get("Key") or part.get("Item") or {}
    return table.arn, *(_same(given.get(name)) for name in table.keys)


def _same(value: Any) -> object:
    """A key's value; numbers are the same however they are written."""
    kind, text = next(iter(value.items())) if isinstance(value, Mapping) and value else ("", "")
    try:
        return kind, Decimal(str(text)) if kind == "N" else str(text)
    except InvalidOperation:
        return kind, str(text)


def _mismatch(part: Mapping[str, Any], table: Table, *, batch: bool = False) -> str | None:
    item, key = part.get("Item"), part.get("Key")
    if isinstance(item, Mapping) and (found := next(_of_item(item, table), None)):
        return MISMATCH if batch else f"One or more parameter values were invalid: {found}"
    needed = {name: _needed(table, name) for name in table.keys}
    if isinstance(key, Mapping) and {name: _type(value) for name, value in key.items()} != needed:
        return MISMATCH
    return None


def _of_item(item: Mapping[str, Any], table: Table) -> Iterator[str]:
    for name in table.keys:
        needed = _needed(table, name)
        if name not in item:
            yield f"Missing the key {name} in the item"
        elif (found := _type(item[name])) != needed:
            yield f"Type mismatch for key {name} expected: {needed} actual: {found}"


def _of_empty(part: Mapping[str, Any], table: Table) -> Iterator[str]:
    given: list[Mapping[str, Any]] = [part[name] for name in ("Item", "Key") if isinstance(part.get(name), Mapping)]
    for values in given:
        for name in table.keys:
            for kind, word in KINDS.items():
                if values.get(name) == {kind: ""}:
                    yield (
                        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
                        f"contain an empty {word} value. Key: {name}"
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
