"""What teams with a repository of their own are given works there: its test runs, and notices what is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.development.contracts import UnknownServiceError
from backbone.development.handover import HandoverError, hand_over
from backbone.topology import Topology, parse
from tests.conftest import EXAMPLES, ROOT

CASES: dict[str, Any] = {
    case["name"]: case for case in yaml.safe_load((Path(__file__).parent / "handover.yaml").read_text())
}
EDITS = [(name, number) for name, case in CASES.items() for number in range(len(case["edits"]))]


def declared(name: str, service: str = "invoice-service") -> tuple[Topology, str]:
    case = CASES[name]
    if "file" in case:
        return parse(EXAMPLES[case["file"]].read_text()), case["service"]
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    document["accounts"]["invoice"] = {"id": "444444444444"}
    document["services"][service] = {"account": "invoice", **case["entry"]}
    return parse(yaml.safe_dump(document)), service


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp("handover") for name in CASES}
    for name, folder in folders.items():
        hand_over(*declared(name), folder, to=CASES[name]["to"], language="python")
    return folders


def run(folder: Path) -> str:
    """The last line that pytest prints there."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no", "--rootdir", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", CASES)
def test_the_written_test_passes(handed: dict[str, Path], name: str) -> None:
    assert run(handed[name]).startswith(f"{CASES[name]['passed']} passed")


@pytest.mark.parametrize(("name", "number"), EDITS)
def test_the_written_test_notices_a_broken_module(handed: dict[str, Path], name: str, number: int) -> None:
    file, edit = handed[name] / "terraform" / "main.tf.json", CASES[name]["edits"][number]
    before = file.read_text()
    document = json.loads(before)
    *places, last = edit["at"]
    place = document["resource"]
    for key in places:
        place = place[key]
    if "to" in edit:
        place[last] = edit["to"]
    else:
        del place[last]
    file.write_text(json.dumps(document))
    try:
        assert "1 failed" in run(handed[name]) or "1 error" in run(handed[name])
    finally:
        file.write_text(before)


def test_the_same_file_gives_the_same_folder(handed: dict[str, Path], tmp_path: Path) -> None:
    written = hand_over(*declared("by a function"), tmp_path, to="function", language="python")
    assert len(written) == 11
    for file in written:
        assert file.read_bytes() == (handed["by a function"] / file.relative_to(tmp_path)).read_bytes(), file


def test_nothing_of_others_is_handed_over(handed: dict[str, Path]) -> None:
    texts = [file.read_text() for file in handed["with every option of the file"].rglob("*") if file.is_file()]
    assert not any(
        "order-admin" in text or "shop-terraform-state" in text or "services.delivery" in text for text in texts
    )


def test_what_is_there_is_replaced_by_force_alone_and_code_never(tmp_path: Path) -> None:
    topology, service = declared("by a function")
    hand_over(topology, service, tmp_path, to="function", language="python")
    with pytest.raises(
        HandoverError, match=r"README\.md: is there already; name another folder, or replace it with --f"
    ):
        hand_over(topology, service, tmp_path, to="function", language="python")
    (tmp_path / "code" / "handler.py").write_text("mine = True\n")
    (tmp_path / "notes.txt").write_text("mine")
    other = declared("by a queue")
    hand_over(*other, tmp_path, to="queue", language="typescript", force=True)
    hand_over(*other, tmp_path, to="function", language="typescript", force=True)
    assert (tmp_path / "code" / "handler.py").read_text() == "mine = True\n"
    assert (tmp_path / "notes.txt").exists()
    assert "export interface OrderCreated" in (tmp_path / "events" / "events.ts").read_text()
    samples = [file.name for file in (tmp_path / "samples").rglob("*.json")]
    assert samples == ["Order.Created.v1.json"]


def test_the_module_is_of_least_privilege(handed: dict[str, Path]) -> None:
    module = json.loads((handed["by a function"] / "terraform" / "main.tf.json").read_text())["resource"]
    statements = json.loads(module["aws_iam_role_policy"]["events"]["policy"])["Statement"]
    assert [(one["Action"], one["Resource"]) for one in statements] == [
        ("events:PutEvents", "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"),
        ("sqs:SendMessage", "${aws_sqs_queue.failures.arn}"),
    ]
    assert statements[0]["Condition"] == {
        "StringEquals": {"events:detail-type": "Invoice.Paid", "events:source": "invoice-service"}
    }


def test_the_guide_says_what_the_module_needs(handed: dict[str, Path]) -> None:
    guide = (handed["by a queue"] / "README.md").read_text()
    assert "  queue_arn = aws_sqs_queue.mine.arn\n  queue_url = aws_sqs_queue.mine.url\n" in guide
    assert "the module's replaces that of your queue" in guide
    assert "needs `kms:Decrypt`" in (handed["with every option of the file"] / "README.md").read_text()
    assert "needs `kms:Decrypt`" not in guide


def test_a_service_that_is_none_or_does_nothing(tmp_path: Path) -> None:
    topology, _ = declared("by a function")
    with pytest.raises(UnknownServiceError, match="got the service 'nobody'; allowed: delivery-service, invoice-serv"):
        hand_over(topology, "nobody", tmp_path, to="function", language="python")
    features = parse(EXAMPLES["all-features"].read_text())
    with pytest.raises(HandoverError, match="observer: publishes nothing and subscribes to nothing"):
        hand_over(features, "observer", tmp_path, to="function", language="python")
    assert list(tmp_path.iterdir()) == []
