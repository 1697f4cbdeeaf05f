"""Commands on a backbone with several global buses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hubs")
    shutil.copy(ROOT / "examples" / "multi-bus" / "backbone.yaml", folder)
    run(BACKBONE, "synth", folder=folder)
    return folder


def entry(folder: Path, detail_type: str, **more: str) -> str:
    fields = {"Source": "com.example.purple", "DetailType": detail_type, "Detail": "{}"}
    (folder / "entry.json").write_text(json.dumps(fields | more))
    return "entry.json"


def test_an_event_without_a_bus_goes_to_the_one_that_it_is_published_on(project: Path) -> None:
    file = entry(project, "Payment.Taken")
    rules = json.loads(run(BACKBONE, "match", "-e", file, "--json", folder=project)[0])
    assert {rule["bus"].rpartition("/")[2] for rule in rules} == {
        "multi-bus-purple-global",
        "multi-bus-blue-service",
        "multi-bus-orange-service",
    }
    (put,) = json.loads(run(BACKBONE, "simulate", "-e", file, "--json", folder=project)[0])
    assert put["place"] == "multi-bus-purple-global"


def test_an_event_that_nobody_publishes_must_name_its_bus(project: Path) -> None:
    for command in ("match", "simulate"):
        _, errors = run(BACKBONE, command, "-e", entry(project, "Payment.Takn"), folder=project, status=2)
        assert "EventBusName: is missing, and no service is declared to publish such an event" in errors
        assert "one of multi-bus-blue-global, multi-bus-orange-global, multi-bus-purple-global" in errors
    file = entry(project, "Payment.Takn", EventBusName="multi-bus-orange-global")
    rules = json.loads(run(BACKBONE, "match", "-e", file, "--json", folder=project)[0])
    assert [rule["rule"] for rule in rules if "forward" in rule["rule"]] == []
