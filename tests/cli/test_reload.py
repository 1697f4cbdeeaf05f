"""`backbone up` makes the system anew when its sources change, and goes on with what is in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import BACKBONE
from tests.conftest import ROOT
from tests.simulator.conftest import ORDER
from tests.simulator.test_page import JSON
from tests.simulator.test_server import BUS, call, eventually


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example in a folder of its own."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "services", folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "backbone.yaml", folder)
    return folder


class Up:
    """The command in a project, with what it prints."""

    def __init__(self, project: Path) -> None:
        self.project = project
        environment = {key: value for key, value in os.environ.items() if key != "BACKBONE_FILE"}
        self.printed = project / "printed.txt"
        with self.printed.open("w") as file:
            self.process = subprocess.Popen(
                [BACKBONE, "up", "--port", "0", "--stub-authorizers", "--fault", "deny:shop-delivery-service"],
                cwd=project,
                env=environment | {"PYTHONUNBUFFERED": "1"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        eventually(lambda: "EventBridge: " in self.printed.read_text())
        page = next(line for line in self.printed.read_text().splitlines() if line.startswith("page: "))
        self.url = page.removeprefix("page: ").removesuffix("/_backbone/")

    def api(self, path: str, body: Any = None) -> Any:
        status, answer = call(f"{self.url}/_backbone/api/{path}", body, **JSON)
        assert status == 200, answer
        return answer

    def change(self, file: str, old: str, new: str) -> None:
        path = self.project / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))

    def wait_for_version(self, version: int) -> float:
        """How long it takes until the system was made anew so often."""
        began = time.monotonic()
        eventually(lambda: self.api("system")["version"] == version)
        return time.monotonic() - began


@pytest.fixture
def up(project: Path) -> Iterator[Up]:
    made = Up(project)
    yield made
    made.process.send_signal(signal.SIGTERM)
    assert made.process.wait(timeout=60) == 0
    printed = made.printed.read_text()
    assert printed.endswith("ended\n")
    assert "Traceback" not in printed


def test_a_change_is_taken_over_and_what_is_in_the_system_stays(up: Up) -> None:
    status, order = call(f"{up.url}/orders", ORDER)
    assert status == 201
    eventually(lambda: any(queue["count"] for queue in up.api("queues")))

    up.change("services/order/handlers.py", '{"status": "ok"}', '{"status": "better"}')
    assert up.wait_for_version(2) < 30  # 1.5 seconds where nothing else runs: docs/performance.md
    assert call(f"{up.url}/health") == (200, {"status": "better"})
    assert call(f"{up.url}/orders/{order['order_id']}")[0] == 200
    assert [queue["count"] for queue in up.api("queues") if queue["count"]] == [1]
    assert up.api("faults") == [{"fault": "deny:shop-delivery-service", "struck": 1}]
    created = up.api("events?detail_type=Order.Created")["events"]
    assert [row["outcomes"] for row in created] == [{"dead-letter": 1}]

    up.change("backbone.yaml", "routing: broadcast ", "routing: nonsense ")
    eventually(lambda: "routing: got 'nonsense'" in up.api("system")["problem"])
    assert call(f"{up.url}/health") == (200, {"status": "better"})  # the old system stays up
    assert "error: backbone.yaml:5: routing" in up.printed.read_text()

    up.change("backbone.yaml", "routing: nonsense ", "routing: broadcast ")
    up.change("backbone.yaml", "logs: ", "  invoice-service: {account: order, publishes: [Invoice.Sent]}\nlogs: ")
    eventually(lambda: "invoice-service" in up.api("system")["services"])
    eventually(lambda: up.api("system")["problem"] == "")
    up.api("faults", {"fault": "deny:shop-delivery-service", "on": False})
    up.api("redrive", {"queue": "shop-forward-delivery-service-dead-letters"})
    eventually(lambda: call(f"{up.url}/orders/{order['order_id']}")[1]["status"] == "DELIVERED")
    answer = up.api(
        "events",
        {"source": "invoice-service", "detail_type": "Invoice.Sent", "bus": BUS, "caller": "invoice-service"},
    )
    assert "EventId" in answer
