"""All edits of some stacks, each with its kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.system.terraform import Configuration
from mutants.documents import REMOVED, Path, Rename, value_at
from mutants.edits import additions, blocks, code, patterns, places, policies, references, values
from mutants.edits.edit import ASSETS, MANIFEST, Edit, Stacks
from mutants.edits.values import Change

__all__ = ["edits"]

POLICIES = ("assume_role_policy", "policy", "policy_document")
APART = ("//", "depends_on", "provider")
"""Terraform's own arguments, which have edits of their own; `//` is a comment."""

KINDS = {
    "aws_apigatewayv2": "HTTP API",
    "aws_cloudwatch_event_api_destination": "API destinations",
    "aws_cloudwatch_event_archive": "buses and archives",
    "aws_cloudwatch_event_bus": "buses and archives",
    "aws_cloudwatch_event_connection": "API destinations",
    "aws_cloudwatch_event_rule": "rules and targets",
    "aws_cloudwatch_event_target": "rules and targets",
    "aws_cloudwatch_log": "logs",
    "aws_dynamodb": "tables",
    "aws_iam": "roles",
    "aws_kinesis": "streams and buckets",
    "aws_kms": "keys",
    "aws_lambda_permission": "permissions",
    "aws_lambda": "functions",
    "aws_pipes": "pipes",
    "aws_s3": "streams and buckets",
    "aws_scheduler": "schedules",
    "aws_sfn": "state machines",
    "aws_sns": "topics",
    "aws_sqs": "queues",
}
"""The kind of edits by what the resource type begins with, the first that fits."""


def edits(stacks: Stacks, configuration: Configuration) -> list[Edit]:
    """Every edit of some stacks, each once, in the order of the files."""
    found: dict[tuple[Path, str], Edit] = {}
    accounts = sorted({block.place.account_id for block in configuration})
    for name, document in stacks.items():
        made = _of_stack(name, document, accounts, configuration) if name != MANIFEST else _of_manifest(document)
        for edit in made:
            if value_at(stacks, edit.path) != edit.after:
                found.setdefault((edit.path, repr(edit.after)), edit)
    return list(found.values())


def _of_stack(name: str, document: Any, accounts: list[str], configuration: Configuration) -> Iterator[Edit]:
    resources, providers = document["resource"], document["provider"]["aws"]
    for change in places.of_providers(providers, (name, "provider", "aws"), accounts):
        yield _edit("accounts and regions", change)
    for change in code.of_zips(document[ASSETS], (name, ASSETS)):
        yield _edit("code", change)
    for path, text in _texts(document["output"], (name, "output")):
        for change in references.of_references(text, path, resources, configuration):
            if change[0] != "written out":
                yield _edit("references", change)
    ids = {provider["alias"]: provider["allowed_account_ids"][0] for provider in providers}
    for kind, named in resources.items():
        for resource, body in named.items():
            path = (name, "resource", kind, resource)
            yield from _of_own_arguments(kind, body, path, list(ids), resources)
            for argument, value in body.items():
                if argument not in APART:
                    own = ids[body["provider"].removeprefix("aws.")]
                    yield from _of_argument(kind, value, (*path, argument), accounts, own)
            for at, text in _texts({key: part for key, part in body.items() if key not in APART}, path):
                for change in references.of_references(text, at, resources, configuration):
                    yield _edit("dependencies" if change[0] == "written out" else "references", change)


def _of_manifest(document: Mapping[str, Any]) -> Iterator[Edit]:
    """What synth wrote beside the stacks, as a text and each value of it."""
    text = json.dumps(document)
    for what, after in (
        ("removed", REMOVED),
        ("emptied", ""),
        ("truncated", text[: len(text) // 2]),
        ("no text", "\udcff"),
        ("nested too deep", "[" * 100_000),
        ("another value", "[]"),
        ("another value", "null"),
        ("another value", "5"),
    ):
        yield Edit("manifest", what, (MANIFEST,), after)
    for change in values.of_entries(dict(document), (MANIFEST,)):
        yield _edit("manifest", change)
    for at, value in _texts(document, (MANIFEST,)):
        for change in places.of_arns(value, at, sorted(document["accounts"].values())):
            yield _edit("manifest", change)


def _of_own_arguments(
    kind: str, body: Mapping[str, Any], path: Path, aliases: list[str], resources: Mapping[str, Any]
) -> Iterator[Edit]:
    """What Terraform itself reads of a block, the block as a whole, and what it does not have."""
    own = _kind_of(kind)
    for change in blocks.of_block(kind, body, path):
        yield _edit(own, change)
    for change in places.of_provider_name(body["provider"], (*path, "provider"), aliases):
        yield _edit("accounts and regions", change)
    for change in blocks.of_dependencies(body.get("depends_on", []), (*path, "depends_on")):
        yield _edit("dependencies", change)
    for change in additions.of_additions(kind, body, path):
        yield _edit("keys" if "kms" in str(change[1][-1]) else own, change)
    yield Edit("names", "made twice", (*path[:3], f"{path[3]}-again"), body)
    for argument in blocks.NAMES:
        if argument in body:
            for change in blocks.of_name(argument, kind, path, resources):
                yield _edit("names", change)


def _of_argument(kind: str, value: Any, path: Path, accounts: list[str], own: str) -> Iterator[Edit]:
    """An argument of a block of the account `own`."""
    argument = str(path[-1])
    if argument in POLICIES:
        yield from (_edit("IAM grammar", change) for change in _of_json(value, path))
        for family, change in policies.of_policy(json.loads(value), path, accounts, own):
            yield _edit(family, change)
    elif argument == "event_pattern":
        yield from (_edit("patterns", change) for change in _of_json(value, path))
        for change in patterns.of_pattern(json.loads(value), path, accounts):
            yield _edit("patterns", change)
    else:
        for change in values.of_value(value, path):
            yield _edit(_kind_of(kind, change[1]), change)
        for at, text in _texts(value, path):
            for change in places.of_arns(text, at, accounts):
                yield _edit("keys" if "kms" in argument else "accounts and regions", change)


def _of_json(text: str, path: Path) -> Iterator[Change]:
    yield from (("removed", path, REMOVED), ("null", path, None), ("emptied", path, ""))
    yield "key misspelt", path, Rename(values.misspelt(str(path[-1])))
    yield "broken", path, text[:-1]
    yield "text for an object", path, '"text"'
    yield "list for an object", path, f"[{text}]"
    yield "object for a text", path, json.loads(text)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The texts in a value, each with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, (*path, index))


def _kind_of(type: str, path: Path = ()) -> str:
    """The kind of an edit of a resource, or of one of its arguments."""
    argument = str(path[4]) if path else ""
    if argument in blocks.NAMES and not (type.startswith("aws_lambda_") and type != "aws_lambda_function"):
        return "names"
    if any("kms" in str(step) for step in path[4:]):
        return "keys"
    return next(kind for prefix, kind in KINDS.items() if type.startswith(prefix))


def _edit(kind: str, change: Change) -> Edit:
    what, path, after = change
    return Edit(kind, what, path, after)
