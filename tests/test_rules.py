"""The synthesized JSON read back: references, rules, and which of them an event matches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.system import rules, terraform
from backbone.system.rules import RuleError
from backbone.system.terraform import TerraformError
from tests.synthesis import Stacks

ORDER_CREATED = {"source": "order-service", "detail-type": "Order.Created", "account": "222222222222"}


def write(folder: Path, stack: str, read: dict[str, Any]) -> None:
    file = folder / "stacks" / stack / "cdk.tf.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(read))


def small(**rule: Any) -> dict[str, Any]:
    """A stack of one bus and one rule."""
    return {
        "provider": {"aws": [{"alias": "bus", "region": "cn-north-1", "allowed_account_ids": ["111111111111"]}]},
        "resource": {
            "aws_cloudwatch_event_bus": {"b": {"name": "main", "provider": "aws.bus"}},
            "aws_cloudwatch_event_rule": {
                "r": {
                    "name": "r",
                    "event_bus_name": "${aws_cloudwatch_event_bus.b.name}",
                    "event_pattern": '{"source":["x"]}',
                    "provider": "aws.bus",
                }
                | rule
            },
        },
    }


@pytest.mark.parametrize("name", ["single", "per-account", "all-features"])
def test_every_rule_of_the_examples_is_read(synthesized: Callable[[str], Stacks], tmp_path: Path, name: str) -> None:
    for stack, read in synthesized(name).items():
        write(tmp_path, stack, read)
    configuration = terraform.load(tmp_path)
    read_rules = rules.read(configuration)
    assert len(read_rules) == len(list(configuration.of("aws_cloudwatch_event_rule")))
    assert all(rule.targets for rule in read_rules)
    for resource in configuration:  # every reference of every resource comes to something
        assert "${" not in json.dumps(configuration.resolve(resource, resource.body))


@pytest.mark.parametrize("name", ["single", "per-account"])
def test_which_rules_an_event_matches(synthesized: Callable[[str], Stacks], tmp_path: Path, name: str) -> None:
    for stack, read in synthesized(name).items():
        write(tmp_path, stack, read)
    found = rules.matching(rules.read(terraform.load(tmp_path)), ORDER_CREATED)
    assert [one.name for one in found if one.account == "bus"] == ["shop-forward-delivery-service", "shop-global-log"]
    forward = next(one for one in found if one.name == "shop-forward-delivery-service")
    assert forward.bus == "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
    assert forward.targets == ("arn:aws:events:eu-west-1:333333333333:event-bus/shop-delivery-service",)


def test_a_disabled_rule_and_a_schedule_match_nothing(tmp_path: Path) -> None:
    write(tmp_path, "off", small(state="DISABLED"))
    schedule = small(schedule_expression="rate(1 day)")
    del schedule["resource"]["aws_cloudwatch_event_rule"]["r"]["event_pattern"]
    write(tmp_path, "schedule", schedule)
    found = rules.read(terraform.load(tmp_path))
    assert [one.bus for one in found] == ["arn:aws-cn:events:cn-north-1:111111111111:event-bus/main"] * 2
    assert rules.matching(found, {"source": "x"}) == []


def test_every_wrong_pattern_is_named(tmp_path: Path) -> None:
    write(tmp_path, "one", small(event_pattern='{"source":"x"}'))
    write(tmp_path, "two", small(event_pattern=json.dumps({"source": ["x" * 3_000]})))
    with pytest.raises(RuleError) as caught:
        rules.read(terraform.load(tmp_path))
    assert str(caught.value).splitlines() == [
        'one/aws_cloudwatch_event_rule.r: event_pattern: $.source: got "x"; allowed: an array, as in ["x"]',
        "two/aws_cloudwatch_event_rule.r: event_pattern: $: got 3,015 characters; allowed: 2,048; split the rule, "
        "or have AWS raise the quota",
    ]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("${aws_cloudwatch_event_bus.none.name}", "refers to a resource that is not in the stack"),
        ("${aws_cloudwatch_event_bus.b.colour}", "the attribute is not known before the resource is made"),
        ("${lower(aws_cloudwatch_event_bus.b.name)}", "cannot be resolved"),
    ],
)
def test_what_cannot_be_resolved_is_an_error_with_its_address(tmp_path: Path, expression: str, message: str) -> None:
    write(tmp_path, "one", small(event_bus_name=expression))
    with pytest.raises(TerraformError, match=r"^one/aws_cloudwatch_event_rule\.r: ") as caught:
        rules.read(terraform.load(tmp_path))
    assert message in str(caught.value)


def test_no_stacks_and_broken_stacks(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match="no synthesized stacks there; run `backbone synth` first"):
        terraform.load(tmp_path)
    write(tmp_path, "one", small(provider="aws.other"))
    with pytest.raises(TerraformError, match=r"the provider is 'aws\.other'; allowed: aws\.bus"):
        terraform.load(tmp_path)
    (tmp_path / "stacks" / "one" / "cdk.tf.json").write_text("{")
    with pytest.raises(TerraformError, match="cannot be read"):
        terraform.load(tmp_path)
