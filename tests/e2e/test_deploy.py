"""`backbone deploy` with real Terraform: all of it, a change that is killed in the middle, the way on, and the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from backbone.synthesis import output
from backbone.topology import Topology
from tests.cli.command import BACKBONE
from tests.conftest import example
from tests.e2e.terraform import Terraform, environment, moto_server, plugin_folder
from tests.e2e.test_apply import buses, declared_buses, publish_layers
from tests.synthesis import resources, synthesize

pytestmark = pytest.mark.e2e


def start(folder: Path, url: str, *words: str, **more: str) -> subprocess.Popen[str]:
    """Begin a deployment; `more` is added to its environment."""
    plugins = plugin_folder()
    options = {"TF_CLI_ARGS_init": f"-plugin-dir={plugins}"} if plugins else {}
    return subprocess.Popen(
        [BACKBONE, "deploy", "--stacks", str(folder), "--yes", *words],
        env=environment(url) | options | more | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def deploy(folder: Path, url: str, *words: str, **more: str) -> tuple[str, str]:
    with start(folder, url, *words, **more) as started:
        found = started.communicate(timeout=600)
    assert started.returncode == 0, found
    return found


def wait_for(log: Path, words: str) -> None:
    for _ in range(1200):
        if log.exists() and words in log.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"{log} never said {words!r}")


def changed(topology: Topology) -> Topology:
    return topology.model_copy(update={"logs": topology.logs.model_copy(update={"retention_days": 14})})


def test_deployed_changed_killed_resumed_and_destroyed(tmp_path: Path) -> None:
    topology = example("per-account")
    folder = tmp_path / "project" / "cdktf.out"
    stacks = synthesize(topology, folder)
    with moto_server(tmp_path / "moto.log") as url:
        publish_layers(url, topology, resources(stacks))
        out, _ = deploy(folder, url)
        assert out.endswith("applied: delivery, order, bus\n")
        assert not re.search("^(error|warning) ", out, re.MULTILINE)  # nothing is lost where nothing was
        each = [Terraform(file.parent, url) for file in sorted(folder.glob("stacks/*/cdk.tf.json"))]
        assert [terraform.second_plan() for terraform in each] == [[], [], []]
        addresses = sorted(address for terraform in each for address in terraform.resources())
        assert addresses == sorted(one.address for one in resources(stacks))

        output.synth(changed(topology), folder)
        started = start(folder, url)
        wait_for(folder / "deployment" / "order.log", "Modifying...")
        started.send_signal(signal.SIGKILL)
        started.communicate()
        out, err = deploy(folder, url)
        assert "an earlier deployment stopped half-way" in err
        assert "bus" in out.splitlines()[-1]
        assert [terraform.second_plan() for terraform in each] == [[], [], []]
        for account, expected in declared_buses(topology, resources(stacks)).items():
            assert buses(url, topology.accounts[account].id, topology.region) == expected

        deploy(folder, url, "--destroy", "--allow-dangers")
        assert [terraform.resources() for terraform in each] == [[], [], []]
        for each_account in topology.accounts.values():
            assert buses(url, each_account.id, topology.region) == set()
