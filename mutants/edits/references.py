"""References between resources: to another, to a missing one, to another attribute, or written out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.errors import BackboneError
from backbone.system.terraform import Configuration
from mutants.documents import Path
from mutants.edits.values import Change, misspelt

__all__ = ["of_references"]

REFERENCE = re.compile(r"\$\{(?P<type>aws_\w+)\.(?P<name>[\w-]+)\.(?P<attribute>\w+)\}")
ATTRIBUTES = ("arn", "name", "id", "url")


def of_references(
    text: str, path: Path, resources: Mapping[str, Mapping[str, Any]], configuration: Configuration
) -> Iterator[Change]:
    """Every edit of the references in a text of a stack with these resources, by type and name."""
    for found in REFERENCE.finditer(text):
        value = _value(found[0], path, configuration)
        if value is not None:
            yield "written out", path, text.replace(found[0], value)
        for what, at, after in _of_reference(text, found, path, resources):
            new = after[found.start() : len(after) - len(text) + found.end()]
            same = what.startswith("to another") and value is not None and _value(new, path, configuration) == value
            yield f"{what} of the same value" if same else what, at, after


def _value(reference: str, path: Path, configuration: Configuration) -> str | None:
    """What a reference comes to; None where that is known on AWS only."""
    found = REFERENCE.fullmatch(reference)
    block = configuration.get(f"{path[0]}/{found['type']}.{found['name']}") if found else None
    try:
        return None if block is None else str(configuration.resolve(block, reference))
    except BackboneError:
        return None


def _of_reference(
    text: str, found: re.Match[str], path: Path, resources: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    kind, name, attribute = found["type"], found["name"], found["attribute"]

    def to(other: str) -> str:
        return text[: found.start()] + other + text[found.end() :]

    provider = resources[kind][name]["provider"]
    others = [other for other in resources[kind] if other != name]
    same = [other for other in others if resources[kind][other]["provider"] == provider]
    for what, names in (
        ("to another resource", same[:1]),
        ("to another resource of another account", [other for other in others if other not in same][:1]),
    ):
        for other in names:
            yield what, path, to(f"${{{kind}.{other}.{attribute}}}")
    other_type = next((other for other in resources if other != kind), None)
    if other_type is not None:
        yield "to another type", path, to(f"${{{other_type}.{next(iter(resources[other_type]))}.{attribute}}}")
    yield "to a missing resource", path, to(f"${{{kind}.{name}x.{attribute}}}")
    for other in ATTRIBUTES:
        if other != attribute:
            yield "to another attribute", path, to(f"${{{kind}.{name}.{other}}}")
    yield "to a missing attribute", path, to(f"${{{kind}.{name}.{misspelt(attribute)}}}")
    yield "broken expression", path, to(found[0][:-1])
