"""Patterns that EventBridge takes, or YAML reads, as something else than their author means."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from backbone.errors import BackboneError
from backbone.topology import parse

CASES = yaml.safe_load(Path(__file__).with_name("slips.yaml").read_text(encoding="utf-8"))
TEXT = """
name: shop
region: eu-west-1
accounts: {{bus: {{id: "111111111111"}}, shop: {{id: "222222222222"}}}}
bus: {{account: bus}}
services:
  publisher:
    account: bus
    publishes: [Order.Created]
    relays: {{orders: {{pattern: {pattern}, publishes: Order.Created}}}}
  reader:
    account: shop
    subscribes: [{{detail_type: Order.Created, detail: {detail}}}]
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("pattern", case.get("detail")))
def test_a_likely_slip_is_told(case: dict[str, str]) -> None:
    text = TEXT.format(pattern=case.get("pattern", "{source: [aws.s3]}"), detail=case.get("detail", "{a: [1]}"))
    try:
        found = [str(problem) for problem in parse(text).warnings]
    except BackboneError as error:
        found = [str(error)]
    if "says" in case:
        (message,) = found
        assert case["says"] in message
    else:
        assert found == []
