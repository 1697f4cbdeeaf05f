"""EventBridge Scheduler: when schedules call their targets, what these get, and what becomes of what fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.simulator import Simulator
from backbone.simulator.faults import Fault
from backbone.simulator.page.map import Map
from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import load
from tests.conftest import TOPOLOGIES

Resources = dict[str, dict[str, dict[str, Any]]]
PLACE = "eu-west-1:222222222222"
MACHINE = f"arn:aws:states:{PLACE}:stateMachine:shop-worker-steps"
YEARS = f"arn:aws:firehose:{PLACE}:deliverystream/shop-worker-years"
NAMES = ("nightly", "queued", "announced", "stepped", "archived")
SCHEDULE = "aws_scheduler_schedule"
HOUR = 3600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("everything")
    output.synth(load(TOPOLOGIES / "everything.yaml"), made)
    return made


@pytest.fixture
def system(folder: Path) -> Iterator[Callable[..., Simulator]]:
    """The topology with everything, after an edit of its resources, with some of its schedules only."""
    made: list[Simulator] = []
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    text = file.read_text()

    def of(*names: str, edit: Callable[[Resources], object] | None = None, seed: int = 0) -> Simulator:
        document = json.loads(text)
        for name in NAMES if names else ():
            if name not in names:
                schedule(document["resource"], name)["state"] = "DISABLED"
        if edit is not None:
            edit(document["resource"])
        file.write_text(json.dumps(document))
        made.append(Simulator(read(folder), seed=seed))
        return made[-1]

    yield of
    file.write_text(text)
    for one in made:
        one.close()


def schedule(resources: Resources, name: str) -> dict[str, Any]:
    (found,) = [body for key, body in resources[SCHEDULE].items() if f"_{name}_" in key]
    return found


def target(resources: Resources, name: str) -> dict[str, Any]:
    found = schedule(resources, name)["target"]
    body: dict[str, Any] = found[0] if isinstance(found, list) else found
    return body


def role(resources: Resources, kind: str, name: str) -> dict[str, Any]:
    (found,) = [body for key, body in resources[kind].items() if f"_{name}_role" in key]
    return found


def ends(sim: Simulator, kind: str) -> list[tuple[float, str]]:
    return [(node.at, node.place) for node in sim.trace().of(kind)]


def test_everything_is_called_at_its_times_with_what_it_is_to_be_sent(system: Callable[..., Simulator]) -> None:
    sim = system(edit=lambda resources: schedule(resources, "nightly").update(start_date="2024-01-02T00:00:00Z"))
    assert sim.findings == []
    sim.run_until_idle(at_most=26 * HOUR)
    assert sim.problems(allow=["failed", "dead-letter"]) == []
    called = [node for node in sim.trace().of("rule") if node.place == "shop-worker-nightly"]
    # 02:30 in Berlin is 01:30 UTC; the start is a day after the beginning.
    assert [node.at for node in called] == [25.5 * HOUR]
    assert [child.place for child in called[0].children] == ["shop-worker-work"]
    assert called[0].children[0].payload == '{"night": true}'
    assert sim.inputs[MACHINE] == ["{}", "{}"]
    told = [json.loads(message) for message in sim.topics["shop-worker-topic"]]
    assert [one["time"] for one in told] == ["2024-01-01T00:00:00Z", "2024-01-01T12:00:00Z", "2024-01-02T00:00:00Z"]
    assert {one["source"] for one in told} == {"aws.scheduler"}
    assert YEARS not in sim.inputs


def test_a_flexible_window_delays_within_it_and_tells_the_time_that_was_meant(system: Callable[..., Simulator]) -> None:
    sim = system("queued")
    sim.run_until_idle(at_most=5 * HOUR - 1)
    called = [at % HOUR for at, _ in ends(sim, "rule")]
    assert len(called) == 5
    assert len(set(called)) == 5
    assert all(0 <= at < 900 for at in called)
    bodies = [json.loads(message.body) for message in sim.queues["shop-worker-mailbox"]]
    assert bodies == [{"due": f"2024-01-01T{hour:02}:00:00Z"} for hour in range(5)]


def test_a_one_time_schedule_calls_once(system: Callable[..., Simulator]) -> None:
    sim = system("archived")
    sim.run_until_idle(at_most=10 * 24 * HOUR)
    assert ends(sim, "rule") == [(54 * HOUR, "shop-worker-archived")]
    assert len(sim.inputs[YEARS]) == 1


def test_what_a_schedule_sends_may_be_lost_behind_its_target(system: Callable[..., Simulator]) -> None:
    def edit(resources: Resources) -> None:
        (name,) = [name for name in resources["aws_iam_role_policy"] if "worker_years_role-policy" in name]
        policy = resources["aws_iam_role_policy"][name]
        policy["policy"] = policy["policy"].replace("s3:PutObject", "s3:PutObjectTagging")

    sim = system("archived", edit=edit)
    sim.run_until_idle(at_most=10 * 24 * HOUR)
    assert len(sim.inputs[YEARS]) == 1
    (lost,) = sim.trace().of("lost")
    assert (lost.place, "may not s3:PutObject" in lost.words) == (YEARS, True)


def test_a_run_without_an_end_calls_nothing(system: Callable[..., Simulator]) -> None:
    sim = system()
    sim.run_until_idle()
    assert ends(sim, "rule") == []


def test_context_attributes_are_filled_in(system: Callable[..., Simulator]) -> None:
    words = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number", "unknown")

    def edit(resources: Resources) -> None:
        target(resources, "queued")["input"] = json.dumps({word: f"<aws.scheduler.{word}>" for word in words})

    sim = system("queued", edit=edit)
    sim.faults.append(Fault("throttle", "shop-worker-queued", times=2))
    sim.run_until_idle(at_most=HOUR - 1)
    (message,) = sim.queues["shop-worker-mailbox"]
    (called,) = sim.trace().of("rule")
    assert json.loads(message.body) == {
        "schedule-arn": f"arn:aws:scheduler:{PLACE}:schedule/shop-worker-schedules/shop-worker-queued",
        "scheduled-time": "2024-01-01T00:00:00Z",
        "execution-id": called.data["id"],
        "attempt-number": "3",
        "unknown": "<aws.scheduler.unknown>",
    }


def test_what_stays_away_too_long_is_a_dead_letter_with_what_scheduler_says_of_it(
    system: Callable[..., Simulator],
) -> None:
    sim = system(
        "queued",
        edit=lambda resources: target(resources, "queued").update(retry_policy=[{"maximum_retry_attempts": 2}]),
    )
    sim.faults.append(Fault("throttle", "shop-worker-queued"))
    sim.run_until_idle(at_most=HOUR - 1)
    (message,) = sim.queues["shop-worker-queued-dead-letters"]
    (called,) = sim.trace().of("rule")
    assert json.loads(message.body) == {"due": "2024-01-01T00:00:00Z"}
    assert message.attributes == {
        "ERROR_CODE": "ThrottlingException",
        "ERROR_MESSAGE": "throttle by a fault",
        "EXECUTION_ID": called.data["id"],
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "2",
        "SCHEDULED_TIME": "2024-01-01T00:00:00Z",
        "SCHEDULE_ARN": f"arn:aws:scheduler:{PLACE}:schedule/shop-worker-schedules/shop-worker-queued",
        "TARGET_ARN": f"arn:aws:sqs:{PLACE}:shop-worker-mailbox",
    }


def without(text: str) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        policy = role(resources, "aws_iam_role_policy", "queued")
        document = json.loads(policy["policy"])
        document["Statement"] = [one for one in document["Statement"] if one["Sid"] != text]
        policy["policy"] = json.dumps(document)

    return edit


def of_rules(resources: Resources) -> None:
    trust = role(resources, "aws_iam_role", "queued")
    trust["assume_role_policy"] = trust["assume_role_policy"].replace("scheduler.amazonaws.com", "events.amazonaws.com")


def of_another_group(resources: Resources) -> None:
    schedule(resources, "queued")["group_name"] = "default"


WRONG: dict[str, tuple[Callable[[Resources], object], str, str]] = {
    "another principal": (of_rules, "BB221", "lost"),
    "another group": (of_another_group, "BB221", "lost"),
    "no permission for the target": (without("Call"), "BB221", "dead-lettered"),
    "no permission for the dead letters": (without("Fail"), "BB223", "delivered"),
    "no dead-letter queue": (
        lambda resources: target(resources, "queued").pop("dead_letter_config"),
        "BB222",
        "delivered",
    ),
    "a target that is not there": (
        lambda resources: target(resources, "queued").update(arn=f"arn:aws:sqs:{PLACE}:gone"),
        "BB221",
        "dead-lettered",
    ),
    "a target of no service of templates": (
        lambda resources: target(resources, "queued").update(arn=f"arn:aws:logs:{PLACE}:log-group:x"),
        "BB221",
        "dead-lettered",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_a_finding_and_ends_as_it_says(name: str, system: Callable[..., Simulator]) -> None:
    edit, rule, end = WRONG[name]
    sim = system("queued", edit=edit)
    assert rule in {finding.rule for finding in sim.all_findings if "queued" in finding.address}
    sim.run_until_idle(at_most=HOUR - 1)
    ((_, place),) = ends(sim, end)
    assert place == {"dead-lettered": "shop-worker-queued-dead-letters"}.get(end, "shop-worker-mailbox")


def test_a_schedule_that_is_switched_off_is_a_finding(system: Callable[..., Simulator]) -> None:
    sim = system("queued")
    assert sum(finding.rule == "BB224" for finding in sim.all_findings) == len(NAMES) - 1


def test_events_are_put_on_a_bus_as_the_role_and_universal_targets_are_recorded(
    system: Callable[..., Simulator],
) -> None:
    bus = "arn:aws:events:eu-west-1:222222222222:event-bus/default"
    universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"

    def edit(resources: Resources) -> None:
        target(resources, "queued").update(arn=bus, eventbridge_parameters=[{"source": "shop", "detail_type": "Night"}])
        target(resources, "stepped").update(arn=universal, input='{"QueueUrl": "q", "MessageBody": "m"}')
        policy = role(resources, "aws_iam_role_policy", "queued")
        policy["policy"] = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": ["events:PutEvents", "sqs:SendMessage"], "Resource": "*"}],
            }
        )

    sim = system("queued", "stepped", edit=edit)
    sim.run_until_idle(at_most=HOUR - 1)
    (put,) = sim.trace().of("put")
    assert (put.data["source"], put.data["detail_type"]) == ("shop", "Night")
    assert put.payload["detail"] == {"due": "2024-01-01T00:00:00Z"}
    assert sim.inputs[universal] == ['{"QueueUrl": "q", "MessageBody": "m"}']


def test_a_reload_goes_on_with_what_waits_for_another_attempt(system: Callable[..., Simulator]) -> None:
    before = system("queued")
    before.faults.append(Fault("throttle", "shop-worker-queued", times=1))
    while not before.trace().of("retry"):
        before.run_until_idle(at_most=0.1)
    assert before.queues["shop-worker-mailbox"] == []
    after = system("queued")
    after.take_over(before)
    after.faults.clear()
    after.run_until_idle(at_most=60)
    assert len(after.queues["shop-worker-mailbox"]) == 1


def test_a_schedule_is_on_the_map_with_an_edge_to_what_it_calls(system: Callable[..., Simulator]) -> None:
    sim = system("queued")
    sim.run_until_idle(at_most=HOUR - 1)
    found = Map(sim.system)
    places = found.as_json()["places"]
    (called,) = sim.trace().of("rule")
    number = found.place_of(called)
    assert number is not None
    assert (places[number]["name"], places[number]["words"]) == ("shop-worker-queued", "schedule rate(1 hour)")
    to = [places[end]["name"] for begin, end in found.edges if begin == number]
    assert to == ["shop-worker-mailbox"]
    assert [one["failures"] for one in places if one["name"] == "shop-worker-queued-dead-letters"] == [True]
