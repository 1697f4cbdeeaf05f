"""The Terraform of the example in both layouts, as its reviewers read it. `make snapshot` writes it anew.

What the example does not have, the snapshots of the constructs have; `tests/addresses` has every address.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from tests.synthesis import Json, Stacks, decoded
from tests.synthesis.reviewed import ReviewedJson


def test_single(synthesized: Callable[[str], Stacks], snapshot: SnapshotAssertion) -> None:
    (document,) = synthesized("single").values()
    assert decoded(document) == snapshot(name="backbone", extension_class=ReviewedJson)


def test_per_account(synthesized: Callable[[str], Stacks], snapshot: SnapshotAssertion) -> None:
    """Without the resources that are the same in one state."""
    (single,) = synthesized("single").values()
    for stack, document in synthesized("per-account").items():
        assert decoded(without_the_same(document, single)) == snapshot(name=stack, extension_class=ReviewedJson)


def without_the_same(document: Json, other: Json) -> Json:
    """The document with its resources, each as a word if the other document has the same."""
    result = copy.deepcopy(document)
    for kind, resources in result["resource"].items():
        for name, body in resources.items():
            there = other["resource"].get(kind, {}).get(name, {})
            if {**body, "//": None} == {**there, "//": None}:
                resources[name] = "the same"
    return result


def test_no_snapshot_is_left_over() -> None:
    folder = Path(__file__).parent / "snapshots" / "test_snapshots"
    assert {file.name for file in folder.iterdir()} == {
        "test_single[backbone].json",
        *(f"test_per_account[{stack}].json" for stack in ("bus", "delivery", "order")),
    }
