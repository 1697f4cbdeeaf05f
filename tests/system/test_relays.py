"""Relays against what was declared: each way in which the Terraform can part from it is a finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import parse
from tests.simulator.test_relays import TEXT

Resources = dict[str, dict[str, dict[str, Any]]]
RULE, TARGET, MAPPING = "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_lambda_event_source_mapping"


def body(resources: Resources, kind: str, part: str) -> dict[str, Any]:
    (found,) = [body for name, body in resources[kind].items() if part in name]
    return found


def change(kind: str, part: str, **arguments: Any) -> Callable[[Resources], None]:
    return lambda resources: body(resources, kind, part).update(arguments)


def replace(kind: str, part: str, before: str, after: str) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        found = body(resources, kind, part)
        assert before in found["policy"]
        found["policy"] = found["policy"].replace(before, after)

    return edit


NO_RULE = "media is declared to relay uploads, and no rule of arn:aws:events:eu-west-1:222222222222:event-bus/default"
NO_FUNCTION = "nothing that its rule sends to may publish Upload.Received on shop-global"
PATTERN = '{"detail-type":["Object Created"],"source":["aws.s3"]}'
CASES: dict[str, tuple[Callable[[Resources], None], str]] = {
    "another pattern": (change(RULE, "relays_uploads", event_pattern=PATTERN.replace("s3", "ecs")), NO_RULE),
    "a wider pattern": (change(RULE, "relays_uploads", event_pattern='{"source":["aws.s3"]}'), NO_RULE),
    "a schedule beside it": (change(RULE, "relays_uploads", schedule_expression="rate(1 day)"), NO_RULE),
    "switched off": (change(RULE, "relays_uploads", state="DISABLED"), NO_RULE),
    "another bus": (change(RULE, "relays_uploads", event_bus_name="shop-media"), NO_RULE),
    "a part of the event": (change(TARGET, "relays_uploads", input_path="$.detail"), NO_FUNCTION),
    "nobody reads the queue": (change(MAPPING, "relays_uploads", enabled=False), NO_FUNCTION),
    "another type": (replace("aws_iam_role_policy", "publish", "Upload.Received", "Upload.Seen"), NO_FUNCTION),
    "another source": (replace("aws_iam_role_policy", "publish", '"media"', '"other"'), NO_FUNCTION),
    "shut out by the hub": (
        replace("aws_cloudwatch_event_bus_policy", "global", "222222222222:root", "333333333333:root"),
        NO_FUNCTION,
    ),
}
SAME = {
    "in another order": '{"source":["aws.s3"],"detail-type":["Object Created"]}',
    "twice": '{"detail-type":["Object Created","Object Created"],"source":["aws.s3"]}',
}


def edited(folder: Path, edit: Callable[[Resources], None]) -> list[str]:
    output.synth(parse(TEXT), folder)
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    document = json.loads(file.read_text())
    edit(document["resource"])
    file.write_text(json.dumps(document))
    return [str(finding) for finding in read(folder).findings if finding.rule == "BB714"]


@pytest.mark.parametrize("name", CASES)
def test_a_relay_that_does_not_do_what_is_declared(name: str, tmp_path: Path) -> None:
    edit, words = CASES[name]
    (found,) = edited(tmp_path, edit)
    assert words in found


@pytest.mark.parametrize("pattern", SAME.values(), ids=SAME)
def test_a_pattern_that_is_written_otherwise(pattern: str, tmp_path: Path) -> None:
    assert edited(tmp_path, change(RULE, "relays_uploads", event_pattern=pattern)) == []
