"""A pytest plugin: the fixture `backbone_sim` is the synthesized system, made anew for each test.

Stacks are looked for in the folder that the ini option `backbone_stacks` names, from pytest's root folder; by default
it is `cdktf.out`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from backbone.simulator import Simulator

__all__ = ["backbone_sim", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini option."""
    parser.addini("backbone_stacks", "the folder of the synthesized stacks", default="cdktf.out")


@pytest.fixture
def backbone_sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """The synthesized system in its first state; its functions end with the test."""
    # Imported here, so that test runs without this fixture are not slower.
    from backbone.errors import BackboneError
    from backbone.simulator import Simulator

    folder = request.config.rootpath / request.config.getini("backbone_stacks")
    try:
        simulator = Simulator.load(folder)
    except BackboneError as error:
        pytest.fail(str(error), pytrace=False)
    with simulator:
        yield simulator
