"""Policy documents: each statement, element, principal, action, resource and condition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mutants.documents import JSON, REMOVED, Path, Rename
from mutants.edits.places import of_arns
from mutants.edits.values import Change, misspelt

__all__ = ["of_policy"]

GRAMMAR, EVALUATION, PLACES = "IAM grammar", "IAM evaluation", "accounts and regions"

KindOfChange = tuple[str, Change]


OWN = " for its own account"
"""Ends what is done to a statement that names the account of the resource itself."""


def of_policy(document: dict[str, Any], path: Path, accounts: list[str], own: str) -> Iterator[KindOfChange]:
    """Every edit of the policy in the text at a place, each with its kind. The resource is in the account `own`."""
    here = (*path, JSON)
    for what, after in (("version 2008", "2008-10-17"), ("unknown version", "2012-10-18"), ("removed", REMOVED)):
        yield GRAMMAR, (what, (*here, "Version"), after)
    yield GRAMMAR, ("id added", (*here, "Id"), "an id")
    yield GRAMMAR, ("unknown element", (*here, "Statment"), [])
    yield GRAMMAR, ("removed", (*here, "Statement"), REMOVED)
    yield GRAMMAR, ("key misspelt", (*here, "Statement"), Rename("Statment"))
    statements = document["Statement"]
    yield EVALUATION, ("emptied", (*here, "Statement"), [])
    if len(statements) == 1:
        yield GRAMMAR, ("without a list", (*here, "Statement"), statements[0])
    for number, statement in enumerate(statements):
        place = (*here, "Statement", number)
        yield EVALUATION, ("removed", place, REMOVED)
        yield GRAMMAR, ("duplicated", (*here, "Statement"), [*statements, statement])
        yield GRAMMAR, ("text for a statement", place, "text")
        end = OWN if f":{own}:root" in str(statement.get("Principal")) else ""
        for kind, (what, at, after) in _of_statement(statement, place, accounts):
            yield kind, (what + end, at, after)


def _of_statement(statement: dict[str, Any], place: Path, accounts: list[str]) -> Iterator[KindOfChange]:
    yield GRAMMAR, ("unknown element", (*place, "Conditions"), {})
    for element in statement:
        yield EVALUATION if element == "Condition" else GRAMMAR, ("removed", (*place, element), REMOVED)
        yield GRAMMAR, ("null", (*place, element), None)
        yield GRAMMAR, ("key misspelt", (*place, element), Rename(misspelt(element)))
    for what, after in (("misspelt", "Alow"), ("other case", "allow"), ("emptied", "")):
        yield GRAMMAR, (what, (*place, "Effect"), after)
    yield EVALUATION, ("flipped", (*place, "Effect"), "Deny")
    for what, after in (("wrong characters", "not allowed!"), ("emptied", "")):
        yield GRAMMAR, (what, (*place, "Sid"), after)
    yield from _of_actions(statement["Action"], (*place, "Action"))
    if "Resource" in statement:
        yield from _of_resources(statement["Resource"], (*place, "Resource"), accounts)
    else:
        yield GRAMMAR, ("unknown element", (*place, "Resource"), "*")
    if "Principal" in statement:
        yield from _of_principals(statement["Principal"], (*place, "Principal"), accounts)
    else:
        yield GRAMMAR, ("unknown element", (*place, "Principal"), {"AWS": "*"})
    yield from _of_conditions(statement.get("Condition", {}), (*place, "Condition"), accounts)


def _each(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
    """The texts of an element that has one or a list."""
    if isinstance(value, str):
        yield value, path
    else:
        yield from ((part, (*path, index)) for index, part in enumerate(value))


def _of_list(value: Any, path: Path) -> Iterator[Change]:
    yield "emptied", path, []
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield "element removed", (*path, index), REMOVED
            yield "element duplicated", path, [*value, part]
    else:
        yield "in a list", path, [value]


def _of_actions(value: Any, path: Path) -> Iterator[KindOfChange]:
    for change in _of_list(value, path):
        yield EVALUATION if change[0] == "element removed" else GRAMMAR, change
    yield EVALUATION, ("negated", path, Rename("NotAction"))
    for action, place in _each(value, path):
        service, _, name = action.partition(":")
        for after in (f"{service}:{misspelt(name)}", f"{misspelt(service)}:{name}", name, "", f"{service}:{name}x"):
            yield GRAMMAR, ("misspelt", place, after)
        yield EVALUATION, ("widened", place, "*")
        yield EVALUATION, ("widened", place, f"{service}:*")
        yield EVALUATION, ("other action", place, f"{service}:TagResource")
        yield EVALUATION, ("other case", place, action.lower())


def _of_resources(value: Any, path: Path, accounts: list[str]) -> Iterator[KindOfChange]:
    for change in _of_list(value, path):
        yield EVALUATION if change[0] == "element removed" else GRAMMAR, change
    yield EVALUATION, ("negated", path, Rename("NotResource"))
    for resource, place in _each(value, path):
        yield EVALUATION, ("widened", place, "*")
        yield EVALUATION, ("widened", place, resource.rpartition(":")[0] + ":*" if "${" not in resource else "arn:*")
        yield GRAMMAR, ("emptied", place, "")
        if "${" in resource:
            continue  # references have edits of their own
        yield EVALUATION, ("misspelt", place, resource + "x")
        yield GRAMMAR, ("no ARN", place, resource.rpartition(":")[2])
        yield from ((PLACES, change) for change in of_arns(resource, place, accounts))


def _of_principals(value: Any, path: Path, accounts: list[str]) -> Iterator[KindOfChange]:
    if value == "*":
        yield EVALUATION, ("narrowed", path, {"AWS": f"arn:aws:iam::{accounts[0]}:root"})
        yield GRAMMAR, ("text for a principal", path, "text")
        return
    yield EVALUATION, ("widened", path, "*")
    yield EVALUATION, ("widened", path, {"AWS": "*"})
    yield EVALUATION, ("negated", path, Rename("NotPrincipal"))
    yield GRAMMAR, ("emptied", path, {})
    yield GRAMMAR, ("text for a principal", path, "text")
    for kind, names in value.items():
        here = (*path, kind)
        yield GRAMMAR, ("key misspelt", here, Rename(misspelt(kind)))
        yield GRAMMAR, ("another kind", here, Rename("Service" if kind == "AWS" else "AWS"))
        yield GRAMMAR, ("unknown kind", (*path, "Group"), "text")
        for change in _of_list(names, here):
            yield EVALUATION if change[0] == "element removed" else GRAMMAR, change
        for name, place in _each(names, here):
            yield GRAMMAR, ("misspelt", place, misspelt(name))
            yield GRAMMAR, ("emptied", place, "")
            yield EVALUATION, ("widened", place, "*")
            if kind == "Service":
                yield EVALUATION, ("another service", place, "sns.amazonaws.com")
            elif name.endswith(":root"):
                yield EVALUATION, ("account by its id", place, name.split(":")[4])
                yield from ((PLACES, change) for change in of_arns(name, place, accounts))


def _of_conditions(value: dict[str, Any], path: Path, accounts: list[str]) -> Iterator[KindOfChange]:
    if value:
        yield GRAMMAR, ("emptied", path, {})
        yield GRAMMAR, ("text for a condition", path, "text")
    for operator, keys in value.items():
        here = (*path, operator)
        yield EVALUATION, ("removed", here, REMOVED)
        yield GRAMMAR, ("operator misspelt", here, Rename(misspelt(operator)))
        if (negated := re.sub("(Equals|Like)(IfExists)?$", r"Not\1\2", operator)) != operator:
            yield EVALUATION, ("operator negated", here, Rename(negated))
        yield EVALUATION, ("operator of another type", here, Rename("NumericEquals"))
        yield EVALUATION, ("IfExists", here, Rename(f"{operator}IfExists"))
        for quantifier in ("ForAllValues", "ForAnyValue"):
            yield EVALUATION, (quantifier, here, Rename(f"{quantifier}:{operator}"))
        yield GRAMMAR, ("emptied", here, {})
        for key, values in keys.items():
            yield from _of_condition(key, values, (*here, key), accounts)


def _of_condition(key: str, values: Any, path: Path, accounts: list[str]) -> Iterator[KindOfChange]:
    yield EVALUATION, ("removed", path, REMOVED)
    yield GRAMMAR, ("key misspelt", path, Rename(misspelt(key)))
    yield EVALUATION, ("another key", path, Rename("aws:UserAgent"))
    yield GRAMMAR, ("null", path, None)
    for change in _of_list(values, path):
        yield EVALUATION if change[0] == "element removed" else GRAMMAR, change
    for value, place in _each(values, path):
        yield EVALUATION, ("emptied", place, "")
        yield EVALUATION, ("widened", place, "*")
        if "${" in value:
            continue
        yield EVALUATION, ("misspelt", place, misspelt(value))
        yield EVALUATION, ("other case", place, value.swapcase())
        yield from ((PLACES, change) for change in of_arns(value, place, accounts))
