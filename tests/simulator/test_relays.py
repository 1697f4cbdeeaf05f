"""Relays: events of AWS services on their way from an account's default bus to everybody, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.simulator import Fault, Simulator, SimulatorError
from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import parse
from tests.aws.systems import Terraform

TEXT = """
name: shop
region: eu-west-1
accounts: {bus: {id: "111111111111"}, media: {id: "222222222222"}, thumbs: {id: "333333333333"}}
bus: {account: bus}
services:
  media:
    account: media
    publishes: [Upload.Received]
    relays:
      uploads: {pattern: {source: [aws.s3], detail-type: [Object Created]}, publishes: Upload.Received}
  thumbs: {account: thumbs, subscribes: [Upload.Received]}
"""
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "account": "222222222222",
    "time": "2023-11-12T00:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:s3:::amzn-s3-demo-bucket1"],
    "detail": {"bucket": {"name": "amzn-s3-demo-bucket1"}, "object": {"key": "a.png", "size": 5}},
}
RECEIVED, RELAY = "/aws/events/shop-thumbs", "shop-media-relay-uploads"
FUNCTION = f"*function:{RELAY}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("relays")
    output.synth(parse(TEXT), made)
    return made


@pytest.fixture
def load(folder: Path) -> Iterator[Callable[..., Simulator]]:
    made: list[Simulator] = []

    def of(*faults: str) -> Simulator:
        made.append(Simulator.load(folder, faults=[Fault.parse(fault) for fault in faults]))
        return made[-1]

    yield of
    for one in made:
        one.close()


def keys(sim: Simulator) -> list[str]:
    return [event["detail"]["meta"]["idempotency_key"] for event in sim.logs[RECEIVED]]


def test_an_event_of_aws_is_published_as_one_of_the_service(load: Callable[..., Simulator]) -> None:
    sim = load()
    assert sim.findings == []
    assert sim.put_aws_event(EVENT, account="media") == EVENT["id"]
    trace = sim.run_until_idle()
    assert sim.problems(expect={"Object Created": 1, "Upload.Received": 1}) == []
    (received,) = sim.logs[RECEIVED]
    assert received["source"] == "media"
    assert (received["account"], received["time"], received["resources"]) == (
        "222222222222",
        EVENT["time"],
        EVENT["resources"],
    )
    meta = {"correlation_id": EVENT["id"], "causation_id": EVENT["id"], "version": 1, "idempotency_key": EVENT["id"]}
    assert received["detail"] == {"data": EVENT, "meta": meta}
    assert trace.delivered_to("Object Created") == [f"{RELAY}-buffer"]


@pytest.mark.parametrize(
    ("event", "account"),
    [
        ({**EVENT, "detail-type": "Object Deleted"}, "media"),
        ({**EVENT, "source": "aws.ecs"}, "media"),
        (EVENT, "thumbs"),
    ],
)
def test_what_no_relay_asks_for_goes_nowhere(
    load: Callable[..., Simulator], event: dict[str, Any], account: str
) -> None:
    sim = load()
    sim.put_aws_event(event, account=account)
    assert [node.kind for node in sim.run_until_idle()] == ["put"]


@pytest.mark.parametrize(
    "event",
    [
        {**EVENT, "source": "media"},
        {**EVENT, "source": "awsome"},
        {**EVENT, "source": None},
        {**EVENT, "detail": "text"},
        {key: value for key, value in EVENT.items() if key != "detail-type"},
    ],
)
def test_what_is_no_event_of_aws(load: Callable[..., Simulator], event: dict[str, Any]) -> None:
    with pytest.raises(SimulatorError, match=r"an AWS service|an event of AWS"):
        load().put_aws_event(event, account="media")
    with pytest.raises(SimulatorError, match="caller: got 'nobody'; allowed: "):
        load().put_aws_event(EVENT, account="nobody")


@pytest.mark.parametrize("bus", ["default", "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"])
@pytest.mark.parametrize("caller", ["media", "bus", RELAY])
def test_nobody_puts_events_of_aws(load: Callable[..., Simulator], caller: str, bus: str) -> None:
    entry = {"Source": "aws.s3", "DetailType": "Object Created", "Detail": "{}", "EventBusName": bus}
    (answer,) = load().put_events([entry], caller=caller)["Entries"]
    assert answer["ErrorCode"] == "NotAuthorizedForSourceException"


@pytest.mark.parametrize(
    ("faults", "copies"),
    [
        ([f"duplicate:{RELAY}%1"], 2),
        ([f"crash-after:{RELAY}/PutEvents%1"], 2),
        ([f"crash-before:{RELAY}/PutEvents%1"], 1),
        ([f"timeout:{FUNCTION}%2"], 1),
        ([f"throttle:{RELAY}-buffer%3"], 1),
        (["throttle:shop-global@0-600"], 1),
        ([f"duplicate:{RELAY}%1", f"crash-after:{RELAY}/PutEvents%1", f"throttle:{FUNCTION}%2"], 3),
    ],
)
def test_nothing_is_lost_and_copies_are_known_as_such(
    load: Callable[..., Simulator], faults: list[str], copies: int
) -> None:
    sim = load(*faults)
    sim.put_aws_event(EVENT, account="media")
    trace = sim.run_until_idle()
    assert sim.problems(allow=["failed", "refused"]) == []
    assert trace.lost == []
    assert keys(sim) == [EVENT["id"]] * copies


@pytest.mark.parametrize(
    ("fault", "queue"),
    [
        (f"deny:{RELAY}-buffer", f"{RELAY}-dead-letters"),
        (f"timeout:{FUNCTION}", f"{RELAY}-buffer-dead-letters"),
        ("deny:shop-global", f"{RELAY}-failures"),
        ("throttle:shop-global", f"{RELAY}-failures"),
    ],
)
def test_what_cannot_be_relayed_is_kept_and_goes_on_later(
    load: Callable[..., Simulator], fault: str, queue: str
) -> None:
    sim = load(fault)
    sim.put_aws_event(EVENT, account="media")
    assert sim.run_until_idle().lost == []
    assert {name: len(messages) for name, messages in sim.queues.items() if messages} == {queue: 1}
    sim.faults.clear()
    assert sim.redrive(queue) == 1
    assert sim.run_until_idle().lost == []
    assert keys(sim) == [EVENT["id"]]
    assert not any(sim.queues.values())


def test_an_event_as_large_as_its_queue_takes_is_relayed(load: Callable[..., Simulator]) -> None:
    sim = load()
    sim.put_aws_event({**EVENT, "detail": {"text": "x" * 261_600}}, account="media")
    assert sim.run_until_idle().published("Upload.Received") == 1
    assert len(sim.logs[RECEIVED][0]["detail"]["data"]["detail"]["text"]) == 261_600


@settings(max_examples=15)
@given(
    events=st.lists(
        st.tuples(st.sampled_from(["Object Created", "Object Deleted"]), st.sampled_from(["media", "bus"])), max_size=12
    ),
    seed=st.integers(0, 1_000),
)
def test_what_arrives_is_what_is_declared(folder: Path, events: list[tuple[str, str]], seed: int) -> None:
    faults = [Fault.parse(f"duplicate:{RELAY}%2"), Fault.parse(f"crash-after:{RELAY}/PutEvents%1")]
    with Simulator.load(folder, seed=seed, faults=faults) as sim:
        ids = [
            sim.put_aws_event({**EVENT, "id": "", "detail-type": detail_type}, account=account)
            for detail_type, account in events
        ]
        assert sim.run_until_idle().lost == []
        wanted = [one for one, event in zip(ids, events, strict=True) if event == ("Object Created", "media")]
        assert set(keys(sim)) == set(wanted)
        assert len(keys(sim)) <= len(wanted) + 3 * len(faults) * 10  # a crash gives a batch again


def test_events_of_aws_do_not_get_from_bus_to_bus_to_a_third_account(tmp_path: Path) -> None:
    """What a relay is for: a default bus that forwards to the hub gets its events there, and no further."""
    described = {
        "bus": {"default": {"account": "a"}, "hub": {"account": "b"}, "local": {"account": "c"}},
        "log": {"arrived": {"account": "b"}},
        "queue": {"letters": {"account": "b"}},
        "rule": {
            "to-hub": {"account": "a", "to": [{"to": "bus:hub", "account": "b"}]},
            "to-local": {
                "account": "b",
                "bus": "hub",
                "to": ["log:arrived", {"to": "bus:local", "account": "c", "dead_letters": "letters"}],
            },
        },
    }
    with Simulator(read(Terraform(described).write(tmp_path))) as sim:
        sim.put_aws_event(EVENT, account="a")
        trace = sim.run_until_idle()
        assert [event["id"] for event in sim.logs["arrived"]] == [EVENT["id"]]
        assert trace.delivered_to() == ["hub", "arrived"]
        (letter,) = sim.queues["letters"]
        assert letter.attributes["ERROR_CODE"] == "THIRD_ACCOUNT_HOP_DETECTED"


def test_a_key_that_the_stacks_make_lets_the_relays_queues_be_used(tmp_path: Path) -> None:
    output.synth(parse(f"{TEXT}kms_key: create\n"), tmp_path)
    with Simulator.load(tmp_path) as sim:
        assert sim.findings == []
        sim.put_aws_event(EVENT, account="media")
        assert sim.run_until_idle().lost == []
        assert keys(sim) == [EVENT["id"]]
    file = tmp_path / "stacks" / "backbone" / "cdk.tf.json"
    text = file.read_text()
    assert "rule/shop-media-relay-uploads" in text
    file.write_text(text.replace("rule/shop-media-relay-uploads", "rule/shop-media-relay-other"))
    assert {finding.rule for finding in read(tmp_path).findings if finding.severity != "note"} == {"BB504"}
