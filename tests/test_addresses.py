"""Addresses and physical names are a contract: they are what they were when they were first written down.

Each file of `tests/addresses` has a line per resource of an example: stack, address, and the argument that names it.
A line may be added. One that changes or goes needs `moved` blocks or an entry under "Addresses" in the changelog, and
only then a change of the file by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.synthesis import Stacks, resources

FOLDER = Path(__file__).parent / "addresses"
NAMES = ("function_name", "policy_name", "name", "route_key", "target_id")


def lines(stacks: Stacks) -> list[str]:
    found = []
    for one in resources(stacks):
        name = next((f"{key}={one.body[key]}" for key in NAMES if key in one.body), "-")
        found.append(f"{one.stack} {one.address} {name}")
    return sorted(found)


@pytest.mark.parametrize("name", EXAMPLES)
def test_addresses_and_names_are_what_they_were(name: str, synthesized: Callable[[str], Stacks]) -> None:
    written = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    missing = [one for one in written if one not in set(lines(synthesized(name)))]
    assert len(written) > 50
    assert missing == []
