"""Fields that no event has, in patterns and in the inputs of targets: they match nothing, and fill in nothing.

Source: EventBridge user guide, "Events in Amazon EventBridge": a publisher chooses what is in `detail`, and no field
beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from backbone.system.findings import Finding, finding
from backbone.system.model import Archive, Rule, System, Target

__all__ = ["FIELDS", "KNOWN", "check"]

FIELDS = frozenset(
    {"account", "detail", "detail-type", "id", "region", "replay-name", "resources", "source", "time", "version"}
)
KNOWN = ", ".join(sorted(FIELDS))


def check(system: System) -> Iterator[Finding]:
    """Patterns and paths with a field that no event has."""
    matching: list[Rule | Archive] = [*system.of(Rule), *system.of(Archive)]
    for resource in matching:
        if resource.pattern is not None:
            for name in dict.fromkeys(_named(json.loads(resource.pattern.to_json()))):
                words = f"event_pattern: no event has the field {name}; allowed: {KNOWN}"
                yield finding("BB208", resource.address, words)
    for target in system.targets:
        for path in _paths(target):
            if (found := re.match(r"\$\.([^.\[]+)", path)) and found[1] not in FIELDS:
                yield finding("BB208", target.address, f"{path}: no event has the field {found[1]}; allowed: {KNOWN}")


def _named(pattern: dict[str, Any]) -> Iterator[str]:
    """The fields of a pattern that no event has, outside of `detail`; a dot means the same as nesting."""
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            for alternative in value:
                yield from _named(alternative)
        elif name.partition(".")[0] not in FIELDS:
            yield name


def _paths(target: Target) -> Iterator[str]:
    given = target.input
    yield from given.input_transformer.paths.values() if given.input_transformer else ()
    yield from filter(None, (given.input_path, target.partition_key_path))
