"""Texts of policies: wildcards, policy variables, ARN patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from backbone.system.iam.request import Missing, Request

__all__ = ["Template", "TemplateError", "arn_like", "like", "overlap", "plain"]

STAR, QUESTION = "\ue000", "\ue001"
"""Stand for a `*` and a `?` that are no wildcards: those of `${*}`, `${?}` and of a variable's value."""

LITERAL = str.maketrans({"*": STAR, "?": QUESTION})
PLAIN = str.maketrans({STAR: "*", QUESTION: "?"})
VARIABLE = re.compile(r"\$\{([^{}]*)\}")
WILD = re.compile(r"[*?]")
KEY = re.compile(r"(?P<key>[A-Za-z0-9._-]+:[^\s,']+)(?:\s*,\s*'(?P<default>[^']*)')?\Z")


class TemplateError(ValueError):
    """A policy variable is malformed."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`."""

    key: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with its policy variables. Source of the rules: IAM user guide, "Variables and tags"."""

    text: str
    parts: tuple[str | Variable, ...]

    @classmethod
    def parse(cls, text: str, *, variables: bool) -> Template:
        """The text taken apart; TemplateError when a variable is malformed. Version 2008-10-17 has no variables."""
        return _parse(text) if variables and "${" in text else cls(text, (text,))

    @property
    def pattern(self) -> str:
        """The text with a wildcard for each variable: all that it can be."""
        return "".join(part if isinstance(part, str) else "*" for part in self.parts)

    def resolve(self, request: Request) -> str | Missing:
        """The pattern for a request: for `like` and `arn_like`, or `plain` for a comparison."""
        found = []
        for part in self.parts:
            value = part if isinstance(part, str) else _value(part, request)
            if isinstance(value, Missing):
                return value
            found.append(value)
        return "".join(found)


def _value(variable: Variable, request: Request) -> str | Missing:
    found = request.get(variable.key)
    if isinstance(found, tuple):
        # A multivalued key cannot be a variable.
        return found[0].translate(LITERAL) if len(found) == 1 else Missing.UNKNOWN
    if found is Missing.ABSENT and variable.default is not None:
        return variable.default.translate(LITERAL)
    return found


@lru_cache(4096)
def _parse(text: str) -> Template:
    parts: list[str | Variable] = []
    end = 0
    for match in VARIABLE.finditer(text):
        _add(parts, text[end : match.start()])
        parts.append(_variable(match[1]))
        end = match.end()
    _add(parts, text[end:])
    return Template(text, tuple(parts))


def _add(parts: list[str | Variable], text: str) -> None:
    if "${" in text:
        raise TemplateError(f"the variable in {text!r} has no closing brace")
    parts.append(text)


def _variable(inside: str) -> str | Variable:
    if inside in ("*", "?", "$"):
        return inside.translate(LITERAL)
    match = KEY.match(inside)
    if match is None:
        raise TemplateError(f"got ${{{inside}}}; allowed: ${{KEY}}, ${{KEY, 'DEFAULT'}}, ${{*}}, ${{?}} and ${{$}}")
    return Variable(match["key"], match["default"])


def plain(pattern: str) -> str:
    """A resolved pattern as the text that it is, for operators that know no wildcards."""
    return pattern.translate(PLAIN)


@lru_cache(8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": ".", STAR: re.escape("*"), QUESTION: re.escape("?")}
    return re.compile("".join(wild.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """Whether a text matches a pattern with `*` and `?`."""
    if pattern in ("*", value):
        return True
    if "?" in pattern or STAR in pattern or QUESTION in pattern:
        return _compiled(pattern).fullmatch(value) is not None
    return "*" in pattern and _in_order(pattern.split("*"), value)


def _in_order(parts: list[str], value: str) -> bool:
    """Whether a text begins with the first part, ends with the last, and has the others between, in their order."""
    first, *between, last = parts
    at, end = len(first), len(value) - len(last)
    if at > end or not value.startswith(first) or not value.endswith(last):
        return False
    for part in between:
        found = value.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def arn_like(pattern: str, value: str) -> bool:
    """Whether an ARN matches a pattern part by part: no wildcard reaches over one of the first five colons."""
    ours, theirs = pattern.split(":", 5), value.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(like(our, their) for our, their in zip(ours, theirs, strict=True))


@lru_cache(8192)
def overlap(one: str, other: str) -> bool:
    """Whether any text matches both patterns."""
    if not WILD.search(one):
        return like(other, one)
    if not WILD.search(other):
        return like(one, other)
    # The places in `other` up to which a text can be matched that matches `one` so far.
    reached = {0}
    for sign in one:
        reached = _skip_stars(reached, other)
        following = set(reached) if sign == "*" else set()
        for at in reached:
            if sign == "*":
                following |= set(range(at, len(other) + 1))
            elif at < len(other) and (other[at] == "*" or sign == "?" or other[at] in ("?", sign)):
                following |= {at} if other[at] == "*" else {at + 1}
        reached = following
    return len(other) in _skip_stars(reached, other)


def _skip_stars(reached: set[int], other: str) -> set[int]:
    found = set(reached)
    for at in reached:
        while at < len(other) and other[at] == "*":
            at += 1
            found.add(at)
    return found
