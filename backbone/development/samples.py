"""Sample events: a value for every JSON Schema of an event, the same each time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from backbone.development.contracts import Contract
from backbone.development.schemas import SchemaError

__all__ = ["event", "sample"]

Json = dict[str, Any]

TEXTS = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T12:00:00Z",
    "duration": "PT1H",
    "email": "name@example.com",
    "hostname": "host.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "uuid": "11111111-1111-4111-8111-111111111111",
}
"""Texts of the formats that JSON Schema has; what is reserved for examples where there is such."""
MORE_TEXTS = ("1", "1.00", "a", "A", "AAA", "aaaa-1111", "A-1", "+441234567890", "A1B2C3D4")
"""What is tried where a text must match a pattern."""

EXAMPLE = "Field(examples=[...])"


class _EndlessError(Exception):
    """A part holds itself and would have no end."""


def event(contract: Contract, *, region: str, account_id: str) -> Json:
    """An event of a type as EventBridge delivers it, with the envelope that the backbone's publisher gives it.

    SchemaError when no value can be found for a part of its schema. Of a type without a schema the data is empty.
    """
    words = f"{contract.detail_type}.v{contract.version}.json of {contract.publisher}"
    meta = {
        "causation_id": None,
        "correlation_id": "22222222-2222-4222-8222-222222222222",
        "idempotency_key": f"sample-{contract.detail_type}",
        "version": contract.version or 1,
    }
    return {
        "version": "0",
        "id": "33333333-3333-4333-8333-333333333333",
        "detail-type": contract.detail_type,
        "source": contract.source,
        "account": account_id,
        "time": TEXTS["date-time"],
        "region": region,
        "resources": [],
        "detail": {"data": {} if contract.schema is None else sample(contract.schema, words), "meta": meta},
    }


def sample(schema: Json, name: str) -> Any:
    """A value that a JSON Schema allows; SchemaError, which begins with `name`, when none can be found."""
    try:
        return _Sampler(schema, name).value(schema, "data", ())
    except _EndlessError:
        raise SchemaError(f"{name}: data: holds itself without end, so that no event can have it") from None


class _Sampler:
    def __init__(self, root: Json, name: str) -> None:
        self._definitions: Json = root.get("$defs", {})
        self._name = name

    def value(self, schema: Any, path: str, within: tuple[str, ...]) -> Any:
        """A value for a part of the schema; `within` are the definitions that it is a part of."""
        if schema is True:
            return {}
        if schema is False:
            raise self._wrong(path, "allows no value")
        if schema.get("examples"):
            return schema["examples"][0]
        if "$ref" in schema:
            definition = schema["$ref"].removeprefix("#/$defs/")
            if definition in within:
                raise _EndlessError
            return self.value(self._definitions.get(definition, False), path, (*within, definition))
        if "const" in schema or "enum" in schema:
            return schema.get("enum", [schema.get("const")])[0]
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return self._first(schema[key], path, within)
        return self._typed(schema, path, within)

    def _first(self, choices: Iterable[Any], path: str, within: tuple[str, ...]) -> Any:
        for choice in choices:
            try:
                return self.value(choice, path, within)
            except _EndlessError:
                continue
        raise _EndlessError

    def _typed(self, schema: Json, path: str, within: tuple[str, ...]) -> Any:
        kind = schema.get("type")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                return self._object(schema, path, within)
            case "array":
                return self._array(schema, path, within)
            case "string":
                return self._text(schema, path)
            case "integer" | "number" as number:
                return _number(schema, whole=number == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return {}

    def _object(self, schema: Json, path: str, within: tuple[str, ...]) -> Json:
        found = {}
        for name, part in schema.get("properties", {}).items():
            try:
                found[name] = self.value(part, f"{path}.{name}", within)
            except _EndlessError:
                if name in schema.get("required", ()):
                    raise
        return found

    def _array(self, schema: Json, path: str, within: tuple[str, ...]) -> list[Any]:
        here = f"{path}[]"
        if "prefixItems" in schema:
            return [self.value(part, here, within) for part in schema["prefixItems"]]
        fewest = schema.get("minItems", 0)
        try:
            item = self.value(schema.get("items", True), here, within)
        except _EndlessError:
            if fewest:
                raise
            return []
        if fewest > 1 and schema.get("uniqueItems"):
            raise self._wrong(path, f"{fewest} different items are needed; give the field an example: {EXAMPLE}")
        return [item] * min(max(1, fewest), schema.get("maxItems", max(1, fewest)))

    def _text(self, schema: Json, path: str) -> str:
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        word = path.rpartition(".")[2].removesuffix("[]")
        known = [TEXTS[schema["format"]]] if schema.get("format") in TEXTS else []
        tried: list[str] = [*known, f"{word}-1", *MORE_TEXTS, *TEXTS.values(), "a" * shortest, ""]
        for text in tried:
            if shortest <= len(text) <= longest and re.search(schema.get("pattern", ""), text):
                return text
        words = f"no text was found that {json.dumps({key: schema[key] for key in sorted(schema)})} allows"
        raise self._wrong(path, f"{words}; give the field an example: {EXAMPLE}")

    def _wrong(self, path: str, words: str) -> SchemaError:
        return SchemaError(f"{self._name}: {path}: {words}")


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    """The number nearest to 1 that the limits allow."""
    step = schema.get("multipleOf", 1 if whole else 0.5)
    lowest = schema.get("minimum", -math.inf)
    if "exclusiveMinimum" in schema:
        lowest = max(lowest, schema["exclusiveMinimum"] + step)
    highest = schema.get("maximum", math.inf)
    if "exclusiveMaximum" in schema:
        highest = min(highest, schema["exclusiveMaximum"] - step)
    found = min(max(1, lowest), highest)
    if "multipleOf" in schema:
        found = math.ceil(found / step) * step
    return int(found) if whole or found == int(found) else found
