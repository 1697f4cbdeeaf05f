"""Expressions: what Terraform would refuse of them is a finding, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from backbone.system import terraform
from backbone.system.checks import graph

PROBLEMS = {
    "${var.none}": "${var.none}: the stack declares no var.none",
    "${data.aws_region.none.name}": "the stack declares no data.aws_region.none",
    "${upper(local.none)}": "the stack declares no local.none",
    "${module.none.arn}": "the stack declares no module.none",
    "${uper(var.team)}": "Terraform has no function uper",
    '${join(",", [aws_sqs_queue.none.arn])}': "refers to a resource that is not in the stack",
    "${aws_sqs_queue.q[0].arn}": "aws_sqs_queue.q is one resource, and none of several; leave [0] out",
    "${aws_sqs_queue.q.arm}": "aws_sqs_queue has no attribute arm",
    "${each.key}": "there is no each",
    "${var.team": "an expression that does not end",
}
FINE = (
    "plain",
    "$${var.none}",
    "${var.team}",
    "${upper(local.word)}-${var.team}",
    "${data.aws_region.here.name}",
    "${module.other.arn}",
    '${jsonencode({a = aws_sqs_queue.q.arn, b = "uper(x) local.none"})}',
    '${join(",", [for my_item in var.team : my_item.name])}',
    "${aws_sqs_queue.q.arn == null ? 1 : 2}",
    "${provider::aws::arn_parse(aws_sqs_queue.q.arn).region}",
    "${terraform.workspace}/${path.module}",
)


def found(text: str) -> list[str]:
    """What is wrong with an output of a stack with a queue, a variable, a local value, data and a module."""
    document = {
        "provider": {"aws": [{"alias": "a", "region": "eu-west-1", "allowed_account_ids": ["111111111111"]}]},
        "variable": {"team": {}},
        "locals": {"word": "x"},
        "data": {"aws_region": {"here": {}}},
        "module": {"other": {"source": "./other"}},
        "resource": {"aws_sqs_queue": {"q": {"provider": "aws.a", "name": "q"}}},
        "output": {"o": {"value": text}},
    }
    configuration = terraform.parse({Path("out/stacks/s/cdk.tf.json"): document})
    return [finding.message for finding in graph.check(configuration)]


@pytest.mark.parametrize("text", PROBLEMS)
def test_what_terraform_refuses(text: str) -> None:
    (message,) = found(text)
    assert PROBLEMS[text] in message


@pytest.mark.parametrize("text", FINE)
def test_what_terraform_takes(text: str) -> None:
    assert found(text) == []
