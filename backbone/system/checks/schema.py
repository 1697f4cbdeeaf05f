"""Every argument of every block against what the AWS provider and AWS itself take."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from backbone.system.arguments import majors, problems, simulated
from backbone.system.arguments.schema import types
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Configuration, TerraformError

__all__ = ["check"]

RULES = {"error": "BB106", "warning": "BB107", "note": "BB190"}


def check(configuration: Configuration) -> Iterator[Finding]:
    """What the provider's schema, or the service behind it, would refuse."""
    versions = {stack: tuple(majors(constraint)) for stack, constraint in configuration.constraints.items()}
    for block in configuration:
        if block.type not in types() and (near := get_close_matches(block.type, types(), 1, 0.95)):
            yield finding("BB107", block.id, f"no such type is known here; did you mean {near[0]}?")
        try:
            body = configuration.resolve(block, {key: part for key, part in block.body.items() if key != "//"})
        except TerraformError:
            continue  # that the block cannot be read is a finding of its own
        found = problems(block.type, body, providers=versions.get(block.stack, ()))
        for problem in (*found, *simulated.notes(block.type, body)):
            yield finding(RULES[problem.severity], block.id, str(problem), severity=problem.severity)
