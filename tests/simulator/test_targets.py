"""What rules deliver to beside functions, queues and streams: what arrives, what is recorded, what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import load
from tests.conftest import TOPOLOGIES

Resources = dict[str, dict[str, dict[str, Any]]]
PLACE = "eu-west-1:222222222222"
MACHINE = f"arn:aws:states:{PLACE}:stateMachine:shop-worker-steps"
YEARS = f"arn:aws:firehose:{PLACE}:deliverystream/shop-worker-years"
CLUSTER = f"arn:aws:ecs:{PLACE}:cluster/jobs"
ROUTE = f"arn:aws:execute-api:{PLACE}:a1b2c3d4e5/live/POST/tasks/*/asked"
ROLE, TARGET = "aws_iam_role_policy", "aws_cloudwatch_event_target"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("everything")
    output.synth(load(TOPOLOGIES / "everything.yaml"), made)
    return made


@pytest.fixture
def system(folder: Path) -> Iterator[Callable[..., Simulator]]:
    """The topology with everything, after an edit of its resources."""
    made: list[Simulator] = []
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    text = file.read_text()

    def of(edit: Callable[[Resources], object] | None = None) -> Simulator:
        document = json.loads(text)
        if edit is not None:
            edit(document["resource"])
        file.write_text(json.dumps(document))
        made.append(Simulator(read(folder)))
        return made[-1]

    yield of
    file.write_text(text)
    for one in made:
        one.close()


def ask(sim: Simulator, **detail: str) -> dict[str, Any]:
    bus = sim.system.hubs[0].arn
    entry = {"Source": "asker", "DetailType": "Work.Asked", "Detail": detail or {"id": "w-1"}, "EventBusName": bus}
    sim.put_events([entry], caller="bus")
    sim.run_until_idle()
    (event,) = sim.logs["/aws/events/work.events"]
    found: dict[str, Any] = event
    return found


def body(resources: Resources, kind: str, part: str) -> dict[str, Any]:
    (found,) = [body for name, body in resources[kind].items() if part in name]
    return found


def gone(kind: str, part: str) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        (name,) = [name for name in resources[kind] if part in name]
        del resources[kind][name]

    return edit


def replaced(kind: str, part: str, key: str, before: str, after: str) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        found = body(resources, kind, part)
        assert before in found[key]
        found[key] = found[key].replace(before, after)

    return edit


def test_what_is_not_run_is_recorded_with_its_exact_input(system: Callable[..., Simulator]) -> None:
    sim = system()
    assert sim.findings == []
    event = ask(sim)
    assert json.loads(sim.inputs[MACHINE][0]) == event
    assert json.loads(sim.inputs[YEARS][0]) == event
    assert json.loads(sim.inputs[ROUTE][0]) == event
    variables = [{"name": "WORK_ID", "value": "w-1"}]
    assert json.loads(sim.inputs[CLUSTER][0]) == {"containerOverrides": [{"environment": variables, "name": "report"}]}
    told = [node for node in sim.trace().of("delivered") if node.data["target"] == "target"]
    assert {node.place for node in told} == {MACHINE, YEARS, ROUTE, CLUSTER}
    assert {node.words for node in told} == {"not simulated: what becomes of it there"}
    assert {node.data["input"] for node in told} == {text for (text,) in sim.inputs.values()}
    assert {one.rule for one in sim.all_findings if "not simulated: what becomes of events" in str(one)} == {"BB190"}


def test_a_value_that_a_task_is_given_stays_one_text(system: Callable[..., Simulator]) -> None:
    sim = system()
    ask(sim, id='a "quoted" <id>\n\\')
    (given,) = sim.inputs[CLUSTER]
    assert json.loads(given)["containerOverrides"][0]["environment"][0]["value"] == 'a "quoted" <id>\n\\'


def with_a_task_definition(resources: Resources) -> None:
    roles = {
        "execution_role_arn": "arn:aws:iam::222222222222:role/report-execution",
        "task_role_arn": "arn:aws:iam::222222222222:role/report-task",
    }
    container = json.dumps([{"name": "report", "image": "report:3", "memory": 128}])
    definition = {"provider": "aws.worker", "family": "report", "container_definitions": container, **roles}
    resources["aws_ecs_task_definition"] = {"report": definition}
    body(resources, TARGET, "reported")["ecs_target"]["task_definition_arn"] = "${aws_ecs_task_definition.report.arn}"
    replaced(ROLE, "reported_role", "policy", "report:3", "report:1")(resources)


def test_a_task_needs_its_roles_passed(system: Callable[..., Simulator]) -> None:
    sim = system(with_a_task_definition)
    assert sim.findings == []
    ask(sim)
    assert len(sim.inputs[CLUSTER]) == 1


@pytest.mark.parametrize("role", ["report-execution", "report-task"])
def test_a_task_whose_role_may_not_be_passed(system: Callable[..., Simulator], role: str) -> None:
    def edit(resources: Resources) -> None:
        with_a_task_definition(resources)
        replaced(ROLE, "reported_role", "policy", f"role/{role}", "role/other")(resources)

    sim = system(edit)
    (found,) = [str(finding) for finding in sim.all_findings if finding.rule == "BB201"]
    assert "iam:PassRole" in found
    assert role in found
    ask(sim)
    assert CLUSTER not in sim.inputs
    assert len(sim.queues["shop-worker-reported-dead-letters"]) == 1


def without_trust(resources: Resources) -> None:
    """The task's role is there, and assumed by functions only."""
    with_a_task_definition(resources)
    statement = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust = json.dumps({"Statement": [statement], "Version": "2012-10-17"})
    resources["aws_iam_role"]["task"] = {"provider": "aws.worker", "name": "report-task", "assume_role_policy": trust}


