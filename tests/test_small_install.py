"""What the small installation can do: a service of its own, and the simulator; and what it says to what it cannot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import yaml

from backbone.development.handover import hand_over
from backbone.synthesis import output
from backbone.topology import parse
from tests.conftest import ROOT, example

BLOCK = """
import sys
from importlib.machinery import PathFinder
class Rest(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {left_out!r} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Rest
"""
"""A `sitecustomize` by which packages are as if they were not installed."""

SERVICE = """
from typing import Any, ClassVar
from backbone.runtime import Consumer, EventData, Outbox, Publisher, Received

class OrderCreated(EventData):
    detail_type: ClassVar[str] = "Order.Created"
    version: ClassVar[int] = 1
    order_id: str

class DeliveryUpdated(EventData):
    detail_type: ClassVar[str] = "Delivery.Updated"
    version: ClassVar[int] = 1
    order_id: str
    status: str
    sequence: int

consumer, outbox = Consumer(), Outbox(DeliveryUpdated)

@consumer.on(OrderCreated)
def handle(event: Received[OrderCreated]) -> None:
    updated = DeliveryUpdated(order_id=event.data.order_id, status="DELIVERED", sequence=1)
    outbox.publish(updated, key=event.id, correlation_id=event.meta.correlation_id, causation_id=event.id)

on_event = consumer.handler()
"""

RUN = """
import os, sys
from types import SimpleNamespace
os.environ |= {"POWERTOOLS_TRACE_DISABLED": "true", "POWERTOOLS_SERVICE_NAME": "mine"}
import service
from backbone.runtime import Outbox, Publisher
from backbone import Simulator

context = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=512,
    aws_request_id="r",
    invoked_function_arn="arn:aws:lambda:::function:f",
    get_remaining_time_in_millis=lambda: 15_000,
)
with Simulator.load(sys.argv[1]) as simulator:
    class Client:
        def put_events(self, *, Entries):
            return simulator.put_events(Entries, caller="delivery-service")
    bus = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
    publisher = Publisher(bus=bus, source="delivery-service", detail_types=["Delivery.Updated"], client=Client())
    service.outbox = Outbox(service.DeliveryUpdated, publisher=publisher)
    order = {"customer": "c-1", "items": [{"sku": "tea", "quantity": 1, "price": 1}]}
    assert simulator.http("POST", "/orders", order, caller="order").status == 201
    simulator.run_until_idle()
    received = simulator.logs["/aws/events/shop-delivery-service"]
    (event,) = [one for one in received if one["detail-type"] == "Order.Created"]
    service.on_event(event, context)
    trace = simulator.run_until_idle()
    print(trace.delivered_to("Delivery.Updated").count("shop-order-service-deliveries-buffer"), len(trace.lost))
"""


def closure(requirements: list[str]) -> set[str]:
    """The distributions that requirements bring along, by their normalized names, with the extras that they ask for."""
    found: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        text, _, marker = requirement.partition(";")
        if "extra" in marker and not re.search(rf"extra\s*==\s*['\"]{re.escape(extra or '-')}['\"]", marker):
            continue
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[([^]]*)\])?", text.strip())
        assert match
        name = re.sub(r"[-_.]+", "-", match[1]).lower()
        for each in {"", *(match[2] or "").replace(" ", "").split(",")}:
            if (name, each) not in found:
                found.add((name, each))
                try:
                    waiting += [(more, each) for more in requires(name) or ()]
                except PackageNotFoundError:
                    continue  # for another system or another Python
    return {name for name, _ in found}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel, unpacked."""
    folder = tmp_path_factory.mktemp("small")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def environment(site: Path, folder: Path, *beside: str) -> dict[str, str]:
    """The environment of the wheel with its base dependencies alone, and what is installed beside it.

    It has nothing of the variables that other tests set for functions.
    """
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    there = closure([*declared, *beside])
    names = packages_distributions()
    left_out = {
        module
        for module, distributions in names.items()
        if not {re.sub(r"[-_.]+", "-", each).lower() for each in distributions} & there
    } - {"backbone", "_virtualenv", "coverage"}
    assert {"cdktf", "constructs", "jsii", "hypothesis"} <= left_out
    (folder / "sitecustomize.py").write_text(BLOCK.format(left_out=left_out))
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(folder), str(site)])}


