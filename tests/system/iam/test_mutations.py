"""Every single edit of the example's policies is seen: as a problem, or because what was allowed no longer is.

The edits that neither show nor change the decision must be of a kind that is harmless, with the reason here.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.system import iam
from backbone.system.iam import INLINE, TRUST, Identity, Policy, authorize, check_policy, read_policy

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "mutations.yaml").read_text())
Path_ = tuple[str | int, ...]


def walk(found: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value of a document with its path, from the outside in."""
    if path:
        yield path, found
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in items:
        yield from walk(value, (*path, key))


def typo(text: str) -> str:
    """A text with its last two letters turned around, or with one more."""
    turned = text[:-2] + text[-1] + text[-2] if len(text) > 1 else text
    return turned if turned != text else f"{text}x"


def edited(document: Any, path: Path_, change: Any, *, key: str | None = None) -> Any:
    """The document with the value at a path changed by a function, or removed, or under another key."""
    found = copy.deepcopy(document)
    place = found
    for step in path[:-1]:
        place = place[step]
    value = place.pop(path[-1])
    if key is not None:
        place[key] = value
    elif change is not None and isinstance(place, dict):
        place[path[-1]] = change(value)
    elif change is not None:
        place.insert(path[-1], change(value))
    return found


def mutants(document: Any) -> Iterator[tuple[str, Path_, Any]]:
    for path, value in walk(document):
        yield "removed", path, edited(document, path, None)
        yield "null", path, edited(document, path, lambda _: None)
        yield "a number", path, edited(document, path, lambda _: 7)
        yield "an empty list", path, edited(document, path, lambda _: [])
        yield "an empty object", path, edited(document, path, lambda _: {})
        if isinstance(value, str):
            yield "a typo", path, edited(document, path, typo)
            yield "upper case", path, edited(document, path, str.upper)
            yield "a star", path, edited(document, path, lambda _: "*")
            yield "another account", path, edited(document, path, lambda text: text.replace("1111", "3333", 1))
            yield "another region", path, edited(document, path, lambda text: text.replace("eu-west-1", "us-east-1"))
            yield "another partition", path, edited(document, path, lambda text: text.replace("arn:aws:", "arn:awz:"))
        if isinstance(path[-1], str):
            yield "key: a typo", path, edited(document, path, None, key=typo(path[-1]))
            yield "key: lower case", path, edited(document, path, None, key=path[-1].lower())


ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def allows(policy: Policy, resource: str, request: dict[str, Any]) -> bool:
    """Whether a request is allowed that nothing but the policy could forbid."""
    name = request.get("who", f"arn:aws:iam::{resource.split(':')[4]}:role/r")
    policies = (policy,) if policy.kind is INLINE else (read_policy("all", ALL, INLINE),)
    who = Identity(name, name.split(":")[4], policies) if name.startswith("arn:") else Identity(name)
    arn = request.get("resource", resource)
    of_resource = [] if policy.kind is INLINE else [policy]
    owner, context = resource.split(":")[4], request.get("context", {})
    return bool(authorize(who, request["action"], arn, owner=owner, policies=of_resource, context=context))


def seen(case: dict[str, Any], given: Any) -> bool:
    kind = getattr(iam, case["kind"])
    policy = read_policy("p", given, kind, resource="" if kind is TRUST else case["resource"])
    if policy.problems or check_policy(policy):
        return True
    return not all(allows(policy, case["resource"], request) for request in case["requests"])


def harmless(what: str, path: Path_, policy: dict[str, Any]) -> str:
    """Why an edit that nobody sees may pass; empty when it may not."""
    last = path[-1]
    if last == "Sid":
        return "a name that nothing refers to"
    if path == ("Version",) and what == "removed":
        return "the older version, of a document without variables"
    if "Condition" in path and what in ("removed", "an empty object"):
        return "less is asked of who was admitted before; the principal and the resource are still named"
    if "Principal" in path and what == "a star":
        return "everyone, but the condition names the role" if "aws:PrincipalArn" in str(policy) else ""
    if {"Action", "Resource"} & set(path) and what == "a star":
        return "more actions or resources for who was admitted before"
    if "Action" in path and what == "upper case":
        return "actions have no case"
    if what == "key: lower case" and ":" in str(last):
        return "condition keys have no case"
    return ""


@pytest.mark.parametrize("name", CASES)
def test_every_edit_is_seen(name: str) -> None:
    case = CASES[name]
    assert not seen(case, case["policy"])
    missed = []
    for what, path, document in mutants(case["policy"]):
        if document == case["policy"] or harmless(what, path, case["policy"]):
            continue
        if not seen(case, document) or not seen(case, json.dumps(document)):
            missed.append(f"{what} at {'.'.join(map(str, path))}")
    assert missed == []
