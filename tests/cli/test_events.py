"""Events from the files that people have: `backbone.cli.events`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backbone.cli import events

CASES = yaml.safe_load(Path(__file__).with_name("event-files.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_file_stands_for_entries(case: dict[str, Any]) -> None:
    content = case["text"].encode()
    if "error" in case:
        with pytest.raises(events.EventFileError) as error:
            [event.as_entry() for event in events.read(content)]
        assert str(error.value).startswith(case["error"])
    else:
        assert [event.as_entry() for event in events.read(content)] == case["entries"]


def test_a_file_in_another_encoding() -> None:
    with pytest.raises(events.EventFileError, match="not UTF-8 at byte 0; save the file as UTF-8"):
        events.read('{"source": "shop"}'.encode("utf-16"))


TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS, lambda of: st.lists(of) | st.dictionaries(TEXTS, of)
)


@given(source=TEXTS, detail_type=TEXTS, detail=st.dictionaries(TEXTS, JSON), resources=st.lists(TEXTS))
def test_a_rule_sees_the_same_of_an_event_and_of_its_entry(
    source: str, detail_type: str, detail: dict[str, Any], resources: list[str]
) -> None:
    event = {"source": source, "detail-type": detail_type, "detail": detail, "resources": resources}
    (from_event,) = events.read(json.dumps(event).encode())
    (from_entry,) = events.read(json.dumps(from_event.as_entry()).encode())
    assert from_entry.is_entry
    assert from_event.as_event() == from_entry.as_event() == event


@pytest.mark.parametrize(
    ("detail", "message"),
    [("{", "Detail: got text that is not JSON"), ("[1]", "Detail: got an array as JSON text; allowed: an object")],
)
def test_a_detail_that_no_rule_can_see(detail: str, message: str) -> None:
    (entry,) = events.read(json.dumps({"Source": "a", "DetailType": "T", "Detail": detail}).encode())
    with pytest.raises(events.EventFileError) as error:
        entry.as_event()
    assert str(error.value).startswith(message)
