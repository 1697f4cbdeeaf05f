"""Texts of each sort that patterns and conditions tell apart."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import combinations

from backbone.system.iam.conditions import Condition, date, network, number
from backbone.system.iam.request import Request
from backbone.system.iam.text import Template, Variable, plain

__all__ = ["ELSEWHERE", "NOBODY", "STRANGER", "instances", "meet", "of_condition", "text_of"]

STRANGER = "999999999999"
"""An account that nobody here has."""

NOBODY = "nobody-in-particular"
"""A text that no policy names: a request with it is allowed only where any text is."""

ELSEWHERE = f"arn:aws:events:eu-west-1:{STRANGER}:rule/{NOBODY}"
"""An ARN that no policy names."""

WILD = ("*", "?")


def text_of(template: Template, request: Request | None = None) -> str:
    """A pattern without its variables: what a request has for them, or `NOBODY`."""
    return "".join(part if isinstance(part, str) else _variable(part, request) for part in template.parts)


def _variable(variable: Variable, request: Request | None) -> str:
    value = request.get(variable.key) if request else None
    return value[0] if isinstance(value, tuple) and len(value) == 1 else NOBODY


def instances(pattern: str) -> list[str]:
    """Texts that match a pattern: with much for its wildcards, and with as little as they take."""
    shortest = pattern.replace("*", "").replace("?", "x")
    return list(dict.fromkeys(plain(text) for text in (pattern.replace("*", NOBODY).replace("?", "x"), shortest)))


def meet(one: str, other: str) -> str | None:
    """A text that matches two patterns, as long as they let it be; None when there is none."""
    if not any(sign in pattern for pattern in (one, other) for sign in WILD):
        return one if one == other else None
    fits = _suffixes_that_meet(one, other)
    if not fits[0][0]:
        return None
    found, i, j = "", 0, 0
    while i < len(one) or j < len(other):
        ours, theirs = one[i : i + 1], other[j : j + 1]
        if ours == theirs == "*":
            found += NOBODY
            i, j = (i + 1, j) if fits[i + 1][j] else (i, j + 1)
        elif ours == "*" and theirs and fits[i][j + 1]:
            found, j = found + _sign(theirs, ours), j + 1
        elif theirs == "*" and ours and fits[i + 1][j]:
            found, i = found + _sign(ours, theirs), i + 1
        elif ours == "*":
            i += 1
        elif theirs == "*":
            j += 1
        else:
            found, i, j = found + _sign(ours, theirs), i + 1, j + 1
    return plain(found)


def _sign(one: str, other: str) -> str:
    return next((sign for sign in (one, other) if sign not in WILD), "x")


def _suffixes_that_meet(one: str, other: str) -> list[list[bool]]:
    """Of each place in the two patterns, whether any text matches the rests of both."""
    fits = [[False] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one), -1, -1):
        for j in range(len(other), -1, -1):
            ours, theirs = one[i : i + 1], other[j : j + 1]
            if not ours and not theirs:
                fits[i][j] = True
            elif "*" in (ours, theirs):
                fits[i][j] = (ours == "*" and (fits[i + 1][j] or bool(theirs and fits[i][j + 1]))) or (
                    theirs == "*" and (fits[i][j + 1] or bool(ours and fits[i + 1][j]))
                )
            else:
                fits[i][j] = bool(ours and theirs) and ("?" in (ours, theirs) or ours == theirs) and fits[i + 1][j + 1]
    return fits


def of_condition(conditions: Iterable[Condition], request: Request) -> list[str]:
    """Values of a condition key that conditions on it tell apart, a value that none of them names first."""
    conditions = list(conditions)
    families = {condition.operator.family for condition in conditions}
    found = [ELSEWHERE] if "Arn" in families else []
    found += [NOBODY] if not families or families & {"String", "Null"} else []
    patterns: list[str] = []
    for condition in conditions:
        texts = [text_of(value, request) for value in condition.values]
        found += (value for text in texts for value in _near(condition, text))
        patterns += texts if _has_wildcards(condition) else [text for text in texts if not any(w in text for w in WILD)]
    wild = [pattern for pattern in dict.fromkeys(patterns) if any(sign in pattern for sign in WILD)]
    found += filter(None, (meet(one, other) for one, other in combinations(wild, 2)))
    return list(dict.fromkeys(found))


def _has_wildcards(condition: Condition) -> bool:
    return condition.operator.family == "Arn" or "Like" in condition.operator.name


def _near(condition: Condition, text: str) -> Iterator[str]:
    match condition.operator.family:
        case "Null":
            return
        case "Bool":
            yield from ("false", "true")
        case "Numeric" if (value := number(plain(text))) is not None:
            yield from (str(value + step) for step in (Decimal(0), Decimal("-0.001"), Decimal("0.001")))
        case "Date" if (moment := date(plain(text))) is not None:
            yield from ((moment + timedelta(seconds=step)).isoformat() for step in (0, -1, 1))
        case "IpAddress" if (found := network(plain(text))) is not None:
            yield from _addresses(found)
        case "Binary":
            yield from (plain(text), "bm9ib2R5")
        case _ if _has_wildcards(condition):
            yield from instances(text)
        case _:
            yield plain(text)
            if condition.operator.name.endswith(("IgnoreCase", "IgnoreCaseIfExists")):
                yield plain(text).swapcase()


def _addresses(found: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Iterator[str]:
    """The first and last address of a range, and those beside it."""
    first, last = int(found.network_address), int(found.broadcast_address)
    for address in (first, last, first - 1, last + 1):
        if 0 <= address < 2**found.max_prefixlen:
            yield str(type(found.network_address)(address))
