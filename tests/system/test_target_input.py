"""The input of a target: its limits, and what must hold for any event. What AWS answers is in `tests/aws`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import BackboneError
from backbone.system.target_input import Delivered, Dropped, TargetInput, Transformer, at_path

ABOUT = {"rule_arn": "arn", "rule_name": "rule", "ingestion_time": "2024-01-01T00:00:00Z"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
names = st.from_regex(r"[A-Za-z0-9_-]{1,5}", fullmatch=True)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (TargetInput(input='"' + "x" * 8_191 + '"'), "input has 8,193 characters; allowed: at most 8,192"),
        (TargetInput(input="[" * 8_000), "input is not JSON"),
        (TargetInput(input_path="$." + "x" * 255), "input_path has 257 characters; allowed: at most 256"),
        (TargetInput(input_transformer=Transformer("")), "input_template has 0 characters; allowed: 1 to 8,192"),
        (TargetInput(input_transformer=Transformer('"' + "x" * 8_191 + '"')), "input_template has 8,193 characters"),
        (TargetInput(input_transformer=Transformer("{}", {"x" * 257: "$"})), "allowed: 1 to 256 of A-Z"),
        (
            TargetInput(input_transformer=Transformer("{}", {f"n{n}": "$.id" for n in range(101)})),
            "input_paths has 101 paths; allowed: at most 100",
        ),
    ],
)
def test_a_limit(asked: TargetInput, problem: str) -> None:
    (found,) = asked.problems()
    assert problem in found


def test_what_is_within_the_limits() -> None:
    hundred = {f"n{n}": "$." + "x" * 254 for n in range(100)} | {"x" * 256: "$"}
    del hundred["n0"]
    template = '"' + "x" * 8_190 + '"'
    assert TargetInput(input=template).problems() == []
    assert TargetInput(input_transformer=Transformer(template, hundred)).problems() == []


def test_all_problems_are_said_at_once() -> None:
    asked = TargetInput("no JSON", "detail", Transformer("<a> and <b>", {"c d": "$x"}))
    assert len(asked.problems()) == 8


@pytest.mark.parametrize("path", ["", "detail", "$.", "$..id", "$.a b", "$[x]", "$[-1]", "$.a[", "$['a']", "x$.a"])
def test_a_path_that_cannot_be_read(path: str) -> None:
    with pytest.raises(BackboneError, match=r"cannot be read; allowed: \$ and then fields, indexes"):
        at_path({}, path)


def test_a_placeholder_that_nothing_defines() -> None:
    with pytest.raises(BackboneError, match="placeholder <other>, which nothing defines"):
        TargetInput(input_transformer=Transformer('"<other>"')).of({}, **ABOUT)


def test_why_nothing_is_sent() -> None:
    asked = TargetInput(input_transformer=Transformer('{"a": "<a>", "b": "<b>"}', {"a": "$.a", "b": "$.b"}))
    sent = asked.of({"a": {"x": 1}, "b": "fine"}, **ABOUT)
    assert isinstance(sent, Dropped)
    assert '<a> ({"x":1}) without escaping it' in sent.reason
    assert "<b>" not in sent.reason


@given(st.lists(names, min_size=1, max_size=4, unique=True), values)
def test_a_path_finds_what_was_put_there(steps: list[str], value: Any) -> None:
    event: Any = value
    path = ""
    for step in reversed(steps):
        if step.isdigit() and len(step) < 3:
            event, path = [None] * int(step) + [event], f"[{int(step)}]{path}"
        else:
            event, path = {step: event}, f".{step}{path}"
    assert at_path(event, f"${path}") == value
    assert at_path({}, f"${path}") == ""


@given(st.dictionaries(names, values, max_size=4))
def test_values_as_json(event: dict[str, Any]) -> None:
    template = "{" + ", ".join(f'"{name}": <{name}>' for name in event) + "}"
    asked = TargetInput(input_transformer=Transformer(template, {name: f"$.{name}" for name in event}))
    assert asked.problems() == []
    sent = asked.of(event, **ABOUT)
    assert isinstance(sent, Delivered)
    assert json.loads(sent.text) == event
    whole = TargetInput().of(event, **ABOUT)
    assert isinstance(whole, Delivered)
    assert json.loads(whole.text) == event


@given(st.dictionaries(names, values, min_size=1, max_size=3), st.booleans())
def test_text_is_always_sent(event: dict[str, Any], lines: bool) -> None:
    template = ("\n" if lines else " ").join(f'"is <{name}>"' for name in event)
    asked = TargetInput(input_transformer=Transformer(template, {name: f"$.{name}" for name in event}))
    assert asked.problems() == []
    sent = asked.of(event, **ABOUT)
    assert isinstance(sent, Delivered)
    assert sent.text.startswith('"is ')
    assert sent.text.endswith('"')
    for value in event.values():
        if not isinstance(value, str):
            assert json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace('"', "") in sent.text


@given(st.text() | st.none(), st.text() | st.none(), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_what_has_no_problem_can_be_sent(
    constant: str | None, path: str | None, template: str, paths: dict[str, str]
) -> None:
    for asked in (TargetInput(constant, path), TargetInput(input_transformer=Transformer(template, paths))):
        if asked.problems() == []:
            assert isinstance(asked.of({"id": "e"}, **ABOUT), Delivered | Dropped)


@given(st.text(alphabet='"\\<>ab .{}:[],\n', max_size=30))
def test_any_template(template: str) -> None:
    asked = TargetInput(input_transformer=Transformer(template, {"a": "$.a", "b": "$.b"}))
    if asked.problems() == []:
        assert isinstance(asked.of({"a": "text", "b": 1}, **ABOUT), Delivered)
