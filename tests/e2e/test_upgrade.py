"""What the last release deployed, planned with the stacks of today: what holds messages or events stays in place."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from backbone.synthesis import output
from tests import released
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT, example
from tests.e2e.terraform import Terraform, moto_server
from tests.e2e.test_apply import publish_layers
from tests.e2e.test_deploy import deploy
from tests.synthesis import resources
from tests.test_upgrade import said

pytestmark = pytest.mark.e2e

HOLDING = {
    "aws_cloudwatch_event_archive",
    "aws_cloudwatch_event_bus",
    "aws_cloudwatch_log_group",
    "aws_dynamodb_table",
    "aws_kinesis_stream",
    "aws_sqs_queue",
}
"""The types whose resources lose messages, events or data when they are destroyed."""


def write_released(folder: Path) -> None:
    """The stacks of the release; what their functions ran does not count."""
    for name, stack in released.stacks().items():
        place = folder / "stacks" / name
        place.mkdir(parents=True)
        (place / "cdk.tf.json").write_text(json.dumps(stack))
        for function in stack["resource"].get("aws_lambda_function", {}).values():
            (place / function["filename"]).parent.mkdir(exist_ok=True)
            with zipfile.ZipFile(place / function["filename"], "w") as archive:
                archive.writestr("released.py", "")


def apply(stack: Terraform) -> None:
    stack.init()
    stack.run("apply", "-auto-approve")


def test_what_was_deployed_is_taken_over(tmp_path: Path) -> None:
    topology, folder = example(released.LAYOUT), tmp_path / "project" / "cdktf.out"
    write_released(folder)
    with moto_server(tmp_path / "moto.log") as url:
        publish_layers(url, topology, resources(released.stacks()))
        with ThreadPoolExecutor() as threads:  # no stack asks for what another one makes
            list(threads.map(apply, [Terraform(folder / "stacks" / name, url) for name in released.stacks()]))
        before = {(one.stack, one.address) for one in resources(released.stacks())}

        output.synth(topology, folder)
        review, _ = deploy(folder, url, "--plan-only")
    planned = {
        file.name.partition(".")[0]: json.loads(file.read_text()) for file in folder.glob("deployment/*.plan.json")
    }
    changes = {
        (stack, one["address"]): one["change"]["actions"]
        for stack, plan in planned.items()
        for one in plan["resource_changes"]
    }
    known = said((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), released.version())
    gone = {address for address, actions in changes.items() if "delete" in actions}
    assert before <= changes.keys()
    assert [one for one in gone if not any(fnmatchcase(one[1], pattern) for pattern in known)] == []
    assert [one for one in gone if one[1].partition(".")[0] in HOLDING] == []
    assert [one for one in before - gone if "create" in changes[one]] == []  # what was there is known

    found = json.loads(run(BACKBONE, "review", "--json", *map(str, folder.glob("deployment/*.plan.json")), status=1)[0])
    assert {danger["rule"] for danger in found["dangers"] if danger["severity"] != "note"} == {"authorization-removed"}
    assert (
        "delivery-service starts receiving Order.Created from order-service at shop-delivery-service-orders-buffer"
        in review
    )