@pytest.mark.parametrize(
    ("edit", "place", "words"),
    [
        (
            replaced(ROLE, "worker_years_role-policy", "policy", "s3:PutObject", "s3:PutObjectTagging"),
            YEARS,
            "may not s3:PutObject on arn:aws:s3:::shop-worker-years-222222222222-eu-west-1",
        ),
        (
            replaced("aws_s3_bucket_policy", "years", "policy", '"false"', '"true"'),
            YEARS,
            "may not s3:GetBucketLocation",
        ),
        (
            replaced("aws_iam_role", "steps_role", "assume_role_policy", "states.", "events."),
            MACHINE,
            "does not trust states.amazonaws.com",
        ),
        (without_trust, CLUSTER, "task_role_arn: report-task does not trust ecs-tasks.amazonaws.com"),
    ],
)
def test_what_is_lost_behind_a_target(
    system: Callable[..., Simulator], edit: Callable[[Resources], None], place: str, words: str
) -> None:
    """EventBridge counts it as delivered."""
    sim = system(edit)
    assert [words in str(finding) for finding in sim.all_findings if finding.rule == "BB211"] == [True]
    ask(sim)
    assert len(sim.inputs[place]) == 1
    (lost,) = sim.trace().of("lost")
    assert (lost.place, words in lost.words) == (place, True)


def test_a_topic_gives_what_it_gets_to_all_its_subscribers(system: Callable[..., Simulator]) -> None:
    sim = system()
    event = ask(sim)
    assert [json.loads(message) for message in sim.topics["shop-worker-topic"]] == [event]
    bodies = [json.loads(message.body) for message in sim.queues["shop-worker-mailbox"]]
    assert bodies == [event, event], "once from the rule, and once over the topic without an envelope"
    (told,) = [node for node in sim.trace().of("delivered") if node.words and node.data["target"] == "function"]
    assert (told.place, told.words) == ("shop-worker-work", "from the topic shop-worker-topic")
    assert [node.kind for node in told.children] == ["invoked"]


def test_without_raw_delivery_a_queue_gets_an_envelope(system: Callable[..., Simulator]) -> None:
    sim = system(lambda found: body(found, "aws_sns_topic_subscription", "mailbox").pop("raw_message_delivery"))
    event = ask(sim)
    envelopes = [json.loads(message.body) for message in sim.queues["shop-worker-mailbox"]]
    (envelope,) = [one for one in envelopes if one.get("Type") == "Notification"]
    assert json.loads(envelope["Message"]) == event
    assert envelope["TopicArn"] == f"arn:aws:sns:{PLACE}:shop-worker-topic"


@pytest.mark.parametrize(
    ("policy", "scope", "arrives"),
    [
        ('{"detail": {"id": ["w-1"]}}', "MessageBody", True),
        ('{"detail": {"id": ["w-2"]}}', "MessageBody", False),
        ('{"store": ["example"]}', "MessageAttributes", False),
        ('{"store": [{"exists": false}]}', "MessageAttributes", True),
    ],
)
def test_a_subscription_with_a_filter(system: Callable[..., Simulator], policy: str, scope: str, arrives: bool) -> None:
    more = {"filter_policy": policy, "filter_policy_scope": scope}
    sim = system(lambda found: body(found, "aws_sns_topic_subscription", "mailbox").update(more))
    ask(sim)
    assert len(sim.queues["shop-worker-mailbox"]) == 1 + arrives
    assert len(sim.trace().of("filtered")) == (not arrives)


