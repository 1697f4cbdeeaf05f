"""What holds for every system and whatever goes wrong: nothing vanishes, nothing comes back, and runs repeat."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.simulator import Fault, Simulator
from backbone.system.model import Queue, Rule
from backbone.trace import Node
from tests.aws.systems import Terraform

DAY = 86_400

FLAKY = """import json, random
def handle(event, context):
    marks = [json.loads(record["body"]) for record in event["Records"]] if "Records" in event else [event]
    if random.random() < LUCK:
        raise ValueError("bad luck")
    print(json.dumps([one["detail"]["mark"] for one in marks]))
"""

TARGETS = (
    "queue:inbox",
    "queue:jobs",
    "queue:slow",
    "queue:line.fifo",
    "function:f",
    "bus:local",
    "stream:clicks",
    "log:all",
)
KINDS = ("throttle", "deny", "timeout", "crash", "duplicate", "delay", "reorder")

targets = st.fixed_dictionaries(
    {"to": st.sampled_from(TARGETS)},
    optional={
        "dead_letters": st.just("letters"),
        "retry_policy": st.just([{"maximum_event_age_in_seconds": 60, "maximum_retry_attempts": 1}]),
    },
)
rules = st.fixed_dictionaries(
    {
        "bus": st.sampled_from(["default", "hub"]),
        "to": st.lists(targets, min_size=1, max_size=3),
        "pattern": st.sampled_from(
            [{"source": [{"prefix": ""}]}, {"source": ["shop"]}, {"detail": {"size": ["large"]}}]
        ),
    }
)
faults = st.builds(
    Fault,
    kind=st.sampled_from(KINDS),
    target=st.sampled_from(["*", "inbox", "jobs", "f", "local", "*letters*", "rule-0"]),
    begin=st.sampled_from([0.0, 30.0]),
    end=st.sampled_from([10.0, 3600.0, float("inf")]),
    times=st.sampled_from([1.0, 5.0, float("inf")]),
)
events = st.lists(
    st.tuples(st.sampled_from(["shop", "other"]), st.sampled_from(["default", "hub", "nowhere"]), st.booleans()),
    min_size=1,
    max_size=4,
)


@st.composite
def systems(draw: st.DrawFn) -> dict[str, Any]:
    """A system with buses in two accounts, queues of every kind, a function, a stream and a log."""
    listed: list[dict[str, Any]] = draw(st.lists(rules, min_size=1, max_size=3))
    for rule in listed:
        rule["to"] = [with_group(target) for target in rule["to"]]
    local = draw(st.sampled_from(["queue:mine", "function:f"]))
    luck = draw(st.sampled_from([0.0, 0.5, 1.0]))
    reads = {
        "from": "queue:jobs",
        "batch_size": draw(st.sampled_from([1, 10])),
        "enabled": draw(st.sampled_from([True, True, False])),
    }
    return {
        "bus": {"hub": {}, "local": {}},
        "queue": {
            "inbox": {"message_retention_seconds": draw(st.sampled_from([60, 14 * DAY]))},
            "jobs": draw(st.sampled_from([{}, {"dead_letters": "letters", "max_receives": 2}])),
            "letters": {"message_retention_seconds": 14 * DAY},
            "slow": {"delay_seconds": 20, "max_message_size": 1024},
            "line.fifo": {"fifo_queue": True, "content_based_deduplication": True},
            "mine": {},
        },
        "stream": {"clicks": {}},
        "log": {"all": {}},
        "function": {
            "f": {
                "code": FLAKY.replace("LUCK", str(luck)),
                "timeout": 5,
                "reads": reads,
                "retries": draw(st.sampled_from([{}, {"to": {"on_failure": "queue:letters"}}])),
            }
        },
        "rule": {f"rule-{number}": rule for number, rule in enumerate(listed)}
        | {"local": {"bus": "local", "to": [local]}},
    }


def with_group(target: dict[str, Any]) -> dict[str, Any]:
    return target | {"sqs_target": [{"message_group_id": "g"}]} if target["to"].endswith(".fifo") else target


def entries(given: list[tuple[str, str, bool]]) -> list[dict[str, Any]]:
    return [
        {
            "Source": source,
            "DetailType": "T",
            "EventBusName": bus,
            "Detail": json.dumps(
                {"mark": f"mark-{number}-", "size": "large" if large else "small", "text": "x" * 1000 * large}
            ),
        }
        for number, (source, bus, large) in enumerate(given)
    ]


@settings(max_examples=60)
@given(system=systems(), faulty=st.lists(faults, max_size=2), given=events, seed=st.integers(0, 3))
def test_every_event_has_an_end(
    system: dict[str, Any], faulty: list[Fault], given: list[tuple[str, str, bool]], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Terraform(system).write(Path(folder))
        with Simulator.load(path, faults=faulty, seed=seed) as sim:
            answer = sim.put_events(entries(given), caller="a")
            sim.run_until_idle()
            for number, result in enumerate(answer["Entries"]):
                if "ErrorCode" not in result:
                    (root,) = sim.trace(result["EventId"]).roots
                    assert list(without_end(sim, root, f"mark-{number}-")) == []
            reads = system["function"]["f"]["reads"]
            if reads["enabled"] and "if random.random() < 0.0" in system["function"]["f"]["code"] and not faulty:
                assert "jobs" not in [node.place for node in sim.trace().lost], "what the function did is deleted"


def without_end(sim: Simulator, root: Node, mark: str) -> Iterator[Node]:
    """The nodes of an event after which nothing is known of it."""
    for node in root.walk():
        if node.kind == "rule":
            rule = next(rule for rule in sim.system.of(Rule) if rule.address == node.data["address"])
            if sum(child.kind != "retry" for child in node.children) < len(rule.targets):
                yield node
        elif node.kind in ("delivered", "dead-lettered") and not has_end(sim, node, mark):
            yield node


def has_end(sim: Simulator, node: Node, mark: str) -> bool:
    if any(after.kind in ("lost", "dropped", "dead-lettered") for child in node.children for after in child.walk()):
        return True
    kept = {name: any(mark in message.body for message in messages) for name, messages in sim.queues.items()}
    done = any(mark in after.data["printed"] for after in sim.trace().of("invoked"))
    if node.place == "jobs":
        return kept["jobs"] or kept["letters"] or done
    if node.place in kept:
        return kept[node.place]
    if node.place == "f":
        return done
    if node.place == "clicks":
        return any(mark in json.dumps(data) for _, data in sim.streams["clicks"])
    if node.place == "all":
        return any(mark in json.dumps(entry) for entry in sim.logs["all"])
    return node.place == "local" and bool(node.children)


@settings(max_examples=40)
@given(
    system=systems(),
    faulty=st.lists(faults, max_size=2),
    given=events,
    waits=st.lists(st.sampled_from([1, 31, 300, 3600, DAY, 5 * DAY]), min_size=2, max_size=6),
)
def test_what_is_deleted_stays_deleted(
    system: dict[str, Any], faulty: list[Fault], given: list[tuple[str, str, bool]], waits: list[float]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Terraform(system).write(Path(folder))
        with Simulator.load(path, faults=faulty) as sim:
            sim.put_events(entries(given), caller="a")
            gone: set[tuple[str, str]] = set()
            before: set[tuple[str, str]] = set()
            for wait in waits:
                sim.run_until_idle(at_most=wait)
                now = {(name, message.id) for name, messages in sim.queues.items() for message in messages}
                assert len({message_id for _, message_id in now}) == len(now), "a message is in two queues"
                assert not now & gone
                gone |= before - now
                before = now
                retention = {queue.name: queue.retention_seconds for queue in sim.system.of(Queue)}
                for name, messages in sim.queues.items():
                    assert all(sim.now - message.sent_at < retention[name] for message in messages)


@settings(max_examples=25)
@given(system=systems(), faulty=st.lists(faults, max_size=2), given=events, seed=st.integers(0, 3))
def test_the_same_seed_gives_the_same_trace(
    system: dict[str, Any], faulty: list[Fault], given: list[tuple[str, str, bool]], seed: int
) -> None:
    def run(path: Path) -> str:
        again = [Fault(one.kind, one.target, one.begin, one.end, one.times) for one in faulty]
        with Simulator.load(path, faults=again, seed=seed) as sim:
            sim.put_events(entries(given), caller="a")
            trace = sim.run_until_idle().as_json()
            messages = {name: [(one.id, one.body) for one in found] for name, found in sim.queues.items()}
            return json.dumps([trace, messages, sim.logs, sim.streams])

    with tempfile.TemporaryDirectory() as folder:
        path = Terraform(system).write(Path(folder))
        assert run(path) == run(path)
