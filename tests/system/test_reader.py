"""The synthesized JSON read back: references, rules, and which of them an event matches."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.system import terraform
from backbone.system.model import Archive, EventBus, Queue, Rule
from backbone.system.reader import Reading, read
from backbone.system.terraform import TerraformError
from tests.conftest import example
from tests.synthesis import Stacks, synthesize

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


def reading(folder: Path, **stacks: dict[str, Any]) -> Reading:
    for name, document in stacks.items():
        write(folder, name, document)
    return read(folder)


@pytest.mark.parametrize("name", ["single", "per-account", "all-features"])
def test_every_block_of_the_examples_is_read(tmp_path: Path, name: str) -> None:
    synthesize(example(name), tmp_path)
    found = read(tmp_path)
    assert {finding.rule for finding in found.findings} <= {"BB191"}
    assert found.system.not_simulated == ()
    configuration = terraform.load(tmp_path)
    blocks = list(configuration.of("aws_cloudwatch_event_rule"))
    assert {rule.address for rule in found.system.of(Rule)} == {block.id for block in blocks}
    assert all(rule.targets for rule in found.system.of(Rule))
    for block in configuration:  # every reference of every block comes to something
        assert "${aws" not in json.dumps(configuration.resolve(block, block.body))


@pytest.mark.parametrize("name", ["single", "per-account"])
def test_which_rules_an_event_matches(synthesized: Callable[[str], Stacks], tmp_path: Path, name: str) -> None:
    found = reading(tmp_path, **synthesized(name)).system.matching(ORDER_CREATED)
    assert [rule.name for rule in found if rule.account == "bus"] == [
        "shop-forward-delivery-service",
        "shop-global-log",
    ]
    forward = next(rule for rule in found if rule.name == "shop-forward-delivery-service")
    assert forward.bus_arn == "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
    assert [target.arn for target in forward.targets] == [
        "arn:aws:events:eu-west-1:333333333333:event-bus/shop-delivery-service"
    ]


def test_a_disabled_rule_and_a_schedule_match_nothing(tmp_path: Path) -> None:
    schedule = small(schedule_expression="rate(1 day)")
    del schedule["resource"]["aws_cloudwatch_event_rule"]["r"]["event_pattern"]
    schedule["provider"]["aws"][0]["allowed_account_ids"] = ["222222222222"]
    system = reading(tmp_path, off=small(state="DISABLED"), schedule=schedule).system
    assert [rule.bus_arn for rule in system.of(Rule)] == [
        "arn:aws-cn:events:cn-north-1:111111111111:event-bus/main",
        "arn:aws-cn:events:cn-north-1:222222222222:event-bus/main",
    ]
    assert system.matching({"source": "x"}) == []


def test_a_bus_that_is_given_by_its_arn_is_that_bus(tmp_path: Path) -> None:
    bus = "arn:aws-cn:events:cn-north-1:111111111111:event-bus/main"
    system = reading(tmp_path, one=small(event_bus_name=bus)).system
    (rule,) = system.of(Rule)
    assert rule.bus_arn == bus
    assert rule.arn == "arn:aws-cn:events:cn-north-1:111111111111:rule/main/r"
    assert system.matching({"source": "x"}) == [rule]


def test_every_wrong_pattern_is_a_finding(tmp_path: Path) -> None:
    long = json.dumps({"source": ["x" * 3_000]})
    found = reading(tmp_path, one=small(event_pattern='{"source":"x"}'), two=small(name="s", event_pattern=long))
    assert [str(finding) for finding in found.findings if "event_pattern" in finding.message] == [
        'one/aws_cloudwatch_event_rule.r: event_pattern: $.source: got "x"; allowed: an array, as in ["x"]',
        "two/aws_cloudwatch_event_rule.r: event_pattern: $: got 3,015 characters; allowed: 2,048; split the rule, "
        "or have AWS raise the quota",
    ]
    assert [rule.name for rule in found.system.of(Rule)] == ["s"]


def test_wildcards_that_aws_just_takes_are_a_warning(tmp_path: Path) -> None:
    pattern = json.dumps({"source": [{"wildcard": "*a*a*a*a*a"}]})
    found = reading(tmp_path, one=small(event_pattern=pattern))
    (warning,) = [finding for finding in found.findings if finding.rule == "BB104"]
    assert warning.severity == "warning"
    assert warning.message == (
        "event_pattern: $.source: the wildcards are as complex as EventBridge takes; one more * may be refused"
    )
    assert len(found.system.of(Rule)) == 1


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("${aws_cloudwatch_event_bus.none.name}", "refers to a resource that is not in the stack"),
        ("${aws_cloudwatch_event_bus.b.colour}", "the attribute is not known before the resource is made"),
        ("${lower(aws_cloudwatch_event_bus.b.name)}", "cannot be resolved"),
        ("${aws_cloudwatch_event_rule.r.event_bus_name}", "refers to itself"),
        ({"a": "b"}, 'event_bus_name: got {"a": "b"}; allowed: text'),
    ],
)
def test_a_block_that_cannot_be_read_is_a_finding_with_its_address(
    tmp_path: Path, expression: Any, message: str
) -> None:
    found = reading(tmp_path, one=small(event_bus_name=expression))
    assert found.system.of(Rule) == []
    (finding,) = [finding for finding in found.findings if finding.rule == "BB101"]
    assert (finding.rule, finding.severity) == ("BB101", "error")
    assert finding.address == "one/aws_cloudwatch_event_rule.r"
    assert message in finding.message


def test_what_is_attached_to_nothing_is_a_finding(tmp_path: Path) -> None:
    document = small()
    document["resource"] |= {
        "aws_cloudwatch_event_target": {
            "t": {
                "rule": "other",
                "event_bus_name": "${aws_cloudwatch_event_bus.b.name}",
                "arn": "arn:aws-cn:sqs:cn-north-1:111111111111:q",
                "provider": "aws.bus",
            }
        },
        "aws_cloudwatch_event_archive": {
            "a": {
                "name": "a",
                "event_source_arn": "arn:aws-cn:events:cn-north-1:111111111111:event-bus/none",
                "provider": "aws.bus",
            }
        },
    }
    found = reading(tmp_path, one=document)
    assert [str(finding) for finding in found.findings if finding.rule == "BB105"] == [
        "one/aws_cloudwatch_event_target.t: refers to the rule "
        "arn:aws-cn:events:cn-north-1:111111111111:rule/main/other, which no stack makes",
        "one/aws_cloudwatch_event_archive.a: refers to the bus "
        "arn:aws-cn:events:cn-north-1:111111111111:event-bus/none, which no stack makes",
    ]
    assert len(found.system.of(Archive)) == 1


def test_two_resources_of_one_arn_and_two_policies_of_one_queue(tmp_path: Path) -> None:
    document = small()
    policy = {"queue_url": "${aws_sqs_queue.q.url}", "policy": "{}", "provider": "aws.bus"}
    queue = {"name": "q", "provider": "aws.bus"}
    document["resource"] |= {
        "aws_sqs_queue": {"q": queue, "r": queue},
        "aws_sqs_queue_policy": {"p": policy, "s": policy},
    }
    found = reading(tmp_path, one=document)
    messages = [finding.message for finding in found.findings]
    assert "arn:aws-cn:sqs:cn-north-1:111111111111:q is made by one/aws_sqs_queue.q already" in messages
    assert any("has a policy already, of one/aws_sqs_queue_policy.p: the last apply wins" in one for one in messages)
    assert len(found.system.of(Queue)) == 1


def test_a_dollar_that_is_escaped_is_a_dollar_and_a_variable_stays(tmp_path: Path) -> None:
    document = small(description="$${not.a.reference} ${var.secret} at ${aws_cloudwatch_event_bus.b.arn}")
    write(tmp_path, "one", document)
    configuration = terraform.load(tmp_path)
    block = configuration.get("one/aws_cloudwatch_event_rule.r")
    assert block is not None
    bus = "arn:aws-cn:events:cn-north-1:111111111111:event-bus/main"
    assert configuration.value(block, "description") == f"${{not.a.reference}} ${{var.secret}} at {bus}"


def test_every_account_has_a_default_bus(tmp_path: Path) -> None:
    system = reading(tmp_path, one=small()).system
    assert [bus.name for bus in system.of(EventBus)] == ["default", "main"]


def test_no_stacks_and_broken_stacks(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match="no synthesized stacks there; run `backbone synth` first"):
        terraform.load(tmp_path)
    write(tmp_path, "one", small())
    with pytest.raises(
        TerraformError, match=r"stacks: no synthesized stacks there \(it is itself the folder of stacks"
    ):
        terraform.load(tmp_path / "stacks")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "got list; allowed: an object"),
        ({"provider": 5}, "provider: got 5; allowed: an object"),
        ({"provider": {"aws": ["x"]}}, r'provider\.aws: got "x"; allowed: an object'),
        ({"provider": {"aws": [{"alias": 1}]}}, "alias and region are needed"),
        ({"provider": {"aws": [{"alias": "a", "region": "eu-west-1"}]}}, "allowed_account_ids: got None; allowed: one"),
        ({"resource": []}, r"resource: got \[\]; allowed: an object"),
        ({"resource": {"aws_sqs_queue": "x"}}, 'aws_sqs_queue: got "x"; allowed: an object'),
        ({"resource": {"aws_sqs_queue": {"q": 1}}}, r"aws_sqs_queue\.q: got 1; allowed: an object"),
        (small(provider="aws.other"), r"the provider is 'aws\.other'; allowed: aws\.bus"),
        (small(provider=["aws.bus"]), r"the provider is \['aws\.bus'\]; allowed: aws\.bus"),
    ],
)
def test_a_stack_that_is_broken_is_named_with_the_place(tmp_path: Path, document: Any, message: str) -> None:
    write(tmp_path, "one", {})
    file = tmp_path / "stacks" / "one" / "cdk.tf.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(TerraformError, match=message) as caught:
        terraform.load(tmp_path)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"name_prefix": "jobs-"}, r"jobs-\d{26}"),
        ({"name_prefix": "jobs-", "fifo_queue": True}, r"jobs-\d{26}\.fifo"),
        ({"name": None}, r"terraform-\d{26}"),
        ({}, r"terraform-\d{26}"),
    ],
)
def test_terraform_names_what_has_no_name(tmp_path: Path, body: dict[str, Any], name: str) -> None:
    document = small()
    document["resource"]["aws_sqs_queue"] = {"q": {"provider": "aws.bus", **body}}
    (queue,) = reading(tmp_path, s=document).system.of(Queue)
    assert re.fullmatch(name, queue.name)
    assert queue.arn == f"arn:aws-cn:sqs:cn-north-1:111111111111:{queue.name}"
    (again,) = reading(tmp_path, s=document).system.of(Queue)
    assert again.name == queue.name


def test_a_resource_may_be_in_a_region_of_its_own(tmp_path: Path) -> None:
    document = small()
    document["resource"]["aws_sqs_queue"] = {
        "q": {"provider": "aws.bus", "name": "q", "region": "cn-northwest-1"},
        "p": {"provider": "aws.bus", "name": "p"},
    }
    found = reading(tmp_path, s=document).system.of(Queue)
    assert [queue.place.region for queue in found] == ["cn-northwest-1", "cn-north-1"]
    assert found[0].arn == "arn:aws-cn:sqs:cn-northwest-1:111111111111:q"
