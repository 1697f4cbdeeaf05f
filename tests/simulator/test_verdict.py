"""What a simulation's end is judged by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backbone.simulator import Fault, Simulator
from backbone.trace import OUTCOMES
from tests.simulator.conftest import ORDER, Edit, put

Load = Callable[..., Simulator]


def test_an_order_that_goes_its_way_is_as_it_should_be(load: Load) -> None:
    sim = load()
    sim.http("POST", "/orders", ORDER, caller="order")
    sim.run_until_idle()
    assert sim.problems(expect=["Order.Created", "Order.Updated"]) == []
    assert sim.problems(expect={"Order.Updated": 1, "Delivery.Updated": None}) == []
    assert sim.problems(expect={"Order.Updated": 2, "Order.Paid": None, "Order.Created": 0}) == [
        "expected 2 of Order.Updated; 1 were published",
        "expected one or more of Order.Paid; 0 were published",
        "expected 0 of Order.Created; 1 were published",
    ]


def bad_ends(load: Load) -> dict[str, Simulator]:
    """A simulation with each bad end."""
    made: dict[str, Simulator] = {outcome: load() for outcome in OUTCOMES}
    put(made["denied"], "delivery-service", "Order.Created")
    put(made["refused"], "order-service", "Order.Updated", Detail="[]")
    made["failed"].faults.append(Fault("crash", "*on-event", times=1))
    made["dead-letter"].faults.append(Fault("deny", "shop-delivery-service"))
    made["lost"].faults.append(Fault("deny", "shop-delivery-service"))
    for outcome in ("failed", "dead-letter"):
        put(made[outcome], "delivery-service" if outcome == "failed" else "order-service", *_event(outcome))
    made["http-error"].http("GET", "/none", caller="order")
    return made


def _event(outcome: str) -> tuple[str]:
    return ("Delivery.Updated",) if outcome == "failed" else ("Order.Updated",)


@pytest.mark.parametrize("outcome", [outcome for outcome in OUTCOMES if outcome != "lost"])
def test_each_bad_end_is_a_problem_unless_it_is_allowed(load: Load, outcome: str) -> None:
    sim = bad_ends(load)[outcome]
    sim.run_until_idle()
    problems = sim.problems(allow=[each for each in OUTCOMES if each != outcome])
    assert [problem.split(":")[0] for problem in problems] == [f"1 {outcome}"]
    assert sim.problems(allow=OUTCOMES) == []


def test_a_loss_and_a_finding_are_problems(edited: Callable[[Edit], Simulator]) -> None:
    def edit(resources: dict[str, dict[str, dict[str, object]]]) -> None:
        for name, body in resources["aws_cloudwatch_event_target"].items():
            if name.startswith("forwarding_delivery"):
                del body["dead_letter_config"]

    sim = edited(edit)
    sim.faults.append(Fault("deny", "shop-delivery-service"))
    put(sim, "order-service", "Order.Updated")
    sim.run_until_idle()
    finding, lost = sim.problems()
    assert finding.startswith("1 findings, the first BB202 at backbone/aws_cloudwatch_event_target.forwarding_delivery")
    assert lost.startswith("1 lost: shop-delivery-service NO_PERMISSIONS")
    assert sim.problems(allow=["lost", "finding"]) == []


def test_a_fault_that_struck_nothing_is_a_problem(load: Load) -> None:
    sim = load(faults=[Fault("throttle", "shop-delivry-service", 10), Fault("delay", "*log*")])
    put(sim, "order-service", "Order.Updated")
    sim.run_until_idle()
    assert sim.problems() == ["the fault throttle:shop-delivry-service@10- struck nothing"]
