"""One value of a pattern, and which values of an event it matches.

Values of an event are leaves: strings, numbers, booleans and null. Every fact here is event-ruler's, observed
by running it or read from its documentation.
"""

from __future__ import annotations

import ipaddress
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from backbone.patterns.tree import Fields, Number, PatternError, shown

__all__ = ["Leaf", "Matcher", "address", "comparable", "matcher"]

Leaf = str | int | float | bool | None


@dataclass(frozen=True)
class Matcher:
    """One alternative of a field.

    `test` says whether a leaf matches; None where the field must be absent. `strings` has the strings of an
    alternative that matches just those, and `others` those of one that matches all but those, for indexes.
    """

    words: str
    test: Callable[[Leaf], bool] | None = field(repr=False)
    strings: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


def comparable(number: str | float) -> float | None:
    """The double that stands for a number in comparisons; None when it would not be what was written.

    A double stands for what its shortest decimal form says, so 0.1 is held and 2^53+1 is not.
    """
    if type(number) is int:
        if -9007199254740992 <= number <= 9007199254740992:
            return float(number)
        try:
            double = float(number)
        except OverflowError:
            return None
        return double if Decimal(repr(double)) == number else None
    if type(number) is float:
        return number if number - number == 0 else None  # neither infinite nor NaN
    text = str(number)
    if len(text) > 400 or abs(double := float(text)) == math.inf:
        return None
    return double if Decimal(repr(double)) == Decimal(text) else None


