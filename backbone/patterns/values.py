"""The values of a pattern, and which values of an event each of them matches.

Values of an event are leaves: strings, numbers, booleans and null. Every fact here is event-ruler's, observed by
running it or read in its documentation.
"""

from __future__ import annotations

import ipaddress
import json
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeGuard

from backbone.patterns import wildcards
from backbone.patterns.tree import JsonObject, Number, PatternError, format_value

__all__ = ["Alternative", "Leaf", "alternative"]

Leaf = str | int | float | bool | None
_OTHERS: tuple[Leaf, ...] = ("example", "another example", 0, True)
"""What is tried where a pattern says only what a value is not."""
Test = Callable[[Leaf], bool]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the values that a field may have. Alternatives with the same words are equal.

    `test` says whether a leaf matches; None where the field must be absent. `strings` has the strings of an
    alternative that matches just these, `others` the strings of one that matches all but these. `wildcards` has the
    pieces of each wildcard pattern in it. `examples` has leaves of which one matches, where any does.
    """

    words: str
    test: Test | None = field(repr=False, compare=False)
    strings: frozenset[str] = field(default=frozenset(), compare=False)
    others: frozenset[str] = field(default=frozenset(), compare=False)
    wildcards: tuple[tuple[str, ...], ...] = field(default=(), compare=False)
    examples: tuple[Leaf, ...] = field(default=(), compare=False)


def alternative(value: Any, path: str) -> Alternative:
    """An entry of a field's array; raises PatternError with the path."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Number):
        return _number(value)
    if value is None or isinstance(value, bool):
        return Alternative(json.dumps(value), lambda leaf: leaf is value, examples=(value,))
    if not isinstance(value, JsonObject) or not value.fields:
        raise PatternError(
            path, format_value(value), "a string, a number, true, false, null or an object with one operator"
        )
    (name, operand), *more = value.fields
    if more:
        raise PatternError(path, f"{len(value.fields)} operators in one object", "one; the others as objects beside it")
    if name not in _OPERATORS:
        raise PatternError(path, format_value(name), f"an operator: {', '.join(sorted(_OPERATORS))}")
    return _OPERATORS[name](operand, f"{path}.{name}")


def _string(value: str) -> Alternative:
    ip = _address(value)
    if ip is None:
        return _literal(value)
    # An exact string that is an address matches every way to write that address.
    return Alternative(
        f"the address {value}", lambda leaf: type(leaf) is str and _address(leaf) == ip, examples=(value,)
    )


def _number(value: Number) -> Alternative:
    wanted = _comparable_as_written(value)
    if wanted is not None:
        return Alternative(
            value.text, lambda leaf: _is_number(leaf) and _comparable(leaf) == wanted, examples=(_short(wanted),)
        )
    # Beyond what a comparison holds, only the very number as written is equal.
    is_whole = re.fullmatch(r"-?[0-9]{1,4300}", value.text)  # Python reads at most 4,300 digits
    is_fraction = re.search(r"[.eE]", value.text)
    same = int(value.text) if is_whole else float(value.text) if is_fraction else None

    def equal(leaf: Leaf) -> bool:
        return type(leaf) is type(same) and leaf == same and _is_number(leaf) and _comparable(leaf) is None

    return Alternative(value.text, equal, examples=(same,))


def _is_number(value: Leaf) -> TypeGuard[int | float]:
    return type(value) is int or type(value) is float


def _comparable(number: float) -> float | None:
    """The double that stands for a number in comparisons; None when it would be another number.

    A double stands for what its shortest decimal form says, so 0.1 is held and 2^53+1 is not.
    """
    if type(number) is float:
        return number if math.isfinite(number) else None
    if -9007199254740992 <= number <= 9007199254740992:
        return float(number)
    try:
        double = float(number)
    except OverflowError:
        return None
    return double if Decimal(repr(double)) == number else None


def _short(number: float) -> Leaf:
    """A number as it would be written."""
    return int(number) if math.isfinite(number) and number == int(number) else number


def _comparable_as_written(number: Number) -> float | None:
    """The double that stands for a number of a pattern; None when it would not be what was written."""
    if len(number.text) > 400 or math.isinf(double := float(number.text)):
        return None
    return double if Decimal(repr(double)) == Decimal(number.text) else None


@lru_cache(4096)
def _address(text: str) -> bytes | None:
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


