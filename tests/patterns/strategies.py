"""Patterns and events of a small world, so that they meet, and values of any kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from backbone.patterns import Pattern, PatternError

Values = st.SearchStrategy[Any]

names = st.sampled_from(["a", "b", "c", "d.a"])  # not `d`: no event has one field under two names
texts = st.sampled_from(["", "x", "X", "xy", "y", "yx", "ß", "ss", "1", "10.0.0.1"])
numbers = st.sampled_from([0, 1, 1.0, -1.5, 2.5, 2**53, 2**53 + 1])
scalars = st.none() | st.booleans() | texts | numbers | st.sampled_from(["::1", "0:0:0:0:0:0:0:1"])


def _one_or_more(values: Values) -> Values:
    return values | st.lists(values, min_size=1, max_size=2)


def _object(name: str, operand: Values) -> Values:
    return st.fixed_dictionaries({name: operand})


_in_any_case = _object("equals-ignore-case", texts)
_wildcards = st.sampled_from(["*", "x*", "*y", "x*y", "*x*", "\\*", "x", ""])
_bounds = st.sampled_from(
    [[">", 0], [">=", 1], ["<", 1], ["<=", -1.5], ["=", 2.5], [">", -2, "<=", 1], [">=", 0, "<", 3]]
)

operators = st.one_of(
    _object("exactly", texts),
    _object("prefix", texts | _in_any_case),
    _object("suffix", texts | _in_any_case),
    _in_any_case,
    _object("wildcard", _wildcards),
    _object("anything-but", _one_or_more(texts) | _one_or_more(st.sampled_from([0, 1.0, -1.5]))),
    _object("anything-but", _object("prefix", _one_or_more(texts.filter(bool)))),
    _object("anything-but", _object("suffix", _one_or_more(texts.filter(bool)))),
    _object("anything-but", _object("equals-ignore-case", _one_or_more(texts))),
    _object("anything-but", _object("wildcard", _one_or_more(_wildcards))),
    _object("numeric", _bounds),
    _object("cidr", st.sampled_from(["10.0.0.0/8", "10.0.0.2/31", "::/64"])),
    _object("exists", st.booleans()),
)
alternatives = st.lists(scalars | operators, min_size=1, max_size=2)


def _pattern_objects(children: Values) -> Values:
    fields = st.dictionaries(names, children, min_size=1, max_size=2)
    branches = st.lists(fields, min_size=2, max_size=2)
    return fields | st.tuples(fields, branches).map(lambda both: {**both[0], "$or": both[1]})


def _is_simple_enough(pattern: dict[str, Any]) -> bool:
    """Whether wildcards that `$or` repeats do not become too complex."""
    try:
        Pattern.parse(pattern)
    except PatternError as error:
        return "too complex" not in str(error)
    return True


patterns = _pattern_objects(st.recursive(alternatives, _pattern_objects, max_leaves=4)).filter(_is_simple_enough)
events = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for name, below in value.items() for leaf in _leaves(below, (*path, name))]
    if isinstance(value, list):
        return [leaf for element in value for leaf in _leaves(element, path)]
    return [(".".join(path), value)]


def _about(event: dict[str, Any]) -> Values:
    """Patterns on the fields that an event has, mostly for the values that they have there."""
    leaves = _leaves(event)
    absent = st.sampled_from(["a.a", "a.c", "a.d.a", "b.c", "c"]).map(lambda path: (path, [{"exists": False}]))
    if not leaves:
        return absent.map(lambda field: dict([field]))
    present = st.sampled_from(leaves).flatmap(
        lambda leaf: st.tuples(st.just(leaf[0]), st.lists(st.just(leaf[1]) | operators, min_size=1, max_size=2))
    )
    fields = st.lists(present | present | absent, min_size=1, max_size=3).map(dict)
    branches = st.lists(fields, min_size=2, max_size=2).map(lambda both: {"$or": both})
    return (fields | st.tuples(fields, branches).map(lambda both: both[0] | both[1])).filter(_is_simple_enough)


pairs = st.tuples(patterns, events) | events.flatmap(lambda event: st.tuples(_about(event), st.just(event)))
"""A pattern and an event, of which about a third match."""

_words = st.sampled_from(
    ["$or", "numeric", "cidr", "wildcard", "anything-but", "prefix", "suffix", "exists", "equals-ignore-case"]
)
_any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4_290, 4_310).map(lambda digits: 10**digits)
    | st.floats()
    | _any_text
    | st.sampled_from(["::1", "10.0.0.0/8", "*", "\\", 1e308, ">", "<="])
    | st.binary(max_size=3)
    | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(_any_text | _words, inner, max_size=3)
        | st.dictionaries(st.tuples(st.none()), inner, max_size=1)
    ),
    max_leaves=12,
)
"""Whatever a caller may take for a pattern or an event: JSON's values, others, and operators in any place."""
