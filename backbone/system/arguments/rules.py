"""Which arguments of a resource go together: the rules of argument_limits.json.

A rule holds `when` arguments have certain values (None is an absent argument), `in` each block of a kind or in the
resource itself, and says what it `needs`, what it `refuses` and narrower `limits`; or it names arguments of which there
may be `at_most_one`, must be `at_least_one` or `exactly_one`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backbone.system.arguments.limits import breach
from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved

__all__ = ["given", "problems"]

Body = Mapping[str, Any]


def problems(rules: Sequence[Mapping[str, Any]], body: Body) -> Iterator[ArgumentProblem]:
    """How a body, as Terraform takes it, breaks rules of its type."""
    for rule in rules:
        if "when" in rule:
            yield from _conditional(rule, body)
        else:
            for place, block in _blocks(body, rule.get("in", "")):
                yield from _number(rule, block, place)


def given(body: Body, path: str) -> list[tuple[str, Any]]:
    """The values at a path of the schema, each with its own path; a list's elements where the path ends in `[]`."""
    holder, _, name = path.rpartition(".")
    found = []
    for place, block in _blocks(body, holder):
        value = block.get(name.removesuffix("[]"))
        if name.endswith("[]") and isinstance(value, list):
            found += [(f"{place}{name[:-2]}[{number}]", one) for number, one in enumerate(value)]
        elif value is not None and value != []:
            found.append((place + name, value))
    return found


def _blocks(body: Body, path: str) -> Iterator[tuple[str, Body]]:
    """The blocks at a path of the schema, each with the beginning of the paths in it; the body itself for no path."""
    name, _, rest = path.partition(".")
    if not name:
        yield "", body
        return
    blocks = body.get(name, [])
    for number, block in enumerate(blocks):
        place = name if len(blocks) == 1 else f"{name}[{number}]"
        for inner, found in _blocks(block, rest):
            yield f"{place}.{inner}", found


def _number(rule: Mapping[str, Any], body: Body, place: str) -> Iterator[ArgumentProblem]:
    (kind,) = {"at_most_one", "at_least_one", "exactly_one"} & {*rule}
    names = rule[kind]
    present = [name for name in names if given(body, name)]
    listing = ", ".join(names)
    if len(present) > 1 and kind != "at_least_one":
        yield ArgumentProblem(place + present[1], f"is given beside {present[0]}; allowed: one of {listing}")
    if not present and kind != "at_most_one":
        yield ArgumentProblem(place.removesuffix("."), f"one of {listing} is required; add it")


def _conditional(rule: Mapping[str, Any], body: Body) -> Iterator[ArgumentProblem]:
    if all(_holds(given(body, path), condition) for path, condition in rule["when"].items()):
        for place, block in _blocks(body, rule.get("in", "")):
            yield from _demands(rule, block, place)


def _demands(rule: Mapping[str, Any], body: Body, place: str) -> Iterator[ArgumentProblem]:
    purpose = rule["for"]
    for path in rule.get("needs", ()):
        if not any(value for _, value in given(body, path)):
            yield ArgumentProblem(place + path, f"is required for {purpose}; add it")
    for path in rule.get("refuses", ()):
        for found, value in given(body, path):
            if value:
                got = format_value(value)
                yield ArgumentProblem(place + found, f"got {got}; not allowed for {purpose}; leave it out")
    for path, allowed in rule.get("limits", {}).items():
        for found, value in given(body, path):
            if not is_unresolved(value) and (message := breach(value, allowed)):
                yield ArgumentProblem(place + found, f"{message}, for {purpose}")


def _holds(found: list[tuple[str, Any]], condition: Any) -> bool:
    """Whether a condition holds for what is given; nothing is known of a value that is unresolved."""
    if isinstance(condition, dict) and "given" in condition:
        return bool(found) is condition["given"]
    if any(is_unresolved(value) for _, value in found):
        return False
    values = [value for _, value in found] or [None]
    if not isinstance(condition, dict):
        wanted = condition if isinstance(condition, list) else [condition]
        return any(value in wanted for value in values)
    if "over" in condition:
        return any(isinstance(value, int | float) and value > condition["over"] for value in values)
    return any(isinstance(value, str) and re.fullmatch(condition["matches"], value) is not None for value in values)