@lru_cache(4096)
def address(text: str) -> bytes | None:
    """The bytes of an IP address literal, 4 or 16; None for other texts.

    Leading zeros of an IPv4 part mean nothing, and an IPv4 address mapped into IPv6 is the IPv4 address, as in
    Java's library, which event-ruler uses.
    """
    if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", text):
        parts = [int(part) for part in text.split(".")] if len(text) <= 15 else [256]
        return bytes(parts) if max(parts) <= 255 else None
    if re.fullmatch(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", text) and len(text) <= 39:
        try:
            found = ipaddress.IPv6Address(text)
        except ValueError:
            return None
        return found.ipv4_mapped.packed if found.ipv4_mapped else found.packed
    return None


def _is_number(value: Leaf) -> bool:
    return type(value) is int or type(value) is float


def _is_array(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value, Fields)


def matcher(value: Any, path: str) -> Matcher:
    """One entry of a field's array; raises PatternError with the path."""
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return Matcher(shown(value), lambda leaf: leaf is value)
    if not isinstance(value, Fields) or not value:
        raise PatternError(path, shown(value), "a string, a number, true, false, null or an object with one operator")
    (name, operand), *more = value
    if more:
        raise PatternError(path, f"{len(value)} operators in one object", "one; the others as objects beside it")
    if name not in _OPERATORS:
        raise PatternError(path, shown(name), f"an operator: {', '.join(sorted(_OPERATORS))}")
    return _OPERATORS[name](operand, f"{path}.{name}")


def _string(value: str) -> Matcher:
    ip = address(value)
    if ip is None:
        return Matcher(shown(value), lambda leaf: type(leaf) is str and leaf == value, strings=frozenset([value]))
    # An exact string that is an address matches every way to write that address.
    return Matcher(f"the address {value}", lambda leaf: type(leaf) is str and address(leaf) == ip)


def _number(value: Number) -> Matcher:
    wanted = comparable(value)
    if wanted is not None:
        return Matcher(str(value), lambda leaf: _is_number(leaf) and comparable(leaf) == wanted)  # type: ignore[arg-type]
    # Beyond what a comparison holds, only the very number as written is equal.
    whole = re.fullmatch(r"-?[0-9]{1,4300}", value)  # Python reads no longer one
    same: int | float | None = int(value) if whole else float(value) if re.search(r"[.eE]", value) else None

    def equal(leaf: Leaf) -> bool:
        return type(leaf) is type(same) and leaf == same and comparable(leaf) is None  # type: ignore[arg-type]

    return Matcher(shown(value), equal)


def _text(value: Any, path: str, *, empty: bool = True) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise PatternError(path, shown(value), "a string")
    if not value and not empty:
        raise PatternError(path, "an empty string", "at least one character")
    return value


def _exactly(value: Any, path: str) -> Matcher:
    text = _text(value, path)
    return Matcher(shown(text), lambda leaf: type(leaf) is str and leaf == text, strings=frozenset([text]))


def _ignoring_case(value: Any, path: str, kind: str) -> str:
    """The operand of `prefix` or `suffix` when it is an object with `equals-ignore-case`."""
    if not isinstance(value, Fields) or len(value) != 1 or value[0][0] != "equals-ignore-case":
        raise PatternError(path, shown(value), f'{kind}: a string, or {{"equals-ignore-case": a string}}')
    return _text(value[0][1], f"{path}.equals-ignore-case")


def _prefix(value: Any, path: str) -> Matcher:
    if isinstance(value, list):
        text = _ignoring_case(value, path, "prefix")
        match = re.compile(_case_insensitive(text), re.DOTALL).match
        return Matcher(
            f"beginning with {shown(text)} in any case", lambda leaf: type(leaf) is str and match(leaf) is not None
        )
    text = _text(value, path)
    return Matcher(f"beginning with {shown(text)}", lambda leaf: type(leaf) is str and leaf.startswith(text))


def _suffix(value: Any, path: str) -> Matcher:
    if isinstance(value, list):
        text = _ignoring_case(value, path, "suffix")
        match = re.compile(_case_insensitive(text, backwards=True), re.DOTALL).match
        # From the end: a search from the beginning would start over at every character.
        return Matcher(
            f"ending with {shown(text)} in any case",
            lambda leaf: type(leaf) is str and match(leaf[: -len(text) * 3 - 1 : -1]) is not None,
        )
    text = _text(value, path)
    return Matcher(f"ending with {shown(text)}", lambda leaf: type(leaf) is str and leaf.endswith(text))


def _case_insensitive(text: str, *, backwards: bool = False) -> str:
    """An expression for a text in any case, which is decided character by character of the pattern.

    A character that is written by two UTF-16 units stands for two question marks there (event-ruler encodes
    each unit by itself).
    """
    pieces = []
    for char in text:
        forms = {char.lower(), char.upper()} if ord(char) < 0x10000 else {"??"}
        pieces.append(sorted(form[::-1] if backwards else form for form in forms))
    each = ("|".join(map(re.escape, forms)) for forms in (reversed(pieces) if backwards else pieces))
    return "".join(f"(?:{one})" for one in each)


def _equals_ignore_case(value: Any, path: str) -> Matcher:
    text = _text(value, path)
    match = re.compile(_case_insensitive(text), re.DOTALL).fullmatch
    return Matcher(f"{shown(text)} in any case", lambda leaf: type(leaf) is str and match(leaf) is not None)


def _wildcard(value: Any, path: str) -> Matcher:
    text = _text(value, path)
    matches = _wildcard_test(text, path)
    return Matcher(f"like {shown(text)}", lambda leaf: type(leaf) is str and matches(leaf))


def _wildcard_test(text: str, path: str) -> Callable[[str], bool]:
    """Whether a string is like a text in which `*` stands for any characters, also none."""
    pieces, position = [""], 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            escaped = text[position + 1 : position + 2]
            if escaped not in ("*", "\\"):
                raise PatternError(path, shown(text), "a backslash before * or \\ only")
            pieces[-1] += escaped
            position += 2
            continue
        if char == "*":
            if text[position + 1 : position + 2] == "*":
                raise PatternError(path, shown(text), "no two * in a row; one means the same")
            pieces.append("")
        else:
            pieces[-1] += char
        position += 1
    if len(pieces) == 1:
        return lambda leaf: leaf == pieces[0]
    first, *middle, last = pieces

    def like(leaf: str) -> bool:
        if len(leaf) < len(first) + len(last) or not leaf.startswith(first) or not leaf.endswith(last):
            return False
        position, end = len(first), len(leaf) - len(last)
        for piece in middle:
            # The leftmost place leaves most for the rest, so no other need be tried.
            position = leaf.find(piece, position, end)
            if position < 0:
                return False
            position += len(piece)
        return True

    return like


def _anything_but(value: Any, path: str) -> Matcher:
    if isinstance(value, Fields) and value:
        return _anything_but_nested(value, path)
    given = value if _is_array(value) else [value]
    if not given:
        raise PatternError(path, "an empty array", "at least one string or number")
    if all(isinstance(one, Number) for one in given):
        numbers: set[float | None] = set()
        for one in given:
            number = comparable(one)
            if number is None:
                raise PatternError(path, shown(one), "a number that a double holds as written")
            numbers.add(number)
        return Matcher(
            f"anything but {_list(given)}",
            lambda leaf: not _is_number(leaf) or comparable(leaf) not in numbers,  # type: ignore[arg-type]
        )
    if any(not isinstance(one, str) or isinstance(one, Number) for one in given):
        raise PatternError(path, _list(given), "strings or numbers, not both, or an object with one operator")
    strings = frozenset(given)
    return Matcher(
        f"anything but {_list(given)}", lambda leaf: type(leaf) is not str or leaf not in strings, others=strings
    )


def _anything_but_nested(value: Any, path: str) -> Matcher:
    (name, operand), *more = value
    if more or name not in _NESTED:
        raise PatternError(path, shown(name), f"one of {', '.join(sorted(_NESTED))}, or strings or numbers")
    given = operand if _is_array(operand) else [operand]
    if not given:
        raise PatternError(f"{path}.{name}", "an empty array", "at least one string")
    texts = [_text(one, f"{path}.{name}", empty=name not in ("prefix", "suffix")) for one in given]
    alternatives = [_NESTED[name](text, f"{path}.{name}") for text in texts]
    tests = [one.test for one in alternatives if one.test]
    words = " or ".join(one.words for one in alternatives)
    return Matcher(f"anything but {words}", lambda leaf: type(leaf) is not str or not any(test(leaf) for test in tests))


def _numeric(value: Any, path: str) -> Matcher:
    allowed = 'one comparison as in [">", 0], or a range as in [">=", 0, "<", 10]'
    if not _is_array(value) or len(value) not in (2, 4):
        raise PatternError(path, shown(value), allowed)
    bounds = []
    for name, number in zip(value[::2], value[1::2], strict=True):
        if not isinstance(number, Number) or isinstance(name, Number) or name not in _COMPARISONS:
            raise PatternError(path, f"{shown(name)} {shown(number)}", allowed)
        bound = comparable(number)
        if bound is None:
            raise PatternError(path, shown(number), "a number that a double holds as written")
        bounds.append((name, bound))
    if len(bounds) == 2:
        (lower, low), (upper, high) = bounds
        if lower not in (">", ">=") or upper not in ("<", "<=") or low >= high:
            raise PatternError(path, " ".join(map(str, value)), "a range: > or >= a lower bound, < or <= a higher one")
    (compare, bound), (compare_also, bound_also) = ((_COMPARISONS[name], one) for name, one in (bounds[0], bounds[-1]))

    def within(leaf: Leaf) -> bool:
        number = comparable(leaf) if type(leaf) is float or type(leaf) is int else None
        return number is not None and compare(number, bound) and compare_also(number, bound_also)

    return Matcher(f"a number {' and '.join(f'{name} {one:g}' for name, one in bounds)}", within)


def _exists(value: Any, path: str) -> Matcher:
    if value is True:
        return Matcher("present", lambda leaf: True)
    if value is False:
        return Matcher("absent", None)
    raise PatternError(path, shown(value), "true or false")


def _cidr(value: Any, path: str) -> Matcher:
    text = _text(value, path)
    parts = text.rstrip("/").split("/")
    base = address(parts[0])
    bits = parts[1] if len(parts) == 2 else ""
    if base is None or not re.fullmatch(r"[+-]?[0-9]{1,9}", bits):
        raise PatternError(path, shown(text), "an address and its mask, as in 10.0.0.0/24 or 2001:db8::/32")
    longest = len(base) * 8 - 1
    if not 0 <= int(bits) <= longest:
        raise PatternError(path, shown(text), f"a mask of 0 to {longest}")
    host_bits = len(base) * 8 - int(bits)
    network = int.from_bytes(base, "big") >> host_bits

    def inside(leaf: Leaf) -> bool:
        found = address(leaf) if type(leaf) is str and len(leaf) <= 39 else None
        return found is not None and len(found) == len(base) and int.from_bytes(found, "big") >> host_bits == network

    return Matcher(f"an address in {text}", inside)


def _list(values: list[Any]) -> str:
    return " or ".join(shown(one) for one in values[:5]) + (" …" if len(values) > 5 else "")


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NESTED: dict[str, Callable[[Any, str], Matcher]] = {
    "equals-ignore-case": _equals_ignore_case,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
_OPERATORS: dict[str, Callable[[Any, str], Matcher]] = _NESTED | {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "exactly": _exactly,
    "exists": _exists,
    "numeric": _numeric,
}
