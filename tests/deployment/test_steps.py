"""What docs/deploy.md says of later changes, wave by wave: no event of others is lost while stacks are old and new."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone import manifest
from backbone.deployment.waves import waves
from backbone.simulator import Simulator
from backbone.synthesis import output
from backbone.topology import parse
from mutants.bases import ORDER
from tests.conftest import EXAMPLES

Declared = dict[str, Any]
Synthesize = Callable[[Declared], Path]
INVOICE = {"account": "invoice", "publishes": ["Invoice.Paid"], "subscribes": ["Order.Created"]}


@pytest.fixture
def declared() -> Declared:
    found: Declared = yaml.safe_load(EXAMPLES["per-account"].read_text())
    return found


@pytest.fixture
def synthesized(tmp_path: Path) -> Synthesize:
    def of(declared: Declared) -> Path:
        folder = tmp_path / f"synth-{len([*tmp_path.iterdir()])}"
        output.synth(parse(yaml.safe_dump(declared)), folder)
        return folder

    return of


def states(before: Path, after: Path) -> Iterator[Path]:
    """The stacks as they are before the deployment, after each wave, and at the end."""
    done: set[str] = set()
    order: Sequence[Sequence[str]] = [[stack.name for stack in wave] for wave in waves(manifest.read(after))]
    for number, wave in enumerate([(), *order]):
        done |= {*wave}
        place = before.with_name(f"{before.name}-{after.name}-{number}")
        old = [folder for folder in before.glob("stacks/*") if folder.name not in done]
        for folder in (*old, *(folder for folder in after.glob("stacks/*") if folder.name in done)):
            shutil.copytree(folder, place / "stacks" / folder.name)
        yield place


def ordered(stacks: Path) -> tuple[list[str], dict[str, int]]:
    """What goes wrong when an order is posted, and how many events each log has."""
    with Simulator.load(stacks) as simulator:
        simulator.http("POST", "/orders", ORDER, caller="order")
        simulator.run_until_idle()
        problems = simulator.problems(allow=["finding"], expect=["Order.Created", "Delivery.Updated", "Order.Updated"])
        return problems, {name: len(entries) for name, entries in simulator.logs.items()}


def with_invoice(declared: Declared, account: str = "invoice") -> Declared:
    found = copy.deepcopy(declared)
    found["accounts"].setdefault(account, {"id": "444444444444"})
    found["services"]["invoice"] = INVOICE | {"account": account}
    return found


def test_a_service_comes_with_its_account(declared: Declared, synthesized: Synthesize) -> None:
    before, after = synthesized(declared), synthesized(with_invoice(declared))
    each = [ordered(stacks) for stacks in states(before, after)]
    assert [problems for problems, _ in each] == [[], [], []]
    assert [logs.get("/aws/events/shop-invoice", 0) > 0 for _, logs in each] == [False, False, True]


def test_a_service_leaves_an_account_to_nobody(declared: Declared, synthesized: Synthesize) -> None:
    """The account comes after the bus: nothing is forwarded to what is gone."""
    before = synthesized(with_invoice(declared))
    emptied = with_invoice(declared)
    del emptied["services"]["invoice"]
    after = synthesized(emptied)
    each = [ordered(stacks) for stacks in states(before, after)]
    assert [problems for problems, _ in each] == [[]] * 4
    assert [logs.get("/aws/events/shop-invoice", 0) > 0 for _, logs in each] == [True, True, False, False]
    account = [*states(synthesized(emptied), synthesized(declared))]
    assert [ordered(stacks)[0] for stacks in account] == [[]] * len(account)


def test_a_service_leaves_an_account_that_others_are_in(declared: Declared, synthesized: Synthesize) -> None:
    """What is forwarded to it between the waves gets to the dead letters of its rule; others lose nothing."""
    before, after = synthesized(with_invoice(declared, "order")), synthesized(declared)
    each = [ordered(stacks)[0] for stacks in states(before, after)]
    assert each[0] == each[2] == []
    (dead,) = each[1]
    assert "dead-letter: " in dead
    assert "shop-forward-invoice" in dead


def test_types_are_admitted_before_they_are_published(declared: Declared, synthesized: Synthesize) -> None:
    """The first of two deployments: the file publishes more, the code does not yet."""
    more = copy.deepcopy(with_invoice(declared))
    more["services"]["invoice"]["publishes"].append("Invoice.Sent")
    before, after = synthesized(with_invoice(declared)), synthesized(more)
    for number, stacks in enumerate(states(before, after)):
        with Simulator.load(stacks) as simulator:
            bus = manifest.read(after).global_bus.arn
            entry = {"Source": "invoice", "DetailType": "Invoice.Sent", "Detail": "{}", "EventBusName": bus}
            answer = simulator.put_events([entry], caller="invoice")
            assert answer["FailedEntryCount"] == (1 if number < 2 else 0)
