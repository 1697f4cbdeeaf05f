"""Some plans of the catalogue made anew with real Terraform: the review says the same of them."""

from __future__ import annotations

import pytest

from backbone.deployment.review import review
from backbone.system.plan import read_plan
from tests.deployment.plans.cases import cases, expanded
from tests.deployment.plans.make import bench

pytestmark = pytest.mark.e2e

CASES = ("a forwarding rule is disabled", "anybody may publish", "new code", "a service comes, with a bus of its own")


def test_plans_made_anew_are_reviewed_alike() -> None:
    with bench() as made:
        for name in CASES:
            case = cases()[name]
            each = {**made.base, **dict(made.plans(case))}
            found = review([read_plan(expanded(plan), stack) for stack, plan in each.items()])
            dangers = {one.rule for one in found.dangers if one.severity != "note"}
            assert dangers == {*case["finds"]}, [str(one) for one in found.dangers]
