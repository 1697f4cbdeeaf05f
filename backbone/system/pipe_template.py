"""The input template of a pipe: JSON or text, with `<$.path>` and `<aws.pipes.…>` filled in for each item.

Source: EventBridge user guide, "Amazon EventBridge Pipes input transformation". What it does not say (a path that finds
nothing, quotes within a template) is taken to be as with rules, whose answers were recorded.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backbone.errors import BackboneError
from backbone.system.target_input import Delivered, Dropped, Transformer, at_path

__all__ = ["PipeTemplate", "decoded"]

RESERVED = (
    "aws.pipes.pipe-arn",
    "aws.pipes.pipe-name",
    "aws.pipes.source-arn",
    "aws.pipes.enrichment-arn",
    "aws.pipes.target-arn",
    "aws.pipes.event.ingestion-time",
    "aws.pipes.event",
    "aws.pipes.event.json",
)
"""The variables that every template has (user guide, "Reserved variables")."""

_PLACEHOLDER = re.compile(r"<(\$[^<>]*|aws\.pipes\.[A-Za-z.-]+)>")


@dataclass(frozen=True)
class PipeTemplate:
    """An input template, which is filled for each item of a batch by itself."""

    text: str

    @cached_property
    def _as_transformer(self) -> Transformer:
        """The same template with a name for each path."""
        paths = dict.fromkeys(found for found in _PLACEHOLDER.findall(self.text) if found.startswith("$"))
        names = {path: f"path-{number}" for number, path in enumerate(paths)}
        text = _PLACEHOLDER.sub(lambda found: f"<{names.get(found[1], found[1])}>", self.text)
        return Transformer(text, {name: path for path, name in names.items()})

    @property
    def is_json(self) -> bool:
        """Whether it is JSON once it is filled, and not free text."""
        return Delivered(_PLACEHOLDER.sub("null", self.text)).json_problem is None

    def problems(self, *, json_only: bool) -> Iterator[str]:
        """What could not be filled in, or not be taken by a target that takes JSON only, in words."""
        for name in dict.fromkeys(_PLACEHOLDER.findall(self.text)):
            if not name.startswith("$") and name not in RESERVED:
                known = ", ".join(RESERVED)
                yield f"<{name}> is no variable of a pipe; allowed: {known}, and paths such as <$.body.id>"
            try:
                at_path({}, name if name.startswith("$") else "$")
            except BackboneError as error:
                yield str(error)
        if json_only and not self.is_json:
            yield f"it is not JSON once it is filled, and the target takes nothing else: {self.text!r}"

    def fill(self, item: Any, known: Mapping[str, Any]) -> Delivered | Dropped:
        """What is sent for an item; `known` has the values of the variables by their names."""
        if self.is_json:
            return self._as_transformer.fill(item, known)
        return Delivered(_PLACEHOLDER.sub(lambda found: _in_text(_value(found[1], item, known)), self.text))


def _value(name: str, item: Any, known: Mapping[str, Any]) -> Any:
    if name.startswith("$"):
        return at_path(item, name)
    if name not in known:
        raise BackboneError(f"input_template has <{name}>, which is no variable of a pipe")
    return known[name]


def _in_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def decoded(record: Mapping[str, Any], service: str) -> dict[str, Any]:
    """A record with what it carries as text read as JSON, where it is JSON: `body` of SQS, `data` of Kinesis."""
    if service == "sqs":
        return {**record, "body": _read(record["body"])}
    if service == "kinesis":
        return {**record, "data": _read(base64.b64decode(record["data"]).decode("utf-8", "replace"))}
    return dict(record)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
