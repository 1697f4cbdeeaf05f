"""Policy documents, read strictly: whatever IAM's grammar does not have is a problem.

Source of the rules: IAM user guide, "Grammar of the IAM JSON policy language", and the errors of IAM Access Analyzer's
policy checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from backbone.system.iam.conditions import Answer, Condition, both, either, read_conditions
from backbone.system.iam.kinds import INLINE, TRUST, Kind
from backbone.system.iam.principals import Principals, read_principals
from backbone.system.iam.problem import PolicyProblem, Problems, did_you_mean, format_value
from backbone.system.iam.request import Missing, Request
from backbone.system.iam.text import Template, TemplateError, like, overlap

__all__ = ["Policy", "Statement", "inline_problems", "read_policy"]

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that AWS takes. It has no `resources` in a trust policy."""

    name: str
    where: str
    allows: bool
    principals: Principals | None
    actions: tuple[str, ...]
    but_actions: bool
    resources: tuple[Template, ...]
    but_resources: bool
    conditions: tuple[Condition, ...]

    def applies(self, request: Request) -> Answer:
        """Whether action, resource and conditions fit a request, whoever asks; None when that cannot be told."""
        action = any(like(pattern.lower(), request.action) for pattern in self.actions)
        if action is self.but_actions:
            return False
        return both(self._fits(request))

    def _fits(self, request: Request) -> Iterable[Answer]:
        if self.resources:
            yield self._names(request)
        for condition in self.conditions:
            yield condition.holds(request)

    def _names(self, request: Request) -> Answer:
        found = either(_matches(template, request) for template in self.resources)
        return found if found is None else found is not self.but_resources


def _matches(template: Template, request: Request) -> Answer:
    pattern = template.resolve(request)
    if isinstance(pattern, Missing):
        return False if pattern is Missing.ABSENT else None
    return like(pattern, request.resource)


@dataclass(frozen=True)
class Policy:
    """A policy that stands at `address`. AWS refuses a document with a mistake as a whole: it has no `statements`."""

    address: str
    kind: Kind
    statements: tuple[Statement, ...]
    problems: tuple[PolicyProblem, ...]
    size: int
    refused: bool
    text: str = ""
    """The document as it was written; empty for a policy that is made of arguments."""


def read_policy(address: str, document: str | Document, kind: Kind, *, resource: str = "") -> Policy:
    """Read the document of a policy, given as JSON or as an object, with all its problems; nothing is raised.

    `resource` is the ARN of what a resource's policy is attached to; without it the Resource elements are not
    compared with it.
    """
    problems = Problems()
    found = _parse(document, problems) if isinstance(document, str) else document
    if not isinstance(found, Mapping):
        if not problems.found:
            problems.refuse("", f"got {format_value(found)}; allowed: a policy document, which is an object")
        return Policy(address, kind, (), tuple(problems.found), 0, True)
    statements = _document(found, kind, problems, resource)
    size = _size(found, kind, problems)
    statements = () if problems.refused else statements
    text = document if isinstance(document, str) else ""
    return Policy(address, kind, statements, tuple(problems.found), size, problems.refused, text)


def inline_problems(policies: Iterable[Policy]) -> tuple[PolicyProblem, ...]:
    """What is wrong with the inline policies of a role as a whole: AWS counts their characters together."""
    size = sum(policy.size for policy in policies)
    if INLINE.size is None or size <= INLINE.size:
        return ()
    message = f"the inline policies of the role have {size:,} characters together; AWS allows {INLINE.size:,}"
    return (PolicyProblem("", message, "error"),)


def _parse(text: str, problems: Problems) -> Any:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in found]
        for twice in sorted({key for key in keys if keys.count(key) > 1}):
            problems.refuse("", f"{twice} stands twice in one object")
        return dict(found)

    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except RecursionError:
        problems.refuse("", "is nested too deeply")
    except ValueError as error:
        problems.refuse("", f"is not JSON: {error}")
    return None


def _size(found: Document, kind: Kind, problems: Problems) -> int:
    try:
        text = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError) as error:
        problems.refuse("", f"is not JSON: {error}")
        return 0
    size = len(text.encode("utf-8", "surrogatepass")) if kind.bytes else len(text)
    if kind.size is not None and size > kind.size:
        unit = "bytes" if kind.bytes else "characters"
        problems.refuse("", f"has {size:,} {unit}; AWS allows {kind.size:,} for {kind.name}")
    elif kind is TRUST and size > 2_048:
        problems.warn("", f"has {size:,} characters; AWS allows 2,048 unless the quota for trust policies is raised")
    return size


ELEMENTS = ("Version", "Id", "Statement")
VERSIONS = ("2012-10-17", "2008-10-17")