@pytest.mark.parametrize(
    ("edit", "arn", "code"),
    [
        (gone(ROLE, "services_worker_started_role"), MACHINE, "NO_PERMISSIONS"),
        (replaced(ROLE, "started_role", "policy", "StartExecution", "StopExecution"), MACHINE, "NO_PERMISSIONS"),
        (replaced("aws_iam_role", "started_role", "assume_role_policy", "events.", "states."), MACHINE, "ASSUME_ROLE"),
        (lambda found: body(found, TARGET, "worker_started").pop("role_arn"), MACHINE, "ASSUME_ROLE"),
        (gone(ROLE, "kept-for-years_role"), YEARS, "NO_PERMISSIONS"),
        (replaced(ROLE, "kept-for-years_role", "policy", '"firehose:PutRecord",', ""), YEARS, "NO_PERMISSIONS"),
        (replaced(ROLE, "kept-for-years_role", "policy", ',"firehose:PutRecordBatch"', ""), YEARS, "NO_PERMISSIONS"),
        (replaced(ROLE, "reported_role", "policy", "report:3", "report:2"), CLUSTER, "NO_PERMISSIONS"),
        (replaced(ROLE, "reported_role", "policy", "cluster/jobs", "cluster/other"), CLUSTER, "NO_PERMISSIONS"),
        (replaced(ROLE, "called_role", "policy", "/live/", "/test/"), ROUTE, "NO_PERMISSIONS"),
    ],
)
def test_a_role_that_may_not_is_a_finding_and_a_dead_letter(
    system: Callable[..., Simulator], edit: Callable[[Resources], object], arn: str, code: str
) -> None:
    sim = system(edit)
    (found,) = [str(finding) for finding in sim.all_findings if finding.rule == "BB201"]
    assert code in found
    ask(sim)
    assert arn not in sim.inputs
    (letter,) = [
        message for messages in sim.queues.values() for message in messages if "ERROR_CODE" in message.attributes
    ]
    assert letter.attributes["TARGET_ARN"] == arn
    assert code in letter.attributes["ERROR_CODE"]


TOPIC_POLICY, QUEUE_POLICY = "aws_sns_topic_policy", "aws_sqs_queue_policy"


@pytest.mark.parametrize(
    ("edit", "rule", "queue"),
    [
        (gone(TOPIC_POLICY, "topic"), "BB201", "shop-worker-spread-dead-letters"),
        (
            replaced(TOPIC_POLICY, "topic", "policy", "worker_spread", "worker_plain"),
            "BB201",
            "shop-worker-spread-dead-letters",
        ),
        (
            replaced(QUEUE_POLICY, "mailbox_policy", "policy", "sns.amazonaws.com", "s3.amazonaws.com"),
            "BB209",
            "shop-worker-topic-dead-letters",
        ),
        (gone("aws_lambda_permission", "topic_worker-permission"), "BB209", "shop-worker-topic-dead-letters"),
    ],
)
def test_what_a_topic_lacks_is_a_finding_and_a_dead_letter(
    system: Callable[..., Simulator], edit: Callable[[Resources], object], rule: str, queue: str
) -> None:
    sim = system(edit)
    assert rule in {finding.rule for finding in sim.all_findings}
    ask(sim)
    assert len(sim.queues[queue]) == 1


def test_a_subscriber_without_dead_letters_loses_what_it_may_not_get(system: Callable[..., Simulator]) -> None:
    def edit(resources: Resources) -> None:
        gone("aws_lambda_permission", "topic_worker-permission")(resources)
        body(resources, "aws_sns_topic_subscription", "topic_worker").pop("redrive_policy")

    sim = system(edit)
    ask(sim)
    (lost,) = sim.trace().lost
    assert "has no permission for sns.amazonaws.com and this topic; there is no dead-letter queue" in lost.words


def test_a_dead_letter_queue_that_sns_may_not_send_to(system: Callable[..., Simulator]) -> None:
    sim = system(gone(QUEUE_POLICY, "topic_dead-letters"))
    assert [one.rule for one in sim.all_findings if one.rule.startswith("BB2")] == ["BB210", "BB210"]


@pytest.mark.parametrize("protocol", ["https", "email", "firehose"])
def test_other_subscribers_are_said_not_to_be_simulated(system: Callable[..., Simulator], protocol: str) -> None:
    def edit(resources: Resources) -> None:
        body(resources, "aws_sns_topic_subscription", "topic_worker").update(
            protocol=protocol, endpoint="https://a.example"
        )

    sim = system(edit)
    assert any(f"not simulated: what becomes of messages over {protocol}" in str(one) for one in sim.all_findings)
    ask(sim)
    (told,) = [node for node in sim.trace().of("delivered") if node.place == "https://a.example"]
    assert told.words == f"not simulated: what becomes of it over {protocol}"
