"""A pytest plugin: the fixture `backbone_sim` is the synthesized system, made anew for each test.

Stacks are looked for in the folder that the ini option `backbone_stacks` names, from pytest's root folder; by default
it is the one that synth writes to. `backbone_env` names the environment, where BACKBONE_ENV does not. Where nothing was
synthesized yet, or the file or a service's code changed since, it is synthesized; with `backbone_no_synth` the test
fails instead, as it does for a folder that is not the file's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from backbone.simulator import Simulator

__all__ = ["backbone_sim", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini options."""
    parser.addini("backbone_stacks", "the folder of the synthesized stacks", default="")
    parser.addini("backbone_env", "the environment of the file", default="")
    parser.addini("backbone_no_synth", "fail instead of synthesizing", type="bool", default=False)


@pytest.fixture
def backbone_sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """The synthesized system in its first state; its functions end with the test."""
    # Imported here, so that test runs without this fixture are not slower.
    from backbone.cli.stacks import refresh
    from backbone.errors import BackboneError
    from backbone.simulator import Simulator
    from backbone.sources import ENVIRONMENT_VARIABLE
    from backbone.topology import find, output_folder

    if environment := request.config.getini("backbone_env"):
        os.environ.setdefault(ENVIRONMENT_VARIABLE, environment)
    file = find(request.config.rootpath)
    folder = request.config.rootpath / (request.config.getini("backbone_stacks") or output_folder(file))
    own = file if folder == output_folder(file) else None
    try:
        simulator = Simulator.load(refresh(folder, own, no_synth=request.config.getini("backbone_no_synth")))
    except BackboneError as error:
        pytest.fail(str(error), pytrace=False)
    with simulator:
        yield simulator