def _text(value: Any, path: str, allowed: str = "a string") -> str:
    if not isinstance(value, str):
        raise PatternError(path, format_value(value), allowed)
    return value


_quoted = json.JSONEncoder(ensure_ascii=False).encode


def _literal(text: str) -> Alternative:
    return Alternative(
        _quoted(text), lambda leaf: type(leaf) is str and leaf == text, strings=frozenset([text]), examples=(text,)
    )


def _exactly(value: Any, path: str) -> Alternative:
    return _literal(_text(value, path))


def _in_any_case(value: JsonObject, path: str) -> str:
    """The operand of `prefix` or `suffix` when it is an object with `equals-ignore-case`."""
    if len(value.fields) != 1 or value.fields[0][0] != "equals-ignore-case":
        raise PatternError(path, format_value(value), 'a string, or an object as in {"equals-ignore-case": "x"}')
    return _text(value.fields[0][1], f"{path}.equals-ignore-case")


def _prefix(value: Any, path: str) -> Alternative:
    if isinstance(value, JsonObject):
        text = _in_any_case(value, path)
        match = re.compile(_case_insensitive(text), re.DOTALL).match
        return Alternative(
            f"beginning with {_quoted(text)} in any case",
            lambda leaf: type(leaf) is str and match(leaf) is not None,
            examples=(text,),
        )
    text = _text(value, path)
    return Alternative(
        f"beginning with {_quoted(text)}",
        lambda leaf: type(leaf) is str and leaf.startswith(text),
        examples=(f"{text}example", text),
    )


def _suffix(value: Any, path: str) -> Alternative:
    if isinstance(value, JsonObject):
        text = _in_any_case(value, path)
        match = re.compile(_case_insensitive(text, backwards=True), re.DOTALL).match
        # From the end: a search from the beginning would start over at every character.
        return Alternative(
            f"ending with {_quoted(text)} in any case",
            lambda leaf: type(leaf) is str and match(leaf[: -len(text) * 3 - 1 : -1]) is not None,
            examples=(text,),
        )
    text = _text(value, path)
    return Alternative(
        f"ending with {_quoted(text)}",
        lambda leaf: type(leaf) is str and leaf.endswith(text),
        examples=(f"example{text}", text),
    )


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
    return "".join(f"(?:{forms})" for forms in each)


def _equals_ignore_case(value: Any, path: str) -> Alternative:
    text = _text(value, path)
    match = re.compile(_case_insensitive(text), re.DOTALL).fullmatch
    return Alternative(
        f"{_quoted(text)} in any case", lambda leaf: type(leaf) is str and match(leaf) is not None, examples=(text,)
    )


def _wildcard(value: Any, path: str) -> Alternative:
    text = _text(value, path)
    pieces = wildcards.pieces(text, path)
    matches = wildcards.test(pieces)
    return Alternative(
        f"like {_quoted(text)}",
        lambda leaf: type(leaf) is str and matches(leaf),
        wildcards=(pieces,),
        examples=("example".join(pieces), "".join(pieces)),
    )


def _anything_but(value: Any, path: str) -> Alternative:
    if isinstance(value, JsonObject) and value.fields:
        return _anything_but_nested(value, path)
    given = value if isinstance(value, list) else [value]
    if not given:
        raise PatternError(path, "an empty array", "at least one string or number")
    if all(isinstance(entry, Number) for entry in given):
        return _anything_but_numbers(given, path)
    if not all(isinstance(entry, str) for entry in given):
        got = ", ".join(format_value(entry) for entry in given[:5]) + (" …" if len(given) > 5 else "")
        raise PatternError(path, got, "strings or numbers, not both, or an object with one operator")
    strings = frozenset(given)
    return Alternative(
        f"anything but {' or '.join(map(_quoted, given))}",
        lambda leaf: type(leaf) is not str or leaf not in strings,
        others=strings,
        examples=_OTHERS,
    )


def _anything_but_numbers(given: list[Number], path: str) -> Alternative:
    numbers = {_exact(number, path) for number in given}
    return Alternative(
        f"anything but {' or '.join(number.text for number in given)}",
        lambda leaf: not _is_number(leaf) or _comparable(leaf) not in numbers,
        examples=(_short(max(numbers) + 1), *_OTHERS),
    )


def _exact(number: Number, path: str) -> float:
    """A number that can be compared; PatternError for one that a double does not hold as it was written."""
    double = _comparable_as_written(number)
    if double is None:
        raise PatternError(path, format_value(number), "a number that a double holds as written")
    return double