@pytest.fixture
def small(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment(site, tmp_path_factory.mktemp("environment"))


def test_the_page_is_in_the_wheel(site: Path) -> None:
    static = Path("backbone", "simulator", "page", "static")
    files = sorted(path.name for path in (ROOT / static).iterdir())
    assert "index.html" in files
    assert sorted(path.name for path in (site / static).iterdir()) == files


HANDLER = """
from typing import ClassVar
from backbone.runtime import Consumer, EventData, Outbox, Received
from events import OrderCreated

class InvoicePaid(EventData):
    detail_type: ClassVar[str] = "Invoice.Paid"
    version: ClassVar[int] = 1
    order_id: str

consumer, outbox = Consumer(), Outbox(InvoicePaid)

@consumer.on(OrderCreated)
def handle(event: Received[OrderCreated]) -> None:
    paid = InvoicePaid(order_id=event.data.order_id)
    outbox.publish(paid, key=event.id, correlation_id=event.meta.correlation_id, causation_id=event.id)

on_event = consumer.handler()
"""

ANSWERED = """

def test_an_order_is_answered(simulator: Simulator) -> None:
    event = json.loads((HERE / "samples" / "order-service" / "Order.Created.v1.json").read_text())
    put(simulator, event["source"], event["detail-type"], event["detail"], caller="order-service")
    trace = simulator.run_until_idle()
    assert trace.published("Invoice.Paid") == 1
    assert "shop-order-service" in trace.delivered_to("Invoice.Paid")
    assert simulator.problems() == []
"""


def test_what_a_team_is_handed_runs_in_a_folder_of_its_own(
    site: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its module and its function, which consumes and publishes, as `pip install event-backbone pytest` leaves it."""
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    document["accounts"]["invoice"] = {"id": "444444444444"}
    events = {"publishes": ["Invoice.Paid"], "subscribes": ["Order.Created"]}
    document["services"]["invoice-service"] = {"account": "invoice", **events}
    hand_over(parse(yaml.safe_dump(document)), "invoice-service", tmp_path, to="function", language="python")
    (tmp_path / "code" / "handler.py").write_text(HANDLER)
    (tmp_path / "events" / "events.py").rename(tmp_path / "code" / "events.py")
    with (tmp_path / "test_backbone.py").open("a") as file:
        file.write(ANSWERED)
    with_pytest = environment(site, tmp_path_factory.mktemp("environment"), "pytest")
    with_pytest["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of what is left out cannot be loaded
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    done = subprocess.run(command, cwd=tmp_path, env=with_pytest, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith("5 passed"), done.stdout + done.stderr


def test_a_service_elsewhere_publishes_and_consumes_through_the_simulator(
    small: dict[str, str], tmp_path: Path
) -> None:
    """Two services then deliver: the example's own, and this one."""
    output.synth(example("single"), tmp_path / "stacks")
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "run.py").write_text(RUN)
    done = subprocess.run(
        [sys.executable, "run.py", "stacks"], cwd=tmp_path, env=small, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "2 0"


def test_synth_says_what_to_install(small: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "backbone.yaml").write_bytes((ROOT / "backbone.yaml").read_bytes())
    command = [sys.executable, "-m", "backbone.cli", "synth"]
    done = subprocess.run(command, cwd=tmp_path, env=small, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "not installed: cdktf" in done.stderr
    assert "`pip install 'event-backbone[synth]'`" in done.stderr
    assert "Traceback" not in done.stderr
