"""What AWS allows as the value of an argument: lengths, patterns, ranges and enums.

They come from botocore's service models (scripts/service_models.py), and from AWS's documentation where the models are
silent or wider (argument_limits.json, where each says its source). The latter overrule the former.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import backbone.aws
from backbone.system.arguments.problem import format_value, listed

__all__ = ["breach", "of", "rules_of"]

Limits = Mapping[str, Any]

ARN = r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws|\*)?:.+"
"""Amazon Resource Names (IAM user guide, "ARN format"); an HTTP API's integration may have * for the account."""


@cache
def _file(name: str) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads((Path(backbone.aws.__file__).parent / "data" / name).read_text(encoding="utf-8"))
    return found


@cache
def of(resource_type: str, path: str) -> Limits:
    """What the argument at a path of the schema must be: `name`, `layers[]` for each element, `tags{key}` for each key.

    `empty` says that Terraform takes an empty text for an absent argument.
    """
    found = dict(_file("service_models.json").get(resource_type, {}).get(path, {}))
    found |= _file("argument_limits.json").get(resource_type, {}).get("limits", {}).get(path, {})
    if is_arn := re.search(r"(^|[._])(arn|arns\[\])$", path):
        found = {"pattern": ARN, "words": "an ARN"} | found
    return {"empty": bool(is_arn or "json" in found)} | found


def rules_of(resource_type: str) -> Sequence[Mapping[str, Any]]:
    """Which arguments of a type go together, and which do not, as `rules` reads it."""
    found: Sequence[Mapping[str, Any]] = _file("argument_limits.json").get(resource_type, {}).get("rules", ())
    return found


def breach(value: Any, allowed: Limits) -> str | None:
    """How a value breaks its limits, as "got …; allowed: …", or None when it keeps them."""
    return next(_breaches(value, allowed), None)


def _breaches(value: Any, allowed: Limits) -> Iterator[str]:
    if "enum" in allowed and value not in allowed["enum"]:
        yield f"got {format_value(value)}; allowed: {listed(str(value), [str(choice) for choice in allowed['enum']])}"
    if "range" in allowed and not _within(value, allowed["range"]):
        yield f"got {format_value(value)}; allowed: {_span(allowed['range'])}{_unit(allowed)}"
    if allowed.get("whole") and value != int(value):
        yield f"got {format_value(value)}; allowed: a whole number"
    if "length" in allowed and not _within(len(value), allowed["length"]):
        yield f"got {len(value):,} characters; allowed: {_span(allowed['length'])}"
    if "items" in allowed and value and not _within(len(value), allowed["items"]):
        yield f"got {len(value):,} entries; allowed: {_span(allowed['items'])}"
    if "pattern" in allowed and not _matches(value, allowed["pattern"]):
        wanted = allowed.get("words") or f"what matches {allowed['pattern']}"
        yield f"got {format_value(value)}; allowed: {wanted}"
    if allowed.get("json") and (problem := _json_problem(value)):
        yield f"got {format_value(value)}; allowed: JSON text ({problem})"


def _within(value: float, span: tuple[float | None, float | None]) -> bool:
    low, high = span
    return (low is None or value >= low) and (high is None or value <= high)


def _span(span: tuple[float | None, float | None]) -> str:
    low, high = span
    if high is None:
        return f"at least {low:,}"
    return f"{low:,} to {high:,}" if low is not None else f"at most {high:,}"


def _unit(allowed: Limits) -> str:
    return f" {allowed['unit']}" if "unit" in allowed else ""


def _json_problem(text: str) -> str | None:
    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    return None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    for name, characters in (("L", "a-zA-Z"), ("N", "0-9"), ("Z", " ")):
        pattern = pattern.replace(rf"\p{{{name}}}", characters)
    return re.compile(pattern, re.ASCII)


def _matches(value: str, pattern: str) -> bool:
    r"""Whether all of a text matches a pattern of a service model: Java's, where `\p{L}` is a letter of any script."""
    if r"\p{" in pattern:
        value = "".join(character if character.isascii() else _category(character) for character in value)
    return _pattern(pattern).fullmatch(value) is not None


def _category(character: str) -> str:
    """An ASCII character of the same general category, or one that no pattern has."""
    return {"L": "a", "N": "0", "Z": " "}.get(unicodedata.category(character)[0], "\0")
