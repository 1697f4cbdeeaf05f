"""What a simulator leaves behind that was killed together with its process group, as `timeout` and terminals do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

CODE = """
import sys, time
from pathlib import Path
from backbone.simulator import Simulator
from backbone.system.reader import read
with Simulator(read(Path(sys.argv[1]))) as simulator:
    print(simulator.http("GET", "/health", caller="order").status, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_nothing_stays_of_its_functions(stacks: Callable[[str], Path], tmp_path: Path, number: signal.Signals) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", CODE, str(stacks("single"))],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "200\n"
        assert list(tmp_path.glob("functions-*/*"))
        os.killpg(process.pid, number)
    until = time.monotonic() + 10
    while list(tmp_path.glob("functions-*")) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(tmp_path.glob("functions-*")) == []
