"""Conditions: the operators, reading them, and whether they hold for a request.

Whether a condition holds has three answers: yes, no, and None where nobody can tell. Source of the rules: IAM user
guide, "Condition operators" and "Creating a condition with multiple keys or values".
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator as compare
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from backbone.system.iam.problem import Problems, did_you_mean, format_value
from backbone.system.iam.request import Missing, Request
from backbone.system.iam.text import Template, TemplateError, arn_like, like, plain

__all__ = ["Condition", "Operator", "read_conditions"]

Answer = bool | None
Test = Callable[[str, str], Answer]


def both(answers: Iterable[Answer]) -> Answer:
    """Whether all hold: no when one does not, else None when one cannot be told."""
    unknown = False
    for answer in answers:
        if answer is False:
            return False
        unknown = unknown or answer is None
    return None if unknown else True


def either(answers: Iterable[Answer]) -> Answer:
    """Whether any holds: yes when one does, else None when one cannot be told."""
    turned = both(negate(answer) for answer in answers)
    return negate(turned)


def negate(answer: Answer) -> Answer:
    """The opposite; None stays None."""
    return None if answer is None else not answer


@lru_cache(1024)
def number(text: str) -> Decimal | None:
    """A number; None when the text is not one."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?")


@lru_cache(1024)
def date(text: str) -> datetime | None:
    """A time in a W3C form of ISO 8601 or in epoch seconds; None when the text is neither."""
    if re.fullmatch(r"\d{1,11}", text) and len(text) != 4:
        return datetime.fromtimestamp(int(text), UTC)
    if not DATE.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@lru_cache(1024)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A range of addresses, or one address; None when the text is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def boolean(text: str) -> bool | None:
    """A truth value; None when the text is none."""
    return {"true": True, "false": False}.get(text.lower())


@lru_cache(1024)
def binary(text: str) -> bytes | None:
    """What stands in base 64; None when the text is not base 64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def arn(text: str) -> str | None:
    """An ARN or a pattern of ARNs; None when the text is neither."""
    parts = text.split(":", 5)
    return text if len(parts) == 6 and like(parts[0], "arn") and all(parts[index] for index in (1, 2, 5)) else None


def _in_network(pattern: str, value: str) -> Answer:
    ours, theirs = network(pattern), network(value)
    if ours is None or theirs is None:
        return None
    if isinstance(ours, ipaddress.IPv4Network) and isinstance(theirs, ipaddress.IPv4Network):
        return theirs.subnet_of(ours)
    if isinstance(ours, ipaddress.IPv6Network) and isinstance(theirs, ipaddress.IPv6Network):
        return theirs.subnet_of(ours)
    return False


def _parsed(read: Callable[[str], Any], test: Callable[[Any, Any], bool]) -> Test:
    """A test of parsed values: it cannot be told for what does not parse."""

    def tested(pattern: str, value: str) -> Answer:
        ours, theirs = read(plain(pattern)), read(value)
        return None if ours is None or theirs is None else test(theirs, ours)

    return tested


def _exact(pattern: str, value: str) -> bool:
    return plain(pattern) == value


def _exact_but_case(pattern: str, value: str) -> bool:
    return plain(pattern).casefold() == value.casefold()


def _arns(pattern: str, value: str) -> Answer:
    return None if arn(pattern) is None or arn(value) is None else arn_like(pattern, value)


COMPARISONS = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}

POSITIVE: dict[str, tuple[str, Test]] = {
    "ArnEquals": ("Arn", _arns),
    "ArnLike": ("Arn", _arns),
    "BinaryEquals": ("Binary", _parsed(binary, compare.eq)),
    "Bool": ("Bool", _parsed(boolean, compare.eq)),
    "IpAddress": ("IpAddress", _in_network),
    "StringEquals": ("String", _exact),
    "StringEqualsIgnoreCase": ("String", _exact_but_case),
    "StringLike": ("String", like),
    **{f"Date{name}": ("Date", _parsed(date, test)) for name, test in COMPARISONS.items()},
    **{f"Numeric{name}": ("Numeric", _parsed(number, test)) for name, test in COMPARISONS.items()},
}
NEGATIVE = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
}
QUANTIFIERS = ("ForAllValues", "ForAnyValue")
READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "Arn": (arn, "an ARN of six parts, such as arn:aws:sqs:eu-west-1:111111111111:orders; * and ? match within a part"),
    "Binary": (binary, "base 64"),
    "Bool": (boolean, "true or false"),
    "Date": (date, "a time such as 2024-01-31T12:00:00Z, or epoch seconds"),
    "IpAddress": (network, "an address or a range in CIDR form, such as 203.0.113.0/24"),
    "Null": (boolean, "true (the key is absent) or false (it has a value)"),
    "Numeric": (number, "a number"),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator, such as `ForAllValues:StringNotLikeIfExists`: `family` is String, Date, Null or another."""

    name: str
    family: str
    quantifier: str
    negated: bool
    if_exists: bool
    test: Test

    @classmethod
    def parse(cls, name: str) -> Operator | None:
        """The operator of that name, None when there is none. Null takes no IfExists and no quantifier."""
        quantifier, colon, rest = name.rpartition(":")
        base = rest.removesuffix("IfExists")
        if base == "Null":
            return cls(name, "Null", "", False, False, _exact) if name == "Null" else None
        if colon and quantifier not in QUANTIFIERS:
            return None
        if base not in POSITIVE and base not in NEGATIVE:
            return None
        family, test = POSITIVE[NEGATIVE.get(base, base)]
        return cls(name, family, quantifier, base in NEGATIVE, base != rest, test)


