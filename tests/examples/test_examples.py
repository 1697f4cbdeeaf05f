"""The designs in `examples/`: synthesized, checked and simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.system.reader import read
from backbone.topology import load
from tests.conftest import ROOT
from tests.simulator.test_topologies import check

FILES = sorted((ROOT / "examples").glob("*/backbone.yaml"))
DETAILS: list[dict[str, Any]] = [{"data": {"total": 0}}, {"data": {"total": 5, "detail": {"severity": 8}}}]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_what_a_design_declares_is_what_is_delivered(file: Path, tmp_path: Path) -> None:
    declared = load(file)
    assert declared.warnings == ()
    output.synth(declared, tmp_path)
    assert read(tmp_path).findings == ()
    with Simulator.load(tmp_path) as sim:
        assert check(yaml.safe_load(file.read_text()), sim, DETAILS) >= 4


def test_findings_of_an_account_reach_the_security_account_by_one_hop(tmp_path: Path) -> None:
    output.synth(load(ROOT / "examples" / "security-events" / "backbone.yaml"), tmp_path)
    with Simulator.load(tmp_path) as sim:
        for account, severity in (("shop", 8), ("data", 2)):
            event = {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"severity": severity}}
            sim.put_aws_event(event, account=account)
        trace = sim.run_until_idle()
        assert trace.delivered_to("Finding.Reported").count("security-responses") == 1
        assert trace.lost == []
