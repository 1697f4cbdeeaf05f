"""What Terraform itself refuses: expressions, dependencies and cycles of resource blocks and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from backbone.system.arguments import attributes
from backbone.system.findings import Finding, finding
from backbone.system.terraform import EXPRESSION, REFERENCE, Block, Configuration

__all__ = ["check"]

UNCLOSED = re.compile(r"(?<!\$)\$\{[^}]*$")
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
        if UNCLOSED.search(EXPRESSION.sub("", text)):
            yield f"{path}: got {text[-60:]!r}, an expression that does not end; add the brace"
        for escaped, expression in EXPRESSION.findall(text):
            reference = REFERENCE.fullmatch(expression.strip())
            if reference is None or escaped or reference[1].partition(".")[0] in ("var", "local", "data", "module"):
                continue
            target = configuration.get(f"{block.stack}/{reference[1]}")
            if target is None:
                yield f"{path}: ${{{expression}}} refers to a resource that is not in the stack"
            elif (names := attributes(target.type)) and reference[2] not in names:
                yield f"{path}: ${{{expression}}}: {target.type} has no attribute {reference[2]}"


def _arguments(configuration: Configuration, block: Block) -> Iterator[str]:
    """Terraform's own arguments."""
    for name in REPEATING:
        if name in block.body:
            yield f"{name}: got {block.body[name]!r}; allowed: a block for each resource, as synth writes them"
    lifecycle = block.body.get("lifecycle", {})
    for part in lifecycle if isinstance(lifecycle, list) else [lifecycle]:
        if not isinstance(part, dict) or not LIFECYCLE.issuperset(part):
            yield f"lifecycle: got {part!r}; allowed: an object of {', '.join(sorted(LIFECYCLE))}"
    depends_on = block.body.get("depends_on", [])
    if not isinstance(depends_on, list):
        yield f"depends_on: got {depends_on!r}; allowed: a list of addresses"
        return
    for address in depends_on:
        if configuration.get(f"{block.stack}/{address}") is None:
            yield f"depends_on: got {address!r}; allowed: the address of a resource of the stack"


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
