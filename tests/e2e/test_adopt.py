"""A bus, a rule and a log group that were made by hand come into the stacks: imported, and not made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE
from tests.e2e.project import Project
from tests.e2e.terraform import Terraform, moto_server
from tests.e2e.test_apply import inside

pytestmark = pytest.mark.e2e


def test_what_was_made_by_hand_is_imported(tmp_path: Path) -> None:
    with moto_server(tmp_path / "moto.log") as url:
        project = Project(tmp_path, url)
        project.declared["layout"] = "per-account"
        project.write()
        events = inside(url, "111111111111", "eu-west-1").client("events", endpoint_url=url)
        events.create_event_bus(Name="shop-global")
        events.put_rule(Name="shop-global-log", EventBusName="shop-global", EventPattern='{"source":["x"]}')
        logs = inside(url, "111111111111", "eu-west-1").client("logs", endpoint_url=url)
        logs.create_log_group(logGroupName="/aws/events/shop-global")
        project.run(BACKBONE, "synth")
        assert "written: cdktf.out/stacks/bus/adopt.tf.json" in project.run(BACKBONE, "adopt")

        bus = Terraform(project.folder / "cdktf.out" / "stacks" / "bus", url)
        bus.init()
        bus.run("plan", "-out=first")
        changes = json.loads(bus.run("show", "-json", "first")[1])["resource_changes"]
        imported = {one["address"].partition(".")[0] for one in changes if one["change"].get("importing")}
        assert imported == {"aws_cloudwatch_event_bus", "aws_cloudwatch_event_rule", "aws_cloudwatch_log_group"}
        assert all(one["change"]["actions"] in (["create"], ["update"], ["no-op"]) for one in changes)
        # Not applied: the emulator knows no UpdateEventBus, by which the description would come.
