"""What AWS answers, asked of our code: recorded on AWS, documented by it, or inferred, each in a folder of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from backbone.errors import BackboneError
from backbone.patterns import Pattern, PatternError
from backbone.simulator import Fault, Simulator
from backbone.system.arguments import problems
from backbone.system.target_input import Delivered, Dropped, TargetInput, Transformer
from tests.aws.systems import Terraform, url
from tests.simulator.clients import client

FILES = {
    file: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(Path(__file__).parent.glob("*/*.yaml"))
}


def cases(kind: str) -> list[Any]:
    """The cases of a kind, each with what its file says for all of them."""
    return [
        pytest.param(read | case, id=f"{file.parent.name}: {case.get('name') or case.get('test') or file.stem}")
        for file, read in FILES.items()
        if read["kind"] == kind
        for case in read["cases"]
    ]


@pytest.mark.parametrize("case", cases("target-input"))
def test_target_input(case: dict[str, Any]) -> None:
    template = case.get("template")
    transformer = None if template is None else Transformer(template, case["paths"])
    asked = TargetInput(case.get("input"), case.get("input_path"), transformer)
    if "problem" in case:
        (problem,) = asked.problems()
        assert case["problem"] in problem
        return
    assert asked.problems() == []
    about = {name: case[name] for name in ("rule_arn", "rule_name", "ingestion_time")}
    sent = asked.of(case["event"] | case.get("change", {}), **about)
    if "nothing" in case:
        assert isinstance(sent, Dropped)
        return
    assert isinstance(sent, Delivered)
    if "text" in case:
        assert sent.text == case["text"]
    else:
        assert json.loads(sent.text) == case["json"]


@pytest.mark.parametrize("case", cases("pattern"))
def test_pattern(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(PatternError):
            Pattern.parse(case["pattern"])
        return
    event = json.loads(case["common"]) | json.loads(case["event"])
    assert Pattern.parse(case["pattern"]).matches(event) is case["matches"]


@pytest.mark.parametrize("case", cases("schedule"))
def test_schedule(case: dict[str, Any]) -> None:
    def told(expression: str) -> bool:
        return bool(problems("aws_cloudwatch_event_rule", {"name": "often", "schedule_expression": expression}))

    assert [expression for expression in case["refused"] if not told(expression)] == []
    assert [expression for expression in case["taken"] if told(expression)] == []


@pytest.mark.parametrize("case", cases("refusal"))
def test_refusal(case: dict[str, Any], tmp_path: Path) -> None:
    with Simulator.load(Terraform(case["system"], case.get("blocks")).write(tmp_path)) as sim:
        assert [finding for finding in sim.findings if re.search(case["finding"], finding)], sim.findings


@pytest.mark.parametrize("case", cases("system"))
def test_system(case: dict[str, Any], tmp_path: Path) -> None:
    known: dict[str, Any] = {}
    faults = [Fault.parse(text) for text in case.get("faults", ())]
    with Simulator.load(Terraform(case["system"], case.get("blocks")).write(tmp_path), faults=faults) as sim:
        for step in case["do"]:
            do(sim, step, known)
            sim.run_until_idle()
        check_findings(sim, case)
        check_trace(sim, case, known)
        check_state(sim, case, known)


def check_findings(sim: Simulator, case: dict[str, Any]) -> None:
    for words in case.get("noted", []):
        assert [found for found in sim.all_findings if found.rule == "BB190" and words in found.message]
    for pattern in case.get("not_found", []):
        assert not [found for found in sim.all_findings if re.match(pattern, f"{found.rule} {found}")]


def check_trace(sim: Simulator, case: dict[str, Any], known: dict[str, Any]) -> None:
    for kind, listed in case.get("trace", {}).items():
        for words, node in zip(listed, sim.trace().of(kind), strict=True):
            assert words in node.words
    lost = sim.trace().lost
    assert len(lost) == len(case.get("lost", [])), lost
    for words, node in zip(case.get("lost", []), lost, strict=True):
        assert words in node.words
    for function, events in case.get("invoked", {}).items():
        nodes = [node for node in sim.trace().of("invoked") if node.place == function]
        found = [read(node.data["printed"]) for node in nodes]
        assert like(events, found, known), f"{function}: {found}"
        if "at" in case:
            assert [node.at for node in nodes] == case["at"]


def check_state(sim: Simulator, case: dict[str, Any], known: dict[str, Any]) -> None:
    """What queues, streams and logs have in the end."""
    for queue, bodies in case.get("received", {}).items():
        found = [read(message.body) for message in sim.queues[queue]]
        assert like(bodies, found, known), f"{queue}: {found}"
    for queue, attributes in case.get("attributes", {}).items():
        for message in sim.queues[queue]:
            assert like(attributes, message.attributes, known), f"{queue}: {message.attributes}"
    for stream, records in case.get("streams", {}).items():
        assert like(records, [list(record) for record in sim.streams[stream]], known), sim.streams[stream]
    for log, entries in case.get("logs", {}).items():
        assert like(entries, sim.logs[log], known), sim.logs[log]
    assert {queue: len(sim.queues[queue]) for queue in case.get("count", {})} == case.get("count", {})


@pytest.mark.parametrize("case", cases("calls"))
def test_calls(case: dict[str, Any], tmp_path: Path) -> None:
    """Calls of a client of boto3, one after the other; by default of an account's administrator."""
    known: dict[str, Any] = {}
    with Simulator.load(Terraform(case["system"], case.get("blocks")).write(tmp_path)) as sim:
        made = client(sim, case.get("service", "sqs"), sim.identity(case.get("caller", "a")))
        for step in case["do"]:
            if "wait" in step:
                sim.run_until_idle(at_most=step["wait"])
                continue
            (operation,) = step.keys() - {"answer"}
            found = called(made, operation, resolved(filled(step[operation]), known))
            if "answer" in step:
                assert like(step["answer"], found, known), f"{operation}: {found}"