OPERATORS = [*POSITIVE, *NEGATIVE, "Null"]


@dataclass(frozen=True, slots=True)
class Condition:
    """An operator with a key and the values that the policy has for it."""

    operator: Operator
    key: str
    values: tuple[Template, ...]

    def holds(self, request: Request) -> Answer:
        """Whether it holds for a request; None when that cannot be told, as for a key whose value is unknown."""
        found = request.get(self.key)
        if found is Missing.UNKNOWN:
            return None
        if self.operator.family == "Null":
            return either(self._is_null(value.text, found) for value in self.values)
        if isinstance(found, Missing) or (self.operator.quantifier and not any(found)):
            # To a quantifier an empty text is as good as no value.
            return self.holds_without_key()
        patterns: list[str] = []
        for value in self.values:
            pattern = value.resolve(request)
            if isinstance(pattern, Missing):
                # A variable without a value makes the whole statement void ("Variables and tags").
                return False if pattern is Missing.ABSENT else None
            patterns.append(pattern)
        return self._combine([self._one(patterns, value) for value in found])

    def _is_null(self, wanted: str, found: tuple[str, ...] | Missing) -> Answer:
        absent = boolean(wanted)
        return None if absent is None else absent is isinstance(found, Missing)

    def holds_without_key(self) -> bool:
        """Whether it holds for a request that does not have the key."""
        operator = self.operator
        if operator.family == "Null":
            return any(boolean(value.text) for value in self.values)
        if operator.if_exists or operator.quantifier == "ForAllValues":
            return True
        return operator.negated and not operator.quantifier

    def _one(self, patterns: list[str], value: str) -> Answer:
        answer = either(self.operator.test(pattern, value) for pattern in patterns)
        return negate(answer) if self.operator.negated else answer

    def _combine(self, answers: list[Answer]) -> Answer:
        if self.operator.quantifier == "ForAllValues":
            return both(answers)
        if self.operator.quantifier == "ForAnyValue":
            return either(answers)
        # Without a quantifier AWS documents one value only; of several all must agree to tell.
        return answers[0] if len(set(answers)) == 1 else None


KEY = re.compile(r"[A-Za-z0-9._/-]+:[A-Za-z0-9][^\s/]*(/.+)?")


def read_conditions(found: Any, where: str, problems: Problems, *, variables: bool) -> tuple[Condition, ...]:
    """The conditions of a statement; what is wrong with them goes to `problems`."""
    if not isinstance(found, Mapping):
        problems.refuse(where, f"got {format_value(found)}; allowed: an object of condition operators")
        return ()
    conditions: list[Condition] = []
    for name, keys in found.items():
        here = f"{where}.{name}"
        operator = Operator.parse(str(name))
        if operator is None:
            hint = did_you_mean(str(name).rpartition(":")[2].removesuffix("IfExists"), OPERATORS)
            problems.refuse(here, f"{name} is no condition operator{hint}")
        elif not isinstance(keys, Mapping):
            problems.refuse(here, f"got {format_value(keys)}; allowed: an object of condition keys")
        else:
            conditions += _keys(operator, keys, here, problems, variables=variables)
    return tuple(conditions)


def _keys(
    operator: Operator, keys: Mapping[str, Any], where: str, problems: Problems, *, variables: bool
) -> Iterable[Condition]:
    if not keys:
        problems.warn(where, "has no condition key, so it restricts nothing")
    seen: dict[str, str] = {}
    for key, given in keys.items():
        here = f"{where}.{key}"
        if not KEY.fullmatch(key):
            problems.refuse(here, f"got the condition key {key!r}; allowed: SERVICE:NAME, such as aws:SourceArn")
            continue
        if (other := seen.setdefault(key.lower(), key)) != key:
            problems.refuse(here, f"is the same key as {other}: condition keys have no case")
        values = _values(operator, given, here, problems, variables=variables)
        if values:
            yield Condition(operator, key, values)


def _values(operator: Operator, given: Any, where: str, problems: Problems, *, variables: bool) -> tuple[Template, ...]:
    listed = given if isinstance(given, list | tuple) else [given]
    if not listed:
        problems.refuse(where, "has no value; allowed: a value or a list of values")
    if operator.family in ("Bool", "Null") and len(listed) > 1:
        problems.error(where, f"has {len(listed)} values; {operator.name} takes one")
    found = []
    for value in listed:
        if not isinstance(value, str | int | float | bool):
            problems.refuse(where, f"got {format_value(value)}; allowed: a text, a number, true or false")
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            template = Template.parse(text, variables=variables and operator.family in ("Arn", "Bool", "String"))
        except TemplateError as error:
            problems.refuse(where, str(error))
            continue
        _check(operator, template, where, problems)
        found.append(template)
    return tuple(found)


def _check(operator: Operator, template: Template, where: str, problems: Problems) -> None:
    if operator.family == "String":
        if operator.test is not like and "*" in template.text:
            problems.warn(where, f"{template.text!r} has a *, which is no wildcard to {operator.name}; use StringLike")
        return
    read, allowed = READERS[operator.family]
    if template.parts != (template.text,) or read(template.text) is not None:
        return
    message = f"got {format_value(template.text)}; {operator.name} takes {allowed}"
    if operator.family == "Date":
        problems.refuse(where, message)
    else:
        problems.error(where, f"{message}, so it never matches")
