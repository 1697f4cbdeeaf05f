"""Schedules of a service: what is made for them, and who may do what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backbone.constructs.delivery_stream import DeliveryStream
from backbone.constructs.queue import Queue
from backbone.constructs.schedule import Called
from backbone.constructs.service import Service
from backbone.constructs.state_machine import StateMachine
from backbone.constructs.topic import Topic
from tests.constructs.test_service import TEXT, agreeing, built, only
from tests.synthesis import Stacks, resources

KEY = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def build(service: Service) -> None:
    agreeing(service)
    account, name = service.account, service.name_of
    function = service.function("report", handler="some.module.handle")
    queue = Queue(service, "mailbox", account=account, name=name("mailbox"))
    topic = Topic(service, "topic", account=account, name_of=name)
    machine = StateMachine(service, "steps", account=account, name_of=name, definition={}, log_retention_days=7)
    years = DeliveryStream(service, "years", account=account, name_of=name, log_retention_days=7)
    service.schedule(
        "nightly",
        "cron(0 2 * * ? *)",
        to=function,
        timezone="Europe/Berlin",
        start="2030-01-01T00:00:00Z",
        end="2031-01-01T00:00:00Z",
        window_minutes=15,
        input={"b": 1, "a": "ä"},
    )
    receivers: dict[str, Called] = {"to-queue": queue, "to-topic": topic, "to-machine": machine, "to-years": years}
    for called, to in receivers.items():
        service.schedule(called, "rate(1 hour)", to=to)


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    return built(build, tmp_path, monkeypatch)


def statements(stacks: Stacks, schedule: str) -> dict[str, Any]:
    document = json.loads(only(stacks, "aws_iam_role_policy", f"{schedule}/role-policy").body["policy"])
    return {one["Sid"]: one for one in document["Statement"]}


def test_a_schedule_is_what_was_asked_for(stacks: Stacks) -> None:
    body = only(stacks, "aws_scheduler_schedule", "nightly/").body
    target = body["target"]
    assert body["name"] == "shop-order-service-nightly"
    assert (body["schedule_expression"], body["schedule_expression_timezone"]) == ("cron(0 2 * * ? *)", "Europe/Berlin")
    assert (body["start_date"], body["end_date"]) == ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z")
    assert body["flexible_time_window"] == {"mode": "FLEXIBLE", "maximum_window_in_minutes": 15}
    assert target["input"] == '{"a": "ä", "b": 1}'
    assert target["retry_policy"] == {"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 185}
    other = only(stacks, "aws_scheduler_schedule", "to-queue/").body
    assert (other["schedule_expression_timezone"], other["flexible_time_window"]) == ("UTC", {"mode": "OFF"})


@pytest.mark.parametrize(
    ("schedule", "action", "kind"),
    [
        ("nightly", "lambda:InvokeFunction", "aws_lambda_function"),
        ("to-queue", "sqs:SendMessage", "aws_sqs_queue"),
        ("to-topic", "sns:Publish", "aws_sns_topic"),
        ("to-machine", "states:StartExecution", "aws_sfn_state_machine"),
        ("to-years", "firehose:PutRecord", "aws_kinesis_firehose_delivery_stream"),
    ],
)
def test_a_role_may_do_one_thing_to_the_target_and_send_what_fails(
    schedule: str, action: str, kind: str, stacks: Stacks
) -> None:
    found = statements(stacks, schedule)
    assert {*found} == {"Call", "Fail"}
    target = only(stacks, "aws_scheduler_schedule", f"{schedule}/").body["target"]
    assert found["Call"]["Action"] == action
    assert found["Call"]["Resource"] == target["arn"]
    assert target["arn"].startswith(f"${{{kind}.")
    assert (found["Fail"]["Action"], found["Fail"]["Resource"]) == (
        "sqs:SendMessage",
        target["dead_letter_config"]["arn"],
    )


def test_a_role_is_assumed_for_the_group_of_the_service_only(stacks: Stacks) -> None:
    (group,) = resources(stacks, "aws_scheduler_schedule_group")
    assert (group.path, group.body["name"]) == (
        "services/order-service/schedules/Default",
        "shop-order-service-schedules",
    )
    (trust,) = json.loads(only(stacks, "aws_iam_role", "nightly/role").body["assume_role_policy"])["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"${{aws_scheduler_schedule_group.{group.name}.arn}}"},
        "StringEquals": {"aws:SourceAccount": "222222222222"},
    }
    for one in resources(stacks, "aws_scheduler_schedule"):
        assert one.body["group_name"] == f"${{aws_scheduler_schedule_group.{group.name}.name}}"


def test_a_key_encrypts_the_schedule_and_the_role_may_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT.replace('order: {id: "222222222222"}', f'order: {{id: "222222222222", kms_key: "{KEY}"}}')
    stacks = built(build, tmp_path, monkeypatch, text)
    assert only(stacks, "aws_scheduler_schedule", "nightly/").body["kms_key_arn"] == KEY
    found = statements(stacks, "nightly")["Key"]
    assert (found["Action"], found["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], KEY)