def called(made: Any, operation: str, arguments: dict[str, Any]) -> Any:
    """What a client gives: the answer without what is of the transport, or the error's code and message."""
    try:
        answer = getattr(made, operation)(**arguments)
    except ClientError as error:
        reasons = error.response.get("CancellationReasons")  # of a transaction
        return [error.response["Error"]["Code"], error.response["Error"]["Message"] if reasons is None else reasons]
    answer.pop("ResponseMetadata")
    return answer


def resolved(value: Any, known: dict[str, Any]) -> Any:
    """Arguments with what earlier answers had in the place of `<receipt 1>`, and a queue's URL for its name."""
    if isinstance(value, dict):
        queue = {"QueueUrl": url(value["QueueUrl"])} if "QueueUrl" in value else {}
        return {name: resolved(part, known) for name, part in value.items()} | queue
    if isinstance(value, list):
        return [resolved(part, known) for part in value]
    return known.get(value, value) if isinstance(value, str) else value


def do(sim: Simulator, step: dict[str, Any], known: dict[str, Any]) -> None:
    if "wait" in step:
        sim.run_until_idle(at_most=step["wait"])
        return
    if "replay" in step:
        sim.replay(**step["replay"])
        return
    if "http" in step:
        answer = sim.http(**filled(step["http"]))
        assert like(step["answer"], {"status": answer.status, "body": answer.body}, known), answer
        assert like(step.get("within", {}), {name: answer.body[name] for name in step.get("within", {})}, known), answer
        assert answer.headers == step.get("headers", answer.headers)
        assert answer.content.decode("utf-8", "replace") == step.get(
            "content", answer.content.decode("utf-8", "replace")
        )
        assert list(answer.cookies) == step.get("cookies", [])
        return
    if "send" in step:
        messages = {"messages": step["send"]}
        step = {
            "put": [{"Source": "test", "DetailType": "Send", "Detail": messages}],
            "answer": [{"EventId": "<uuid>"}],
        }
    entries = [filled(entry) for entry in step["put"]]
    if "fails" in step:
        with pytest.raises(BackboneError) as caught:
            sim.put_events(entries, caller=step.get("caller", "a"))
        assert all(words in str(caught.value) for words in step["fails"])
        return
    result = sim.put_events(entries, caller=step.get("caller", "a"))
    assert result["FailedEntryCount"] == sum("ErrorCode" in entry for entry in result["Entries"])
    assert like(step["answer"], result["Entries"], known), result


def filled(value: Any) -> Any:
    """A request with its long texts: `<1000 x>` is a thousand times x."""
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    if isinstance(value, str):
        return re.sub(r"<(\d+) x>", lambda found: "x" * int(found[1]), value)
    return value


def read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


UNKNOWN = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "milliseconds": r"\d{13}",
    "digits": r"\d+",
    "hexadecimal": r"[0-9a-f]{32}",
    "seconds": r"\d{10}(\.\d{1,3})?",
    "shard_and_number": r"shardId-\d{12}:\d+",
    "clock": r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000",
    "host": r"[a-z0-9]{10}\.execute-api\.eu-central-1\.amazonaws\.com",
    "timed_out": r"RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds",
    "exited": r"RequestId: [0-9a-f-]{36} Error: Runtime exited without providing a reason",
    "receipt": r"[A-Za-z0-9+/=]+",
    "text": r"(?s).+",
}
"""What stands for what no two answers share, as in `<uuid>`; `<uuid 1>` is the same throughout, and not `<uuid 2>`."""


def like(expected: Any, found: Any, known: dict[str, Any]) -> bool:
    """Whether an answer is the expected one, to the last field."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and expected.keys() == found.keys()
            and all(like(expected[name], found[name], known) for name in expected)
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(expected) == len(found)
            and all(like(one, other, known) for one, other in zip(expected, found, strict=True))
        )
    if isinstance(expected, str) and (named := re.fullmatch(r"<(\w+)( \d+)?>", expected)):
        if named[1] == "object":
            return isinstance(found, dict)
        if named[1] == "texts":
            return isinstance(found, list) and all(isinstance(one, str) for one in found)
        if expected in known:
            return bool(known[expected] == found)
        if named[2]:
            if found in known.values():
                return False
            known[expected] = found
        return isinstance(found, str | int | float) and re.fullmatch(UNKNOWN[named[1]], str(found)) is not None
    return type(expected) is type(found) and bool(expected == found)
