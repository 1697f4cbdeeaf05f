"""Whole blocks: removed, made twice, named otherwise, and made in another order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mutants.documents import REMOVED, Path
from mutants.edits.values import Change, misspelt

__all__ = ["NAMES", "of_block", "of_dependencies", "of_name"]

NAMES = ("function_name", "name", "policy_name", "target_id")
"""The arguments that give a resource its name."""

TAGS = {"too": "many", **{f"key{number}": "text" for number in range(50)}}
TAGGED = ("aws_cloudwatch_event_bus", "aws_cloudwatch_event_rule", "aws_sqs_queue", "aws_lambda_function")


def of_block(kind: str, body: Mapping[str, Any], path: Path) -> Iterator[Change]:
    """A whole block."""
    yield "removed", path, REMOVED
    yield "text for a block", path, "text"
    yield "unknown argument", (*path, "no_such_argument"), "text"
    if kind in TAGGED:
        yield "too many tags", (*path, "tags"), TAGS
    yield "made zero times", (*path, "count"), 0


def of_name(argument: str, kind: str, path: Path, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Change]:
    """A name that another resource of the account has already."""
    name, provider = path[3], resources[kind][str(path[3])]["provider"]
    for other, body in resources[kind].items():
        if other != name and body["provider"] == provider and argument in body:
            yield "another resource's name", (*path, argument), body[argument]
            break


def of_dependencies(depends_on: list[str], path: Path) -> Iterator[Change]:
    """What is to be made before a block."""
    for index, address in enumerate(depends_on):
        yield "removed", (*path, index), REMOVED
        yield "misspelt", (*path, index), misspelt(address)
        yield "expression", (*path, index), f"${{{address}.id}}"
    if depends_on:
        yield "removed", path, REMOVED
        yield "text for a list", path, depends_on[0]
    yield "itself", path, [*depends_on, ".".join(map(str, path[2:4]))]
    yield "missing resource", path, [*depends_on, f"{path[2]}.no-such-resource"]
