"""Input templates of pipes: what is filled in, and what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.system.pipe_template import PipeTemplate, decoded
from backbone.system.target_input import Delivered, Dropped

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(st.characters(exclude_characters='"\\', exclude_categories=("Cc", "Cs")))


def filled(template: str, item: Any, **known: Any) -> Any:
    found = PipeTemplate(template).fill(item, known)
    assert isinstance(found, Delivered), found
    return json.loads(found.text)


@given(JSON)
def test_a_value_is_filled_in_as_it_is(value: Any) -> None:
    item = {"body": {"v": value}}
    assert filled('{"a": <$.body.v>, "b": [<$.body.v>]}', item) == {"a": value, "b": [value]}
    assert filled("<$.body>", item) == {"v": value}


@given(TEXT)
def test_a_text_is_filled_into_a_text(value: str) -> None:
    assert filled('{"a": "is <$.v>."}', {"v": value}) == {"a": f"is {value}."}


@given(TEXT)
def test_free_text_takes_everything(value: str) -> None:
    found = PipeTemplate("Got <$.v>!").fill({"v": value}, {})
    assert found == Delivered(f"Got {value}!")


def test_what_breaks_the_json_is_not_sent() -> None:
    found = PipeTemplate('{"a": "<$.v>"}').fill({"v": '"'}, {})
    assert isinstance(found, Dropped)
    assert "not JSON" in found.reason


def test_variables_are_filled_in() -> None:
    known = {"aws.pipes.pipe-name": "p", "aws.pipes.event": {"a": 1}}
    template = PipeTemplate('{"by": "<aws.pipes.pipe-name>", "of": <aws.pipes.event>}')
    assert template.fill({}, known) == Delivered('{"by": "p", "of": {"a":1}}')
    assert PipeTemplate("by <aws.pipes.pipe-name>").fill({}, known) == Delivered("by p")


@given(JSON)
def test_what_a_record_carries_is_read(value: Any) -> None:
    text = json.dumps(value)
    assert decoded({"body": text, "x": 1}, "sqs") == {"body": value, "x": 1}
    assert decoded({"data": base64.b64encode(text.encode()).decode()}, "kinesis") == {"data": value}
    assert decoded({"body": text}, "dynamodb") == {"body": text}


def test_what_is_no_json_stays_text() -> None:
    assert decoded({"body": "{no"}, "sqs") == {"body": "{no"}
    assert decoded({"data": base64.b64encode(b"\xff{").decode()}, "kinesis") == {"data": "�{"}


@pytest.mark.parametrize(
    ("template", "json_only", "words"),
    [
        ('{"a": <$.body.id>}', True, None),
        ("<$.body[0].id>", True, None),
        ("<$.body[*].id>", True, None),
        ('"text"', True, None),
        ("Order <$.body.id>", False, None),
        ("Order <$.body.id>", True, "it is not JSON once it is filled"),
        ('{"a": <aws.pipes.pipe-arn>}', True, None),
        ('{"a": <aws.pipes.pipe>}', True, "<aws.pipes.pipe> is no variable of a pipe; allowed: aws.pipes.pipe-arn"),
        ('{"a": <$.body..id>}', True, "the JSON path '$.body..id' cannot be read"),
        ('{"a": <$.body[-1]>}', True, "the JSON path '$.body[-1]' cannot be read"),
    ],
)
def test_what_a_template_may_be(template: str, json_only: bool, words: str | None) -> None:
    found = list(PipeTemplate(template).problems(json_only=json_only))
    assert (found == []) if words is None else (len(found) == 1 and words in found[0]), found
