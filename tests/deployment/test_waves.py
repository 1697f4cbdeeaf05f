"""The order to deploy stacks in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.deployment.waves import waves
from backbone.manifest import Manifest, ManifestBus, ManifestError, ManifestStack
from tests.cli.command import BACKBONE, run


def manifest_of(*stacks: ManifestStack) -> Manifest:
    return Manifest(
        backbone="shop",
        region="eu-west-1",
        partition="aws",
        layout="per-account",
        routing="broadcast",
        accounts={},
        global_bus=ManifestBus(account="bus", arn=""),
        services={},
        stacks=stacks,
        sources={},
        layers={},
    )


@given(st.lists(st.sets(st.integers(0, 11)), max_size=12))
def test_every_stack_comes_once_and_as_early_as_its_dependencies_let_it(needs: list[set[int]]) -> None:
    stacks = [
        ManifestStack(name=str(i), accounts=(), depends_on=tuple(sorted(str(j) for j in found if j < i)))
        for i, found in enumerate(needs)
    ]
    found = waves(manifest_of(*stacks))
    wave_of = {stack.name: number for number, wave in enumerate(found) for stack in wave}
    assert sorted(wave_of) == sorted(stack.name for stack in stacks)
    assert sum(map(len, found)) == len(stacks)
    for stack in stacks:
        assert wave_of[stack.name] == 1 + max((wave_of[name] for name in stack.depends_on), default=-1)


@pytest.mark.parametrize(
    ("depends_on", "words"),
    [
        ({"a": ("b",), "b": ("a",)}, "wait for each other"),
        ({"a": ("c",), "b": ()}, "stack a: depends_on: got 'c'; allowed: a, b"),
    ],
)
def test_an_order_that_cannot_be_is_an_error(depends_on: dict[str, tuple[str, ...]], words: str) -> None:
    stacks = [ManifestStack(name=name, accounts=(), depends_on=found) for name, found in depends_on.items()]
    with pytest.raises(ManifestError, match=words):
        waves(manifest_of(*stacks))


def test_the_command_lists_the_global_bus_last(stacks: Callable[[str], Path]) -> None:
    folder = str(stacks("per-account"))
    text, _ = run(BACKBONE, "deploy-order", "--json", "--stacks", folder)
    assert [[stack["name"] for stack in wave] for wave in json.loads(text)] == [["delivery", "order"], ["bus"]]
    text, _ = run(BACKBONE, "deploy-order", "--stacks", folder)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert rows[-1] == ["2", "bus", "bus", "delivery, order"]