def _document(found: Document, kind: Kind, problems: Problems, resource: str) -> tuple[Statement, ...]:
    _known(found, ELEMENTS, "", problems)
    version = found.get("Version", VERSIONS[1])
    if version not in VERSIONS:
        problems.refuse("Version", f"got {format_value(version)}; allowed: {' or '.join(VERSIONS)}")
    if kind.version and version != VERSIONS[0]:
        problems.refuse("Version", f"{kind.name} must have the Version {VERSIONS[0]}")
    if "Id" in found:
        if not isinstance(found["Id"], str):
            problems.refuse("Id", f"got {format_value(found['Id'])}; allowed: a text")
        elif not kind.principal:
            problems.warn("Id", "stands in resources' policies only, by the grammar of IAM")
    if "Statement" not in found:
        problems.refuse("", "has no Statement")
        return ()
    given = found["Statement"]
    listed = list(given) if isinstance(given, list | tuple) else [given]
    if not listed:
        problems.refuse("Statement", "is empty")
    reader = _Reader(kind, problems, resource, version == VERSIONS[0])
    statements = [
        reader.statement(entry, f"Statement[{number}]" if isinstance(given, list | tuple) else "Statement", number)
        for number, entry in enumerate(listed)
    ]
    _counts(listed, kind, problems)
    return tuple(statement for statement in statements if statement is not None)


def _known(found: Mapping[str, Any], elements: Iterable[str], where: str, problems: Problems) -> None:
    for name in found:
        if name not in elements:
            problems.refuse(where, f"{name} is no element of a policy{did_you_mean(str(name), elements)}")


def _counts(statements: list[Any], kind: Kind, problems: Problems) -> None:
    objects = [statement for statement in statements if isinstance(statement, Mapping)]
    keys = [keys for statement in objects for keys in _mapping(statement.get("Condition")).values()]
    named = [value for statement in objects for value in _mapping(statement.get("Principal")).values()]
    for name, count, limit in (
        ("statements", len(statements), kind.statements),
        ("conditions", sum(len(_mapping(of_operator)) for of_operator in keys), kind.conditions),
        ("principals", sum(len(_list(of_type)) for of_type in named), kind.principals),
        (
            "actions in a statement",
            max((len(_list(statement.get("Action"))) for statement in objects), default=0),
            kind.actions_each,
        ),
    ):
        if limit is not None and count > limit:
            problems.refuse("", f"has {count} {name}; AWS allows {limit} in {kind.name}")


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _list(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]


STATEMENT = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
SERVICE = re.compile(r"[A-Za-z0-9.-]+")
ACTION = re.compile(r"[A-Za-z0-9*?]+")
PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "*")


