"""What all tests share: examples, and one synth of each per session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from backbone.synthesis import output
from backbone.topology import Topology, load
from tests.synthesis import Stacks, synthesize

ROOT = Path(__file__).parent.parent
TOPOLOGIES = Path(__file__).parent / "topologies"
EXAMPLES = {
    "single": ROOT / "backbone.yaml",
    "per-account": TOPOLOGIES / "per-account.yaml",
    "same-account": TOPOLOGIES / "same-account.yaml",
    "all-features": TOPOLOGIES / "all-features.yaml",
    "direct": TOPOLOGIES / "direct.yaml",
}

# A synth in a busy machine takes as long as it takes; what counts is that examples repeat.
settings.register_profile("backbone", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("backbone")


@cache
def example(name: str) -> Topology:
    return load(EXAMPLES[name])


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Stacks]:
    """The stacks of an example, by name; each example is synthesized once."""

    @cache
    def of(name: str) -> Stacks:
        return synthesize(example(name), tmp_path_factory.mktemp(name))

    return of


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of an example's stacks, by the example's name; each is synthesized once."""

    @cache
    def of(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        output.synth(example(name), folder)
        return folder

    return of
