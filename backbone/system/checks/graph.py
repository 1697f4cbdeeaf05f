"""What Terraform itself refuses: expressions, dependencies and cycles of resource blocks and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from backbone.system.arguments import attributes
from backbone.system.checks import expressions
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Block, Configuration

__all__ = ["check"]

IDENTIFIER = re.compile(r"[^\W\d][\w-]*(\[.*\])?")
"""Terraform language, "Identifiers"; in a plan, with the key of a resource of several."""

REPEATING = ("count", "for_each")
"""Arguments by which a block makes several resources or none (Terraform language, "Meta-arguments")."""

LIFECYCLE = frozenset(
    {
        *("create_before_destroy", "ignore_changes", "postcondition", "precondition", "prevent_destroy"),
        *("replace_triggered_by",),
    }
)
"""Terraform language, "The lifecycle meta-argument"."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with blocks and outputs before any of them is read as what it is."""
    for block in (*configuration, *configuration.outputs):
        for words in dict.fromkeys((*_expressions(configuration, block), *_arguments(configuration, block))):
            yield finding("BB110", block.id, words)
    yield from _cycles(configuration)


def _cycles(configuration: Configuration) -> Iterator[Finding]:
    """The first block that cannot be made before it is there."""
    graph = {
        block.id: {f"{block.stack}/{address}" for address in configuration.dependencies(block)}
        for block in configuration
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        first, *rest = error.args[1]
        yield finding("BB110", first, f"depends on itself, by way of {', '.join(rest[:-1]) or 'nothing else'}")


def _expressions(configuration: Configuration, block: Block) -> Iterator[str]:
    for path, text in _texts({key: value for key, value in block.body.items() if key != "//"}):
        yield from expressions.problems(configuration, block, path, text)


def _arguments(configuration: Configuration, block: Block) -> Iterator[str]:
    """The name of a block, and Terraform's own arguments."""
    kind, _, name = block.address.partition(".")
    if kind != "module" and not IDENTIFIER.fullmatch(name):
        yield f"got the name {name!r}; allowed: letters, digits, _ and -, and no digit first"
    if kind == "output" and "value" not in block.body:
        yield "value: is required for an output; add it"
    for name in REPEATING:
        if name in block.body:
            yield f"{name}: got {block.body[name]!r}; allowed: a block for each resource, as synth writes them"
    lifecycle = block.body.get("lifecycle", {})
    for part in lifecycle if isinstance(lifecycle, list) else [lifecycle]:
        if not isinstance(part, dict) or not LIFECYCLE.issuperset(part):
            yield f"lifecycle: got {part!r}; allowed: an object of {', '.join(sorted(LIFECYCLE))}"
        else:
            yield from _lifecycle(configuration, block, part)
    depends_on = block.body.get("depends_on", [])
    if not isinstance(depends_on, list):
        yield f"depends_on: got {depends_on!r}; allowed: a list of addresses"
        return
    for address in depends_on:
        if configuration.get(f"{block.stack}/{address}") is None:
            yield f"depends_on: got {address!r}; allowed: the address of a resource of the stack"


def _lifecycle(configuration: Configuration, block: Block, given: Mapping[str, Any]) -> Iterator[str]:
    for name in ("create_before_destroy", "prevent_destroy"):
        if name in given and given[name] not in (True, False, "true", "false"):
            yield f"lifecycle.{name}: got {given[name]!r}; allowed: true or false"
    ignored = given.get("ignore_changes", [])
    for name in ignored if isinstance(ignored, list) else [ignored]:
        first = re.split(r"[.\[]", str(name))[0]
        if str(name) != "all" and (names := attributes(block.type)) and first not in names:
            yield f"lifecycle.ignore_changes: {block.type} has no argument {name}"
    triggers = given.get("replace_triggered_by", [])
    for trigger in triggers if isinstance(triggers, list) else [triggers]:
        address = ".".join(re.sub(r"^\$\{|\}$", "", str(trigger)).split(".")[:2])
        if configuration.get(f"{block.stack}/{address}") is None:
            yield f"lifecycle.replace_triggered_by: got {trigger!r}; allowed: resources of the stack"


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts with expressions in a value, each with its place."""
    if isinstance(value, str):
        if "${" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, path)
