"""The Terraform of every example, as its reviewers read it. `make snapshot` writes it anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.conftest import EXAMPLES
from tests.synthesis import Stacks, decoded

FOLDER = Path(__file__).parent / "snapshots" / "test_snapshots"


@pytest.mark.parametrize("name", EXAMPLES)
def test_stacks(name: str, synthesized: Callable[[str], Stacks], snapshot: SnapshotAssertion) -> None:
    stacks = synthesized(name)
    for stack, document in stacks.items():
        assert decoded(document) == snapshot(name=stack, extension_class=JSONSnapshotExtension)


def test_no_snapshot_is_left_over(synthesized: Callable[[str], Stacks]) -> None:
    expected = {f"test_stacks[{name}][{stack}].json" for name in EXAMPLES for stack in synthesized(name)}
    assert {one.name for one in FOLDER.iterdir()} == expected