def _anything_but_nested(value: JsonObject, path: str) -> Alternative:
    (name, operand), *more = value.fields
    if more:
        raise PatternError(path, f"{len(value.fields)} operators in one object", "one")
    if name not in _NESTED:
        raise PatternError(path, format_value(name), f"one of {', '.join(sorted(_NESTED))}, or strings or numbers")
    given = operand if isinstance(operand, list) else [operand]
    path = f"{path}.{name}"
    if not given:
        raise PatternError(path, "an empty array", "at least one string")
    texts = dict.fromkeys(_text(entry, path, "a string or an array of strings") for entry in given)
    if "" in texts and name in ("prefix", "suffix"):
        raise PatternError(path, "an empty string", "at least one character")
    excluded = [_NESTED[name](text, path) for text in texts]
    tests = [each.test for each in excluded if each.test]
    return Alternative(
        f"anything but {' or '.join(each.words for each in excluded)}",
        lambda leaf: type(leaf) is not str or not any(test(leaf) for test in tests),
        wildcards=tuple(pieces for each in excluded for pieces in each.wildcards),
        examples=_OTHERS,
    )


def _numeric(value: Any, path: str) -> Alternative:
    allowed = 'one comparison as in [">", 0], or a range as in [">=", 0, "<", 10]'
    if not isinstance(value, list) or len(value) not in (2, 4):
        raise PatternError(path, format_value(value), allowed)
    bounds = []
    for name, number in zip(value[::2], value[1::2], strict=True):
        if not isinstance(number, Number) or not isinstance(name, str) or name not in _COMPARISONS:
            raise PatternError(path, f"{format_value(name)}, {format_value(number)}", allowed)
        bounds.append((name, _exact(number, path)))
    written = [f"{name} {number.text}" for name, number in zip(value[::2], value[1::2], strict=True)]
    if len(bounds) == 2:
        (lower, low), (upper, high) = bounds
        if lower not in (">", ">=") or upper not in ("<", "<=") or low >= high:
            raise PatternError(path, " ".join(written), "a range: > or >= a lower bound, < or <= a higher one")
    compare, bound = _COMPARISONS[bounds[0][0]], bounds[0][1]
    compare_also, bound_also = _COMPARISONS[bounds[-1][0]], bounds[-1][1]

    def within(leaf: Leaf) -> bool:
        number = _comparable(leaf) if type(leaf) is float or type(leaf) is int else None
        return number is not None and compare(number, bound) and compare_also(number, bound_also)

    between = (bound + bound_also) / 2 if len(bounds) == 2 else bound
    near = (between, bound, bound + 1, bound - 1, bound * 2, bound / 2)
    return Alternative(f"a number {' and '.join(written)}", within, examples=tuple(map(_short, near)))


def _exists(value: Any, path: str) -> Alternative:
    if value is True:
        return Alternative("present", lambda leaf: True, examples=("example",))
    if value is False:
        return Alternative("absent", None)
    raise PatternError(path, format_value(value), "true or false, without quotes")


def _cidr(value: Any, path: str) -> Alternative:
    text = _text(value, path)
    parts = text.rstrip("/").split("/")
    base = _address(parts[0])
    bits = parts[1] if len(parts) == 2 else ""
    if base is None or not re.fullmatch(r"[+-]?[0-9]{1,9}", bits):
        raise PatternError(path, format_value(text), "an address and its mask, as in 10.0.0.0/24 or 2001:db8::/32")
    longest = len(base) * 8 - 1
    if not 0 <= int(bits) <= longest:
        raise PatternError(path, format_value(text), f"a mask of 0 to {longest}")
    host_bits = len(base) * 8 - int(bits)
    network = int.from_bytes(base, "big") >> host_bits

    def inside(leaf: Leaf) -> bool:
        found = _address(leaf) if type(leaf) is str and len(leaf) <= 39 else None
        return found is not None and len(found) == len(base) and int.from_bytes(found, "big") >> host_bits == network

    return Alternative(f"an address in {text}", inside, examples=(parts[0],))


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NESTED: dict[str, Callable[[Any, str], Alternative]] = {
    "equals-ignore-case": _equals_ignore_case,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
_OPERATORS: dict[str, Callable[[Any, str], Alternative]] = _NESTED | {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "exactly": _exactly,
    "exists": _exists,
    "numeric": _numeric,
}