class _Reader:
    """Reads the statements of one document."""

    def __init__(self, kind: Kind, problems: Problems, resource: str, variables: bool) -> None:
        self._kind = kind
        self._problems = problems
        self._variables = variables
        self._covered = kind.covers(resource) if kind.principal and resource.startswith("arn:") else ()
        self._sids: set[str] = set()

    def statement(self, found: Any, where: str, number: int) -> Statement | None:
        """A statement. With a mistake in it what is returned does not matter: the document is refused."""
        if not isinstance(found, Mapping):
            self._problems.refuse(where, f"got {format_value(found)}; allowed: an object")
            return None
        _known(found, STATEMENT, where, self._problems)
        if not self._variables and "${" in str(found):
            self._problems.warn(where, f"has a policy variable, which is plain text without the Version {VERSIONS[0]}")
        allows = self._effect(found, where)
        principals = self._principals(found, where, allows)
        actions, but_actions = self._actions(found, where)
        resources, but_resources = self._resources(found, where)
        conditions = read_conditions(
            found.get("Condition", {}), f"{where}.Condition", self._problems, variables=self._variables
        )
        name = self._sid(found, where) or str(number)
        return Statement(name, where, allows, principals, actions, but_actions, resources, but_resources, conditions)

    def _sid(self, found: Document, where: str) -> str:
        sid = found.get("Sid", "")
        if not isinstance(sid, str):
            self._problems.refuse(f"{where}.Sid", f"got {format_value(sid)}; allowed: a text")
            return ""
        if self._kind.plain_sid and not re.fullmatch(r"[A-Za-z0-9]*", sid):
            self._problems.refuse(f"{where}.Sid", f"got {sid!r}; allowed: letters and digits")
        if sid in self._sids and sid:
            self._problems.refuse(f"{where}.Sid", f"{sid} names another statement of the document already")
        self._sids.add(sid)
        return sid

    def _effect(self, found: Document, where: str) -> bool:
        effect = found.get("Effect")
        if "Effect" not in found:
            self._problems.refuse(where, "has no Effect; allowed: Allow or Deny")
        elif effect not in ("Allow", "Deny"):
            self._problems.refuse(f"{where}.Effect", f"got {format_value(effect)}; allowed: Allow or Deny")
        return effect == "Allow"

    def _which(self, found: Document, name: str, where: str) -> str | None:
        """Which of an element and its negation a statement has; exactly one is right."""
        given = [element for element in (name, f"Not{name}") if element in found]
        if len(given) == 2:
            self._problems.refuse(where, f"has {name} and Not{name}; allowed: one of them")
        return given[0] if given else None

    def _principals(self, found: Document, where: str, allows: bool) -> Principals | None:
        which = self._which(found, "Principal", where)
        if not self._kind.principal:
            if which:
                self._problems.refuse(f"{where}.{which}", f"must not stand in {self._kind.name}")
            return None
        if which is None:
            self._problems.refuse(where, f"has no Principal, which {self._kind.name} must have")
            return None
        but = which == "NotPrincipal"
        if but and (allows or self._kind is TRUST):
            self._problems.refuse(f"{where}.{which}", "is allowed with Deny only, and never in a trust policy")
        return read_principals(found[which], f"{where}.{which}", self._problems, self._kind, but=but)

    def _texts(self, given: Any, where: str) -> list[str]:
        listed = _list(given)
        if not listed:
            self._problems.refuse(where, "is empty")
        for value in listed:
            if not isinstance(value, str):
                self._problems.refuse(where, f"got {format_value(value)}; allowed: a text or a list of texts")
        return [value for value in listed if isinstance(value, str)]

    def _actions(self, found: Document, where: str) -> tuple[tuple[str, ...], bool]:
        which = self._which(found, "Action", where)
        if which is None:
            self._problems.refuse(where, "has neither Action nor NotAction")
            return (), False
        here = f"{where}.{which}"
        actions = self._texts(found[which], here)
        for action in actions:
            service, colon, name = action.partition(":")
            if action not in ("*", "*:*") and not (colon and SERVICE.fullmatch(service) and ACTION.fullmatch(name)):
                allowed = "SERVICE:NAME, such as events:PutEvents, with * and ? in the name, or *"
                self._problems.refuse(here, f"got {action!r}; allowed: {allowed}")
            elif not self._may_stand(action):
                only = ", ".join(sorted(self._kind.actions)) or f"{self._kind.service}:…"
                self._problems.refuse(here, f"got {action!r}; allowed in {self._kind.name}: {only}")
        return tuple(actions), which == "NotAction"

    def _may_stand(self, action: str) -> bool:
        action = action.lower()
        if self._kind.actions:
            return any(like(action, allowed.lower()) for allowed in self._kind.actions)
        return not self._kind.service or action in ("*", "*:*") or action.startswith(f"{self._kind.service}:")

    def _resources(self, found: Document, where: str) -> tuple[tuple[Template, ...], bool]:
        which = self._which(found, "Resource", where)
        if which and not self._kind.resource:
            self._problems.refuse(f"{where}.{which}", f"must not stand in {self._kind.name}")
        elif self._kind.resource and which is None:
            self._problems.refuse(where, f"has neither Resource nor NotResource, which {self._kind.name} must have")
        if which is None:
            return (), False
        here = f"{where}.{which}"
        templates = []
        for text in self._texts(found[which], here):
            try:
                template = Template.parse(text, variables=self._variables)
            except TemplateError as error:
                self._problems.refuse(here, str(error))
                continue
            templates.append(template)
            if wrong := _resource(text):
                self._problems.refuse(here, f"got {text!r}; {wrong}")
            elif self._covered and which == "Resource" and not self._covers(template.pattern):
                covered = " or ".join(self._covered)
                self._problems.refuse(here, f"got {text!r}; allowed in {self._kind.name}: {covered}")
        return tuple(templates), which == "NotResource"

    def _covers(self, pattern: str) -> bool:
        return any(overlap(pattern, covered) for covered in self._covered)


@lru_cache(4096)
def _resource(text: str) -> str:
    """What is wrong with a text as a Resource; empty when nothing is."""
    if text == "*":
        return ""
    parts = text.split(":", 5)
    if parts[0] != "arn" or len(parts) < 3:
        return 'allowed: an ARN, or "*"'
    if parts[1] not in PARTITIONS:
        return f"{parts[1]} is no partition of AWS; allowed: {', '.join(PARTITIONS)}"
    if len(parts) < 6 and not text.endswith("*"):
        return "an ARN has six parts: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE"
    if not re.fullmatch(r"[a-z0-9.*?-]+", parts[2]):
        return f"{parts[2]!r} is no service's name"
    if "${" in ":".join(parts[:5]):
        return "a policy variable may stand in the last part of an ARN only"
    if len(parts) == 6:
        return _place(parts)
    return ""


def _place(parts: list[str]) -> str:
    """What is wrong with the region, account and resource of an ARN."""
    _, _, service, region, account, resource = parts
    if region and not re.fullmatch(r"[a-z0-9*?-]+", region):
        return f"{region!r} is no region"
    if not re.fullmatch(r"(\d{12})?|aws|[\d*?]*[*?][\d*?]*", account):
        return f"{account!r} is no account; allowed: 12 digits"
    if service == "iam" and region not in ("", "*"):
        return "ARNs of IAM have no region"
    return "" if resource else "the ARN names no resource"
